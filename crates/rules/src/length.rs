//! Lengths of time as people write them: `30s`, `10m`, `24h`, `90d`.

/// The length in seconds; `None` when `text` is anything else.
pub fn parse(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        assert_eq!(parse("30s"), Some(30));
        assert_eq!(parse("90d"), Some(90 * 86_400));
        for bad in ["", "30", "s", "-5m", "0h", "1w", "9223372036854775807d"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
