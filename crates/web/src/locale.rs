//! Which language a page is in: what the app asked for (`ui_locales`), else what the browser prefers.

use crate::message::{Catalogue, FALLBACK};

/// Most language ranges that are looked at in one request.
const MOST: usize = 20;

/// The best locale of the catalogue. `wanted` is space separated, best first; `accepted` is an
/// `Accept-Language` header.
pub fn choose<'a>(catalogue: &'a Catalogue, wanted: Option<&str>, accepted: Option<&str>) -> &'a str {
    for range in self::wanted(wanted, accepted) {
        if let Some(found) = catalogue.locales().find(|l| matches(&range, l)) {
            return found;
        }
    }
    FALLBACK
}

/// Everything that the visitor would read, best first.
pub fn wanted(wanted: Option<&str>, accepted: Option<&str>) -> Vec<String> {
    let wanted = wanted.unwrap_or_default().split_whitespace().take(MOST).map(str::to_owned);
    wanted.chain(ranked(accepted.unwrap_or_default())).collect()
}

/// The direction in which the locale is written.
pub fn direction(locale: &str) -> &'static str {
    match locale.split('-').next() {
        Some("ar" | "fa" | "he" | "ur") => "rtl",
        Some(_) | None => "ltr",
    }
}

/// Language ranges by falling quality (RFC 9110 §12.5.4).
fn ranked(header: &str) -> Vec<String> {
    let mut ranges: Vec<(u16, String)> = header.split(',').take(MOST).filter_map(range).collect();
    ranges.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    ranges.into_iter().map(|(_, range)| range).collect()
}

fn range(part: &str) -> Option<(u16, String)> {
    let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
    let quality = match parameters.trim().strip_prefix("q=") {
        Some(q) => thousandths(q)?,
        None => 1000,
    };
    let range = range.trim();
    (quality > 0 && !range.is_empty() && range != "*").then(|| (quality, range.to_owned()))
}

fn thousandths(q: &str) -> Option<u16> {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    let padded = format!("{fraction:0<3}");
    let fraction: u16 = padded.get(..3)?.parse().ok()?;
    Some(whole.parse::<u16>().ok()?.min(1) * 1000 + fraction)
}

/// Lookup of RFC 4647 §3.4, one step deep: `en-GB` finds `en`.
fn matches(range: &str, locale: &str) -> bool {
    range.eq_ignore_ascii_case(locale)
        || range.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case(locale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_ranked_by_quality() {
        assert_eq!(ranked("fr;q=0.3, de-CH, en;q=0.9, *;q=0.1, it;q=0"), ["de-CH", "en", "fr"]);
        assert_eq!(ranked(";;;,q=,x;q=abc"), ["q="]);
    }

    #[test]
    fn an_unknown_language_falls_back_to_english() {
        let catalogue = Catalogue::load().unwrap();
        assert_eq!(choose(&catalogue, Some("xx en-GB"), None), "en");
        assert_eq!(choose(&catalogue, None, Some("xx;q=1")), "en");
    }
}
