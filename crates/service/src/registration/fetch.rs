//! What a registration points at: the list of a sector's addresses, and a logo.

use std::time::Duration;

use url::Url;
use vestibule_crypto::digest::{base64url, sha256};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::oauth::registration::is_of_sector;
use vestibule_store::registered_clients::LogoRow;

use crate::env::Site;
use crate::ports::outbound::{OutboundRequest, Whose};

const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_LIST: usize = 64 * 1024;
/// As for the logo of a tenant (sign-up.md 6.1).
const LARGEST_LOGO: usize = 50 * 1024;

/// Whether the owner of the sector lists every address.
pub(super) async fn check_sector(site: &Site, uri: &str, redirect_uris: &[String]) -> Result<(), OAuthError> {
    let document = body(site, uri, LONGEST_LIST).await.ok_or(error::METADATA_SECTOR)?;
    if is_of_sector(&document, redirect_uris) { Ok(()) } else { Err(error::METADATA_SECTOR) }
}

/// A picture and its digest. It is kept and served by this server, so that pages load nothing from elsewhere, nobody is
/// watched by it, and it stays what it was.
pub(super) async fn logo(site: &Site, uri: &str) -> Result<(String, LogoRow), OAuthError> {
    let bytes = body(site, uri, LARGEST_LOGO).await.ok_or(error::METADATA_LOGO)?;
    let media_type = picture(&bytes).ok_or(error::METADATA_LOGO)?;
    let digest = base64url(&sha256(&bytes));
    Ok((digest, LogoRow { media_type: media_type.to_owned(), bytes }))
}

/// By what it is, not by what its server calls it; pictures that can hold scripts are none.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else {
        None
    }
}

/// Whatever goes wrong is the same to whoever registers: it tells nothing about what stands where (security.md U21).
async fn body(site: &Site, uri: &str, most: usize) -> Option<Vec<u8>> {
    let url = Url::parse(uri).ok()?;
    let request = OutboundRequest::get(url).chosen_by(Whose::Stranger).at_most(most).within(TIMEOUT);
    match site.env.outbound.send(request).await {
        Ok(response) if response.is_success() => Some(response.body),
        Ok(response) => {
            tracing::info!(status = response.status, "what a registration points at cannot be had");
            None
        }
        Err(fault) => {
            tracing::info!(%fault, "what a registration points at cannot be had");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::picture;

    #[test]
    fn a_logo_is_a_picture_and_no_document() {
        assert_eq!(picture(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(picture(b"\xff\xd8\xff\xe0rest"), Some("image/jpeg"));
        for other in [&b"<svg onload=alert(1)>"[..], b"GIF89a", b"<html>", b"\x89PNG", b""] {
            assert_eq!(picture(other), None);
        }
    }
}
