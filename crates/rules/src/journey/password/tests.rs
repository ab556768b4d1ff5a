use super::{MAX, judge, normalise};
use crate::directory::tenant::TenantKind;
use crate::journey::flow::{Flow, Method};
use crate::journey::testing::flow;
use crate::text::Secret;

fn external() -> Flow {
    flow(TenantKind::External, &[Method::Password])
}

fn verdict(flow: &Flow, password: &str) -> String {
    let context = ["ada.lovelace@fabrikam.com", "Ada", "Analytical Engines"];
    judge(flow, &Secret::new(password.to_owned()), &context).err().map_or_else(|| "good".to_owned(), |m| m.id)
}

/// Of any length and hard to guess.
fn strong(length: usize) -> String {
    "q7 Zk, vulture 93; plum-kettle! ".chars().cycle().take(length).collect()
}

#[test]
fn length_counts_and_nothing_else_is_prescribed() {
    let strict = Flow { strict: true, ..external() };
    for (length, open, under_strict) in [
        (7, "password-too-short", "password-too-short"),
        (8, "password-too-short", "good"),
        (14, "password-too-short", "good"),
        (15, "good", "good"),
        (64, "good", "good"),
        (128, "good", "good"),
        (MAX, "good", "good"),
        (MAX + 1, "password-too-long", "password-too-long"),
    ] {
        assert_eq!(verdict(&external(), &strong(length)), open, "{length}");
        assert_eq!(verdict(&strict, &strong(length)), under_strict, "{length} under strict");
    }
}

#[test]
fn every_character_may_be_used() {
    for password in [
        "plum kettle outermost",
        "сливовый чайник дальний",
        "梅茶壺最外側青空散歩道楽園水車小屋",
        "🦀 plum 🫖 kettle 🚪 out",
        "nul\u{0}in the middle of it",
    ] {
        assert_eq!(verdict(&external(), password), "good", "{password:?}");
    }
    let emoji: String = "🦀🫖🚪🐘🎻🧭🪁🧵".chars().cycle().take(64).collect();
    assert_eq!(normalise(&Secret::new(emoji.clone())).expose(), &emoji);
}

#[test]
fn both_spellings_of_a_letter_are_one_password() {
    let composed = Secret::new("\u{e9}t\u{e9} au ch\u{e2}teau".to_owned());
    let decomposed = Secret::new("e\u{301}te\u{301} au cha\u{302}teau".to_owned());
    assert_eq!(normalise(&composed), normalise(&decomposed));
    assert_ne!(normalise(&Secret::new("Plum".to_owned())), normalise(&Secret::new("plum".to_owned())));
    assert_ne!(normalise(&Secret::new("\u{fb00}".to_owned())), normalise(&Secret::new("ff".to_owned())));
    assert_ne!(normalise(&Secret::new("a\u{0}b".to_owned())), normalise(&Secret::new("a".to_owned())));
}

#[test]
fn nothing_after_the_seventy_second_character_is_lost() {
    let one = Secret::new(strong(72) + "x");
    let two = Secret::new(strong(72) + "y");
    assert_ne!(normalise(&one), normalise(&two));
}

#[test]
fn what_everybody_would_try_is_refused() {
    let strict = Flow { strict: true, ..external() };
    for password in [
        "password",
        "Password1!",
        "12345678",
        "qwertyuiop",
        "iloveyou",
        "Woodgrove1",
        "vestibule1",
        "Lovelace",
        "fabrikam1",
    ] {
        assert_eq!(verdict(&strict, password), "password-easy", "{password}");
    }
    for password in [
        "aaaaaaaaaaaaaaaa",
        "123456789012345",
        "passwordpassword",
        "ada.lovelace@fabrikam.com",
        "ADA.LOVELACE@fabrikam.com",
        "Analytical Engines",
        "WoodgroveWoodgrove",
    ] {
        assert_eq!(verdict(&external(), password), "password-easy", "{password}");
    }
}
