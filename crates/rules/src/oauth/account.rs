//! Which of the accounts that are signed in together in one browser a request is for.
//!
//! A hint names an account and never makes another one stand in for it (security.md S22): whoever is hinted at and is
//! not here signs in. Without a hint a request that may show a page asks as soon as there is more than one answer; one
//! that may not (`prompt=none`) gets the account that was used last. MSAL knows no `account_selection_required`: it
//! would fail where it could go on (native-auth-and-msal.md 2.8).

use crate::ids::{SessionId, UserId};

/// Accounts that one browser may have at the same time. One more ends the session that was not used for longest.
pub const MOST: usize = 8;

/// An account that is signed in in the browser.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub user: UserId,
    pub sid: SessionId,
    /// The names by which an application may call it, folded by [`name_key`].
    pub names: &'a [String],
    /// Whether it was chosen or signed in last, and its session stands.
    pub in_use: bool,
}

/// Whom a request means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hinted {
    /// It does not say.
    Anybody,
    User(UserId),
    Session(SessionId),
    /// A name as somebody would type it.
    Name(String),
    /// Somebody whom nobody here is.
    Stranger,
}

/// The account of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    Of(SessionId),
    /// Nobody who is signed in here.
    Nobody,
    /// The person has to say.
    Ask,
}

/// What of a request bears on the choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manner {
    /// `prompt=none`.
    pub silent: bool,
    /// `prompt=select_account`, before which hints count for nothing (native-auth-and-msal.md 2.4).
    pub select: bool,
}

/// Chooses among the accounts of the browser.
pub fn choose(accounts: &[Account<'_>], hinted: &Hinted, manner: Manner) -> Choice {
    if manner.select {
        return if accounts.is_empty() { Choice::Nobody } else { Choice::Ask };
    }
    let is_meant = |account: &&Account<'_>| match hinted {
        Hinted::Anybody | Hinted::Stranger => false,
        Hinted::User(user) => account.user == *user,
        Hinted::Session(sid) => account.sid == *sid,
        Hinted::Name(name) => account.names.contains(&name_key(name)),
    };
    let of = |account: Option<&Account<'_>>| account.map_or(Choice::Nobody, |found| Choice::Of(found.sid));
    if *hinted != Hinted::Anybody {
        let mut meant = accounts.iter().filter(is_meant);
        return match (meant.next(), meant.next()) {
            // Two accounts may have one mail address.
            (Some(_), Some(_)) if !manner.silent => Choice::Ask,
            (Some(_), Some(_)) => of(accounts.iter().filter(is_meant).find(|account| account.in_use)),
            (first, _) => of(first),
        };
    }
    let in_use = accounts.iter().find(|account| account.in_use);
    match (accounts, manner.silent) {
        ([_], false) if in_use.is_some() => of(in_use),
        ([], _) => Choice::Nobody,
        (_, false) => Choice::Ask,
        // Whoever was used last may have been switched off; nobody else takes their place unasked.
        (_, true) => of(in_use),
    }
}

/// The form in which names of accounts are compared.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: Manner = Manner { silent: false, select: false };
    const SILENT: Manner = Manner { silent: true, select: false };
    const SELECT: Manner = Manner { silent: false, select: true };

    fn user(n: u8) -> UserId {
        UserId::from_random([n; 16])
    }

    fn sid(n: u8) -> SessionId {
        SessionId::from_random([n; 16])
    }

    /// What is chosen among accounts with these numbers; the first is in use unless it is 0.
    fn chosen(numbers: &[u8], hinted: &Hinted, manner: Manner) -> Choice {
        let names: Vec<Vec<String>> =
            numbers.iter().map(|n| vec![format!("{n}@a.example"), "both@a.example".to_owned()]).collect();
        let accounts: Vec<Account<'_>> = numbers
            .iter()
            .zip(&names)
            .enumerate()
            .map(|(i, (n, names))| Account { user: user(*n), sid: sid(*n), names, in_use: i == 0 && *n != 0 })
            .collect();
        choose(&accounts, hinted, manner)
    }

    #[test]
    fn a_hint_finds_its_account_and_never_another_one() {
        // S22, R37, R42
        for hinted in
            [Hinted::User(user(2)), Hinted::Session(sid(2)), Hinted::Name(" 2@A.example".to_owned())]
        {
            assert_eq!(chosen(&[1, 2], &hinted, LOUD), Choice::Of(sid(2)), "{hinted:?}");
            assert_eq!(chosen(&[1, 2], &hinted, SILENT), Choice::Of(sid(2)), "{hinted:?}");
            assert_eq!(chosen(&[1, 3], &hinted, LOUD), Choice::Nobody, "{hinted:?}");
            assert_eq!(chosen(&[1], &hinted, SILENT), Choice::Nobody, "{hinted:?}");
        }
        assert_eq!(chosen(&[1], &Hinted::Stranger, LOUD), Choice::Nobody);
    }

    #[test]
    fn without_a_hint_more_than_one_account_is_a_question() {
        assert_eq!(chosen(&[], &Hinted::Anybody, LOUD), Choice::Nobody);
        assert_eq!(chosen(&[1], &Hinted::Anybody, LOUD), Choice::Of(sid(1)));
        assert_eq!(chosen(&[1, 2], &Hinted::Anybody, LOUD), Choice::Ask);
        assert_eq!(chosen(&[1, 2], &Hinted::Anybody, SILENT), Choice::Of(sid(1)));
    }

    #[test]
    fn nobody_takes_the_place_of_an_account_that_was_switched_off() {
        // S87
        assert_eq!(chosen(&[0], &Hinted::Anybody, SILENT), Choice::Nobody);
        assert_eq!(chosen(&[0], &Hinted::Anybody, LOUD), Choice::Ask);
    }

    #[test]
    fn select_account_asks_whatever_is_hinted() {
        // R42
        assert_eq!(chosen(&[1], &Hinted::User(user(1)), SELECT), Choice::Ask);
        assert_eq!(chosen(&[], &Hinted::User(user(1)), SELECT), Choice::Nobody);
    }

    #[test]
    fn a_name_that_two_accounts_share_is_a_question_too() {
        let hinted = Hinted::Name("both@a.example".to_owned());
        assert_eq!(chosen(&[1, 2], &hinted, LOUD), Choice::Ask);
        assert_eq!(chosen(&[1, 2], &hinted, SILENT), Choice::Of(sid(1)));
        assert_eq!(chosen(&[0, 2], &hinted, SILENT), Choice::Nobody);
    }
}
