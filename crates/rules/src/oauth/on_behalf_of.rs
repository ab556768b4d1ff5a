//! Calls in somebody's name: an API that was called with a person's access token asks for one of its own, for another
//! API and the same person (RFC 7523 as Entra understands it, native-auth-and-msal.md R22).
//!
//! The assertion must be worth as much at this moment as it was when it was issued (security.md S93): a signature of
//! ours alone says nothing about what happened since.

use super::error::{self, OAuthError};
use super::params::Params;
use super::token;
use crate::directory::user::User;
use crate::ids::{ClientId, GrantId, UserId};
use crate::time::Timestamp;

/// What a good access token of a person says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assertion<'a> {
    pub issuer: &'a str,
    /// `aud`, when it is exactly one.
    pub audience: Option<ClientId>,
    /// The application that it was issued to.
    pub holder: ClientId,
    pub user: UserId,
    pub grant: GrantId,
    /// What it lets its holder do.
    pub scp: &'a str,
}

/// What has become of the things that it names.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Whether the application that the token was issued to may still sign people in.
    pub holder_enabled: bool,
    pub grant: Option<GrantFact>,
    pub user: Option<&'a User>,
}

/// The grant that the assertion came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrantFact {
    pub client: ClientId,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked: bool,
}

/// Reads the assertion of a request, which says that it is to be used in this way.
pub fn assertion(params: &Params) -> Result<&str, OAuthError> {
    match params.require("requested_token_use")? {
        "on_behalf_of" => params.require("assertion"),
        _ => Err(error::TOKEN_USE),
    }
}

/// Whether `client`, which has proven itself, may act for the person of an assertion whose signature and times are
/// good. The order is part of the answer: what is not for the client tells it nothing about the person.
pub fn check<'a>(
    assertion: &Assertion<'_>,
    (client, issuer): (ClientId, &str),
    standing: &Standing<'a>,
    now: Timestamp,
) -> Result<&'a User, OAuthError> {
    if assertion.issuer != issuer || assertion.audience != Some(client) || assertion.scp.is_empty() {
        return Err(error::ON_BEHALF_OF);
    }
    let grant = standing
        .grant
        .filter(|grant| grant.client == assertion.holder && grant.user == assertion.user)
        .ok_or(error::ON_BEHALF_OF)?;
    if !standing.holder_enabled || grant.revoked || now >= grant.expires_at {
        return Err(error::ON_BEHALF_OF_REVOKED);
    }
    token::check_user(standing.user, grant.created_at).map_err(|refused| {
        if refused == error::REFRESH_REVOKED { error::ON_BEHALF_OF_REVOKED } else { refused }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::user;
    use crate::time::Span;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const ISSUER: &str = "https://i";

    fn id(n: u8) -> ClientId {
        ClientId::from_random([n; 16])
    }

    fn assertion_for(user: UserId) -> Assertion<'static> {
        let grant = GrantId::from_random([1; 16]);
        Assertion { issuer: ISSUER, audience: Some(id(2)), holder: id(1), user, grant, scp: "orders.read" }
    }

    fn grant_of(user: &User) -> GrantFact {
        GrantFact {
            client: id(1),
            user: user.id,
            created_at: NOW,
            expires_at: NOW + Span::seconds(1),
            revoked: false,
        }
    }

    fn judged(change: impl FnOnce(&mut Assertion<'_>, &mut GrantFact, &mut User)) -> Result<(), OAuthError> {
        let mut user = user();
        user.sessions_valid_from = NOW;
        let (mut assertion, mut grant) = (assertion_for(user.id), grant_of(&user));
        change(&mut assertion, &mut grant, &mut user);
        let standing = Standing { holder_enabled: true, grant: Some(grant), user: Some(&user) };
        check(&assertion, (id(2), ISSUER), &standing, NOW).map(drop)
    }

    #[test]
    fn only_what_is_for_the_caller_counts() {
        // S93
        assert_eq!(judged(|_, _, _| {}), Ok(()));
        assert_eq!(judged(|a, _, _| a.audience = Some(id(3))), Err(error::ON_BEHALF_OF));
        assert_eq!(judged(|a, _, _| a.audience = None), Err(error::ON_BEHALF_OF));
        assert_eq!(judged(|a, _, _| a.issuer = "https://j"), Err(error::ON_BEHALF_OF));
        assert_eq!(judged(|a, _, _| a.scp = ""), Err(error::ON_BEHALF_OF));
        assert_eq!(judged(|a, _, _| a.holder = id(3)), Err(error::ON_BEHALF_OF));
        assert_eq!(judged(|a, _, _| a.user = UserId::from_random([9; 16])), Err(error::ON_BEHALF_OF));
    }

    #[test]
    fn what_has_been_taken_back_is_worth_nothing() {
        // S93, C15
        assert_eq!(judged(|_, g, _| g.revoked = true), Err(error::ON_BEHALF_OF_REVOKED));
        assert_eq!(judged(|_, g, _| g.expires_at = NOW), Err(error::ON_BEHALF_OF_REVOKED));
        assert_eq!(judged(|_, _, u| u.account_enabled = false), Err(error::USER_DISABLED));
        let signed_out = judged(|_, _, u| u.sessions_valid_from = NOW + Span::seconds(1));
        assert_eq!(signed_out, Err(error::ON_BEHALF_OF_REVOKED));
        let person = user();
        let fact = Some(grant_of(&person));
        for (standing, error) in [
            (Standing { holder_enabled: true, grant: fact, user: None }, error::USER_GONE),
            (Standing { holder_enabled: true, grant: None, user: Some(&person) }, error::ON_BEHALF_OF),
            (
                Standing { holder_enabled: false, grant: fact, user: Some(&person) },
                error::ON_BEHALF_OF_REVOKED,
            ),
        ] {
            let judged = check(&assertion_for(person.id), (id(2), ISSUER), &standing, NOW);
            assert_eq!(judged.err(), Some(error));
        }
    }

    #[test]
    fn the_request_says_what_it_wants() {
        let read = |text: &str| {
            let params = Params::decode(text);
            assertion(&params).map(str::to_owned)
        };
        assert_eq!(read("assertion=a&requested_token_use=on_behalf_of"), Ok("a".to_owned()));
        assert_eq!(read("assertion=a"), Err(error::MISSING_PARAMETER));
        assert_eq!(read("requested_token_use=on_behalf_of"), Err(error::MISSING_PARAMETER));
        assert_eq!(read("assertion=a&requested_token_use=other"), Err(error::TOKEN_USE));
    }
}
