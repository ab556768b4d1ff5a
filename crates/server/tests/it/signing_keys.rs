//! Keys that sign tokens: they rotate without one token refused.

use std::collections::BTreeSet;

use serde_json::Value;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{self, Expected, Typ};
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Span;
use vestibule_service::keys::rotation::{self, State};
use vestibule_testkit::{Engine, TestServer, server};

use crate::conformance::party::{CLIENT, Party, Shows, Variant};
use crate::signing_algorithms::signing_with;

const SIGNED: Expected<'_> =
    Expected { algorithms: &[Algorithm::Rs256, Algorithm::Es256], typ: Typ::OneOf(&["JWT"]) };
const FILE: &str = include_str!("conformance/suite.yaml");

/// An app that checks tokens and keeps the key set that it read.
struct Careful {
    keys: Vec<VerifyingKey>,
}

impl Careful {
    async fn reads(server: &TestServer) -> Outcome<Self> {
        Self::reads_at(&Party::new(server, Variant::of("code"))).await
    }

    async fn reads_at(party: &Party<'_>) -> Outcome<Self> {
        let (_, set) = party.get("discovery/v2.0/keys", None).await?;
        Ok(Self { keys: VerifyingKey::set(set.to_string().as_bytes())? })
    }

    fn takes(&self, token: &str) -> bool {
        jws::verify(token, &self.keys, &SIGNED).is_ok()
    }
}

/// An app-only token of the suite's client.
pub(crate) async fn token(server: &TestServer) -> Outcome<String> {
    token_of(&Party::new(server, Variant::of("code"))).await
}

async fn token_of(party: &Party<'_>) -> Outcome<String> {
    let scope = format!("{CLIENT}/.default");
    let form = [("grant_type", "client_credentials"), ("scope", scope.as_str())];
    let (status, body) = party.token((CLIENT, "secrets/app"), &form, Shows::Post).await?;
    assert_eq!(status, 200, "{body}");
    Ok(body["access_token"].as_str().unwrap().to_owned())
}

pub(crate) fn tenant(server: &TestServer) -> TenantId {
    server.site.directory.tenant("suite").unwrap().config.tenant.id
}

async fn states(server: &TestServer) -> Outcome<Vec<State>> {
    let keys = rotation::listed(&server.site.env, tenant(server)).await?;
    Ok(keys.into_iter().map(|key| key.state).collect())
}

#[tokio::test]
async fn whoever_reads_the_keys_once_a_day_never_meets_one_that_it_does_not_know() -> Outcome<()> {
    // S90, oidcc-server-rotate-keys
    server::on_both(&[FILE], async |server| {
        let env = &server.site.env;
        let mut old = vec![token(server).await?];
        for _ in 0..4 {
            server.clock.advance(Span::days(3));
            let careful = Careful::reads(server).await?;
            rotation::rotate(env, tenant(server), false).await?;
            server.site.keyring.poll(env).await?;
            let fresh = token(server).await?;
            assert!(careful.takes(&fresh), "a key signs that was not published before");
            let now = Careful::reads(server).await?;
            assert!(old.iter().chain([&fresh]).all(|token| now.takes(token)));
            assert_ne!(kid(&fresh), kid(old.last().unwrap()));
            old.push(fresh);
        }
        assert_eq!(states(server).await?.iter().filter(|state| **state == State::Current).count(), 1);
        Ok(())
    })
    .await
}

fn kid(token: &str) -> Value {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["kid"].clone()
}

#[tokio::test]
async fn keys_rotate_by_themselves_and_go_when_nobody_can_need_them() -> Outcome<()> {
    // S90
    server::on_both(&[FILE], async |server| {
        let first = token(server).await?;
        assert_eq!(states(server).await?, [State::Current, State::Next]);
        server.clock.advance(Span::days(91));
        // Two nodes find it due at once.
        let (one, two) = tokio::join!(rotation::keep_up(&server.site), rotation::keep_up(&server.site));
        one.and(two)?;
        server.site.keyring.poll(&server.site.env).await?;
        assert_eq!(states(server).await?, [State::Previous, State::Current, State::Next]);
        assert_ne!(kid(&token(server).await?), kid(&first));
        assert!(Careful::reads(server).await?.takes(&first));
        server.clock.advance(Span::days(31));
        rotation::keep_up(&server.site).await?;
        server.site.keyring.poll(&server.site.env).await?;
        assert_eq!(states(server).await?, [State::Current, State::Next]);
        assert!(!Careful::reads(server).await?.takes(&first));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_in_other_hands_is_gone_at_once() -> Outcome<()> {
    server::on_both(&[FILE], async |server| {
        let env = &server.site.env;
        let stolen = token(server).await?;
        let refused = rotation::rotate(env, tenant(server), false).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Conflict);
        rotation::rotate(env, tenant(server), true).await?;
        server.site.keyring.poll(env).await?;
        let careful = Careful::reads(server).await?;
        assert!(!careful.takes(&stolen) && careful.takes(&token(server).await?));
        Ok(())
    })
    .await
}

/// An app that reads the keys again when it meets one that it does not know.
struct Curious<'s> {
    party: Party<'s>,
    known: Careful,
    reads: u32,
}

impl<'s> Curious<'s> {
    async fn starts(server: &'s TestServer) -> Outcome<Self> {
        let party = Party::new(server, Variant::of("code"));
        Ok(Self { known: Careful::reads_at(&party).await?, party, reads: 0 })
    }

    async fn takes_a_new_one(&mut self) -> Outcome<bool> {
        let token = token_of(&self.party).await?;
        if self.known.takes(&token) {
            return Ok(true);
        }
        self.known = Careful::reads_at(&self.party).await?;
        self.reads += 1;
        Ok(self.known.takes(&token))
    }
}

#[tokio::test]
async fn a_thousand_rotations_on_two_nodes_have_no_token_refused() -> Outcome<()> {
    // S90
    let server = TestServer::start_nodes(Engine::Postgres, 2, &[&signing_with("ES256")]).await?;
    let mut curious = Curious::starts(&server).await?;
    let party = Party::new(&server, Variant::of("code"));
    let (mut kids, mut last) = (BTreeSet::new(), token_of(&party).await?);
    for turn in 0..1_000 {
        // The next key has been known for as long as it must be, and not for a second longer.
        server.clock.advance(Span::days(2));
        let careful = Careful::reads_at(&party).await?;
        let rotates = async {
            rotation::rotate(&server.site.env, tenant(&server), false).await?;
            server.learn_of_keys().await
        };
        let asks = async {
            let tokens = (token_of(&party).await?, token_of(&party).await?);
            Ok((careful.takes(&tokens.0) && careful.takes(&tokens.1), tokens.1))
        };
        let ((), (known, token), met) = tokio::try_join!(rotates, asks, curious.takes_a_new_one())?;
        assert!(known && met, "refused in turn {turn}");
        let fresh = token_of(&party).await?;
        assert!(careful.takes(&fresh), "a key signs that was not published before, in turn {turn}");
        let now = Careful::reads_at(&party).await?;
        assert!(
            [&last, &token, &fresh].iter().all(|token| now.takes(token)),
            "gone too soon, in turn {turn}"
        );
        kids.insert(kid(&fresh).to_string());
        last = fresh;
    }
    assert_eq!(kids.len(), 1_000);
    assert!(curious.reads >= 400, "nothing was rotated under its hands: {}", curious.reads);
    // What nobody can need any more is gone.
    let kept = states(&server).await?;
    assert!(kept.len() <= 17, "{} keys", kept.len());
    server.finish().await
}
