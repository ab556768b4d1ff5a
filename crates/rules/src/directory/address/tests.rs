use super::Address;

fn read(text: &str) -> Option<String> {
    Address::parse(text).ok().map(|a| a.as_string())
}

#[test]
fn an_address_is_written_as_it_was_typed_but_for_the_domain() {
    for (typed, written) in [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace+tag@Example.COM \n", "Ada.Lovelace+tag@example.com"),
        ("user@localhost", "user@localhost"),
        ("user@LOCALHOST", "user@localhost"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@ｅｘａｍｐｌｅ.com", "ada@example.com"),
        ("δοκιμή@παράδειγμα.ελ", "δοκιμή@xn--hxajbheg2az3al.xn--qxam"),
        // NFD and NFC are one spelling.
        ("jose\u{301}@example.com", "josé@example.com"),
    ] {
        assert_eq!(read(typed).as_deref(), Some(written), "{typed:?}");
    }
}

#[test]
fn what_names_no_single_mailbox_is_refused() {
    for text in [
        "",
        " ",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@@example.com",
        "a@b@example.com",
        "a@x.com,b@y.com",
        "a@x.com;b@y.com",
        "a@x.com b@y.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "ada(comment)@example.com",
        "(comment)ada@example.com",
        "ada@example.com(comment)",
        "\"ada\"@example.com",
        "\"a@b\"@example.com",
        "\"a b\"@example.com",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        "ada@127.0.0.1",
        "ada@2130706433",
        "ada@example.com.",
        "ada@.example.com",
        "ada@example..com",
        "ada.@example.com",
        ".ada@example.com",
        "a..da@example.com",
        "ada@example",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exa_mple.com",
        "ada@exam ple.com",
        "a da@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "a\u{0}da@example.com",
        "ada@example.com\u{0}",
        "ada@example.com/x",
        "mailto:ada@example.com",
        "ada%0a@example.com\n.",
        "ada@xn--a.example",
        "ada@example。com。",
    ] {
        assert_eq!(read(text), None, "{text:?}");
    }
}

#[test]
fn what_only_looks_like_another_address_is_refused() {
    for text in [
        "ﬀoo@example.com",
        "ａｄａ@example.com",
        "a\u{200b}da@example.com",
        "ada@exa\u{200b}mple.com",
        "ada@exa\u{ad}mple.com",
        "\u{202e}ada@example.com",
        "ada\u{2066}@example.com",
        "ada\u{feff}@example.com",
        "ada\u{fe0f}@example.com",
        "a\u{e0061}da@example.com",
        "ad\u{aa}@example.com",
        "ada\u{b2}@example.com",
        "x\u{17f}@example.com",
        "\u{3164}@example.com",
    ] {
        assert_eq!(read(text), None, "{text:?}");
    }
}

#[test]
fn addresses_are_compared_without_letter_case_and_nothing_else() {
    let key = |text: &str| Address::parse(text).unwrap().key();
    assert_eq!(key("Mike@EXAMPLE.org"), key("mike@example.org"));
    // The Kelvin sign is K in NFC, so mail goes to the letter K as well.
    assert_eq!(read("mi\u{212a}e@example.org").as_deref(), Some("miKe@example.org"));
    assert_eq!(key("mi\u{212a}e@example.org"), key("mike@example.org"));
    assert_ne!(key("mıke@example.org"), key("mike@example.org"));
    assert_ne!(key("mİke@example.org"), key("mike@example.org"));
    assert_ne!(key("mіke@example.org"), key("mike@example.org"), "the Cyrillic і");
    assert_ne!(key("a.da@example.org"), key("ada@example.org"));
    assert_ne!(key("straße@example.org"), key("strasse@example.org"));
}

#[test]
fn an_address_fits_into_an_envelope() {
    let local = "a".repeat(64);
    let domain = format!("{}.{}.{}.example", "b".repeat(60), "c".repeat(60), "d".repeat(56));
    assert_eq!(read(&format!("{local}@{domain}")).unwrap().len(), 251);
    assert_eq!(read(&format!("a{local}@{domain}")), None);
    assert_eq!(read(&format!("{local}@{}.example", "b".repeat(64))), None);
    assert_eq!(read(&format!("{local}@d{domain}{domain}")), None);
    // The A-label is longer than what was typed.
    assert_eq!(read(&format!("{local}@{}", "ü".repeat(50) + "." + &"ö.".repeat(40) + "example")), None);
}

#[test]
fn a_masked_address_tells_little() {
    let masked = |text: &str| Address::parse(text).unwrap().masked();
    assert_eq!(masked("caesar@contoso.com"), "c***r@c***o.com");
    assert_eq!(masked("ab@x.org"), "a***@x***.org");
    assert_eq!(masked("a@localhost"), "a***@l***t");
}

proptest::proptest! {
    #[test]
    fn reading_what_was_written_changes_nothing(text in "[a-zA-Zéß.+']{1,12}@[a-zü-]{1,9}\\.[a-z]{2,4}") {
        if let Ok(address) = Address::parse(&text) {
            let again = Address::parse(&address.as_string()).unwrap();
            proptest::prop_assert_eq!(again.key(), address.key());
            proptest::prop_assert_eq!(again, address);
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,40}", more in "[@.\"()\\[\\]<> ]{0,5}") {
        for text in [text.clone(), format!("{text}@{more}"), format!("{more}{text}@example.com"), format!("{text} <{more}")] {
            if let Ok(address) = Address::parse(&text) {
                proptest::prop_assert_eq!(address.as_string().matches('@').count(), 1);
            }
        }
    }
}
