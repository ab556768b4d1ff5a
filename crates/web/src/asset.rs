//! Style sheet, scripts and icon: served as they are, under names that carry a fingerprint and never change,
//! compressed once at start.

use std::collections::BTreeMap;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use vestibule_rules::fault::{Fault, Outcome};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// One file, ready to be sent.
#[derive(Clone, Debug)]
pub struct Asset {
    pub media_type: &'static str,
    pub plain: Bytes,
    pub gzip: Bytes,
}

/// All files by the name under which they are served.
#[derive(Debug)]
pub struct Assets {
    served: BTreeMap<String, Asset>,
    /// The name in a template → the path in a page.
    paths: BTreeMap<String, String>,
}

impl Assets {
    /// Reads, fingerprints and compresses the files that are part of the program.
    pub fn load() -> Outcome<Self> {
        let mut assets = Self { served: BTreeMap::new(), paths: BTreeMap::new() };
        for name in Files::iter() {
            let file = Files::get(&name).ok_or_else(|| Fault::ours(format!("{name} is gone")))?;
            let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
            let served = format!("{stem}.{}.{extension}", fingerprint(&file.metadata.sha256_hash()));
            let plain = Bytes::from(file.data.into_owned());
            let gzip = compress(&plain)?;
            assets.paths.insert(name.to_string(), format!("/assets/{served}"));
            assets.served.insert(served, Asset { media_type: media_type(extension), plain, gzip });
        }
        Ok(assets)
    }

    /// The path of a file for pages.
    pub fn path(&self, name: &str) -> Option<&str> {
        self.paths.get(name).map(String::as_str)
    }

    /// The file that is served under this name.
    pub fn find(&self, served: &str) -> Option<&Asset> {
        self.served.get(served)
    }
}

/// Enough of a digest that two versions of a file never meet.
fn fingerprint(digest: &[u8; 32]) -> String {
    digest.iter().take(6).fold(String::new(), |mut print, byte| {
        for nibble in [byte >> 4, byte & 15] {
            print.extend(char::from_digit(nibble.into(), 16));
        }
        print
    })
}

/// gzip at its strongest: this runs once for each file.
pub fn compress(plain: &[u8]) -> Outcome<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .map(Bytes::from)
        .map_err(|e| Fault::ours(format!("gzip: {e}")))
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_is_below_eight_kilobytes() {
        let assets = Assets::load().unwrap();
        let path = assets.path("page.css").unwrap().strip_prefix("/assets/").unwrap();
        let css = assets.find(path).unwrap();
        assert!(css.gzip.len() < 8 * 1024, "{}", css.gzip.len());
        assert_eq!(css.media_type, "text/css; charset=utf-8");
    }

    #[test]
    fn a_name_without_its_fingerprint_is_not_served() {
        let assets = Assets::load().unwrap();
        assert!(assets.find("page.css").is_none());
        assert!(assets.path("../Cargo.toml").is_none());
    }
}
