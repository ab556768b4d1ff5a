//! Proofs of possession (RFC 9449): whether a request shows one, whether it is good, and that it is good once.
//!
//! The nonces that clients put into proofs are made of the time and a key that every node derives alike, so none is
//! stored and each is good on all nodes. One lasts for [`BUCKET`] and is taken for one more.

use vestibule_crypto::constant_time;
use vestibule_crypto::digest::{base64url, hmac_parts};
use vestibule_crypto::dpop::shown::{Request, Shown, verify};
use vestibule_rules::fault::Outcome;
use vestibule_rules::oauth::dpop;
use vestibule_rules::oauth::error;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::proofs;

use crate::env::Site;
use crate::token::Refusal;
use crate::visit::Visit;

/// How long one nonce is given out.
const BUCKET: Span = Span::minutes(5);

/// What a request shows of a key, and the request that it has to be shown for.
#[derive(Clone, Debug, Default)]
pub struct Possession {
    /// Every `DPoP` header; what is no text is empty.
    pub proofs: Vec<String>,
    pub method: String,
    /// The address as the client sees it.
    pub url: String,
}

/// What is demanded of a proof, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demands<'a> {
    /// It must be for this access token.
    pub(crate) access_token: Option<&'a str>,
    /// It must have a nonce of ours. One that it has by itself is checked in any case.
    pub(crate) nonce: bool,
}

/// The thumbprint of the key that a request proves to have; nothing when it shows no proof. A proof that was shown
/// before, on whichever node, is refused (security.md S78).
pub(crate) async fn proven(
    site: &Site,
    visit: &Visit,
    possession: &Possession,
    demands: Demands<'_>,
) -> Result<Option<String>, Refusal> {
    let proof = match possession.proofs.as_slice() {
        [] => return Ok(None),
        [proof] => proof,
        [_, _, ..] => return Err(error::PROOF.into()),
    };
    let request = Request {
        method: &possession.method,
        url: &possession.url,
        access_token: demands.access_token,
        now: visit.now,
    };
    let shown = verify(proof, &request).map_err(|refusal| {
        tracing::debug!(%refusal, correlation = %visit.correlation, "a DPoP proof is refused");
        error::PROOF
    })?;
    match &shown.nonce {
        None if demands.nonce => return Err(error::PROOF_NONCE.into()),
        Some(given) if !is_ours(site, given, visit.now) => return Err(error::PROOF_NONCE.into()),
        None | Some(_) => {}
    }
    if spend(site, visit, &shown, possession).await? {
        Ok(Some(shown.thumbprint))
    } else {
        Err(error::PROOF.into())
    }
}

/// Notes that a proof was shown; `false` when it was before. The key is part of its name, so nobody can use up the
/// names of others.
async fn spend(site: &Site, visit: &Visit, shown: &Shown, possession: &Possession) -> Outcome<bool> {
    let parts = [&shown.thumbprint, &shown.jti, &possession.method, &possession.url];
    let parts = parts.map(String::as_bytes);
    let all: Vec<&[u8]> = std::iter::once(&b"dpop proof"[..]).chain(parts).collect();
    let digest = hmac_parts(&site.env.derived.dpop, &all);
    let (tenant, until) = (visit.tenant_id(), dpop::remembered_until(visit.now));
    site.env
        .db
        .write(move |tx| Box::pin(async move { proofs::insert(tx, tenant, &digest, until).await }))
        .await
}

/// The nonce of the moment, for the header `DPoP-Nonce`.
pub fn nonce(site: &Site, now: Timestamp) -> String {
    of_bucket(site, bucket(now))
}

fn is_ours(site: &Site, given: &str, now: Timestamp) -> bool {
    // The one before is still on its way, and another node's clock may be a moment ahead.
    [-1, 0, 1].into_iter().any(|off| constant_time::eq_str(given, &of_bucket(site, bucket(now) + off)))
}

const fn bucket(now: Timestamp) -> i64 {
    now.seconds().div_euclid(BUCKET.as_seconds())
}

fn of_bucket(site: &Site, bucket: i64) -> String {
    base64url(&hmac_parts(&site.env.derived.dpop, &[b"dpop nonce", &bucket.to_be_bytes()]))
}
