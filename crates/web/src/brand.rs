//! How a tenant's pages look. A brand sets tokens of the style sheet and never rules; it comes in a style
//! sheet of its own, because pages carry no inline style.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use vestibule_rules::directory::tenant::{Branding, Tenant};

use crate::colour::{Colour, INK, WHITE};

/// What the frame of a page says about whose page it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Brand {
    pub name: String,
    /// The first letter of the name, in place of a logo.
    pub initial: String,
    pub logo: Option<String>,
    /// The style sheet with the tenant's tokens.
    pub style: Option<String>,
    pub privacy: Option<String>,
    pub terms: Option<String>,
    /// Markdown links only.
    pub text: Option<String>,
    /// Stands as a hint at the address field.
    pub username_hint: Option<String>,
}

/// A logo as it is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logo {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The surface of a dark page, for which accents are made readable.
const DARK_SURFACE: &str = "#171a21";
/// What is behind the card of a dark page; a brand only tints it.
const DARK_BACKDROP: &str = "#07080b";

impl Brand {
    /// The look of pages that belong to no tenant.
    pub fn neutral() -> Self {
        Self::named("Vestibule")
    }

    /// The look of a tenant. `base` is the path of the tenant, such as `/woodgrove`.
    pub fn of(tenant: &Tenant, base: &str) -> Self {
        let look = &tenant.branding;
        let version = version(look);
        Self {
            logo: logo(look).map(|_| format!("{base}/logo?v={version}")),
            style: style_sheet(look).map(|_| format!("{base}/brand.css?v={version}")),
            privacy: look.custom_privacy_and_cookies_url.clone().filter(|u| is_web_address(u)),
            terms: look.custom_terms_of_use_url.clone().filter(|u| is_web_address(u)),
            text: look.sign_in_page_text.clone(),
            username_hint: look.username_hint_text.clone(),
            ..Self::named(&tenant.display_name)
        }
    }

    /// A neutral look with a name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            initial: name
                .chars()
                .find(|c| c.is_alphanumeric())
                .map(|c| c.to_uppercase().collect())
                .unwrap_or_default(),
            logo: None,
            style: None,
            privacy: None,
            terms: None,
            text: None,
            username_hint: None,
        }
    }
}

/// The style sheet with the tenant's tokens; `None` when it sets none.
pub fn style_sheet(look: &Branding) -> Option<String> {
    let accent = look.accent_color.as_deref().and_then(Colour::parse);
    let backdrop = look.background_color.as_deref().and_then(Colour::parse);
    let dark = Colour::parse(DARK_SURFACE).unwrap_or(INK);
    let darkest = Colour::parse(DARK_BACKDROP).unwrap_or(INK);
    let (mut day, mut night) = (String::new(), String::new());
    if let Some(accent) = accent {
        day += &accent_tokens(accent.readable_on(WHITE, INK));
        night += &accent_tokens(accent.readable_on(dark, WHITE));
    }
    if let Some(backdrop) = backdrop {
        day += &backdrop_tokens(backdrop);
        night += &backdrop_tokens(backdrop.mixed(darkest, 0.95));
    }
    if day.is_empty() {
        return None;
    }
    Some(format!("@layer brand{{:root{{{day}}}@media(prefers-color-scheme:dark){{:root{{{night}}}}}}}"))
}

fn accent_tokens(fill: Colour) -> String {
    format!("--accent:{fill};--on-accent:{};--accent-text:{fill};", fill.text_on())
}

fn backdrop_tokens(backdrop: Colour) -> String {
    format!("--backdrop:{backdrop};--on-backdrop:{};", backdrop.text_on())
}

/// The banner logo, if it is a picture.
pub fn logo(look: &Branding) -> Option<Logo> {
    let rest = look.banner_logo.as_deref()?.strip_prefix("data:")?;
    let (kind, data) = rest.split_once(";base64,")?;
    let media_type = match kind {
        "image/png" => "image/png",
        "image/jpeg" => "image/jpeg",
        _ => return None,
    };
    let bytes = STANDARD.decode(data).ok()?;
    Some(Logo { media_type, bytes })
}

/// Changes whenever the look does, so that style and logo may be cached for ever.
fn version(look: &Branding) -> String {
    let mut hasher = DefaultHasher::new();
    (&look.accent_color, &look.background_color, &look.banner_logo).hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_sets_tokens_and_nothing_else() {
        let look = Branding {
            accent_color: Some("#ffcc00".to_owned()),
            background_color: Some("#fff;}*{display:none".to_owned()),
            ..Branding::default()
        };
        let css = style_sheet(&look).unwrap();
        assert!(css.starts_with("@layer brand{:root{--accent:#"), "{css}");
        assert!(!css.contains("display"), "{css}");
        assert!(!css.contains("backdrop"), "{css}");
    }

    #[test]
    fn a_neutral_look_has_no_style_sheet() {
        assert_eq!(style_sheet(&Branding::default()), None);
    }

    #[test]
    fn only_pictures_are_logos() {
        let with = |logo: &str| Branding { banner_logo: Some(logo.to_owned()), ..Branding::default() };
        assert_eq!(logo(&with("data:image/png;base64,AAEC")).unwrap().bytes, [0, 1, 2]);
        for other in [
            "data:image/svg+xml;base64,AAEC",
            "https://a.example/x.png",
            "data:text/html;base64,AAEC",
            "data:image/png;base64,*",
        ] {
            assert_eq!(logo(&with(other)), None, "{other}");
        }
    }
}
