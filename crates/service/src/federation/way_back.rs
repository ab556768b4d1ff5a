//! A response that a provider posts (OAuth 2.0 Form Post Response Mode). The browser sends it without our
//! cookies, as the post began at another site, so it is carried over to a request of the browser's own. On that
//! way it is in an address, and sealed: codes and names do not get into anybody's history or log.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::{Url, form_urlencoded};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::Message;

use super::Upstream;
use crate::env::Site;
use crate::hop::{Hop, To};
use crate::visit::Visit;

/// The parameter that carries a posted response.
const SEALED: &str = "response";
/// More is no response that a provider sends, and no address that a browser takes.
const LONGEST: usize = 4 * 1024;

/// Leads a posted response to where the browser shows its cookies.
pub fn carry(site: &Site, visit: &Visit, provider: &str, posted: &[(String, String)]) -> Outcome<Hop> {
    // Whether it is switched on is looked at where it comes back.
    let upstream = Upstream::known(site, visit, provider)?;
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(posted).finish();
    if text.len() > LONGEST {
        return Err(foreign());
    }
    let sealed = site.env.sealing.seal(&context(upstream), text.as_bytes())?;
    let mut url = Url::parse(&upstream.redirect_uri())
        .map_err(|e| Fault::ours(format!("our own address cannot be read: {e}")))?;
    url.query_pairs_mut().append_pair(SEALED, &URL_SAFE_NO_PAD.encode(sealed));
    Ok(Hop::to(To::Own(url)))
}

/// The response that was posted, if this request carries one.
pub(super) fn open(upstream: Upstream<'_>, params: &Params) -> Outcome<Option<Params>> {
    let Some(sealed) = params.hint(SEALED) else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| foreign())?;
    let plain = upstream.site.env.sealing.open(&context(upstream), &bytes).map_err(|_| foreign())?;
    Ok(Some(Params::new(form_urlencoded::parse(&plain).into_owned().collect())))
}

fn context(Upstream { visit, provider, .. }: Upstream<'_>) -> String {
    format!("federation response|{}|{}", visit.tenant_id(), provider.id.key())
}

fn foreign() -> Fault {
    Fault::malformed("response", "the response is not one that a provider posted")
        .hint(Message::new("fault-federation"))
}
