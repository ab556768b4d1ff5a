//! Colours of a brand. An administrator names one accent; whether it can be read on a light and on a dark
//! page is worked out here, so that no choice makes a page unreadable (WCAG 2.2: 4.5:1 for text).

/// A colour in sRGB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// Contrast that text needs.
const READABLE: f64 = 4.5;

/// White.
pub const WHITE: Colour = Colour { red: 255, green: 255, blue: 255 };
/// The darkest text of a page.
pub const INK: Colour = Colour { red: 0x10, green: 0x13, blue: 0x1a };

impl Colour {
    /// Reads `#RRGGBB`; `None` when `text` is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self { red, green, blue })
    }

    /// Black or white, whichever can be read on this colour.
    #[must_use]
    pub fn text_on(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(INK) { WHITE } else { INK }
    }

    /// This colour, as little moved towards `target` as it takes to be read on `ground`.
    #[must_use]
    pub fn readable_on(self, ground: Self, target: Self) -> Self {
        (0..=20)
            .map(|step| self.mixed(target, f64::from(step) / 20.0))
            .find(|c| c.contrast(ground) >= READABLE)
            .unwrap_or(target)
    }

    /// `share` of `other` in this colour.
    #[must_use]
    pub fn mixed(self, other: Self, share: f64) -> Self {
        Self {
            red: blend(self.red, other.red, share),
            green: blend(self.green, other.green, share),
            blue: blend(self.blue, other.blue, share),
        }
    }

    /// The contrast ratio of WCAG 2.2, 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a blend of two bytes is a byte")]
fn blend(a: u8, b: u8, share: f64) -> u8 {
    (f64::from(a) * (1.0 - share) + f64::from(b) * share).round().clamp(0.0, 255.0) as u8
}

fn linear(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accent_can_be_read() {
        let dark = Colour::parse("#171a21").unwrap();
        for text in [
            "#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#808080", "#c0ffee", "#2e7d32",
        ] {
            let colour = Colour::parse(text).unwrap();
            assert!(colour.contrast(colour.text_on()) >= 4.5, "{text}");
            assert!(colour.readable_on(WHITE, INK).contrast(WHITE) >= 4.5, "{text}");
            assert!(colour.readable_on(dark, WHITE).contrast(dark) >= 4.5, "{text}");
        }
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        for text in ["", "#fff", "red", "#12345g", "#1234567", "#+12345", "123456", "#fff;}x{"] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }
}
