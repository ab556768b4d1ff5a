//! A development authority: made once, so that a browser or a program can be told to trust it, and good for
//! this machine's own names only, so that trusting it risks nothing else.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use vestibule_rules::time::Timestamp;

use super::files;
use crate::config::Certificate;
use crate::failure::{Done, Failure};

/// The certificate's file, beside demo.json.
pub(super) const CERTIFICATE_FILE: &str = "ca.pem";
const KEY_FILE: &str = "ca-key.pem";
const NAME: &str = "Vestibule demo authority (this machine only)";
const AUTHORITY_FOR: Duration = Duration::days(3650);
/// Leaves are made anew at each start, so none is ever near its end.
const LEAF_FOR: Duration = Duration::days(397);
/// Clocks differ a little between programs.
const SKEW: Duration = Duration::hours(1);

/// What the TLS listener proves itself with, and the authority as PEM.
pub(super) struct Trust {
    pub(super) leaf: Certificate,
    pub(super) authority_pem: String,
}

/// Loads the authority or makes it, and makes a certificate for this machine.
pub(super) fn load_or_create(data: &Path, now: Timestamp) -> Done<Trust> {
    let now = OffsetDateTime::from_unix_timestamp(now.seconds())
        .map_err(|error| Failure::new(error.to_string()))?;
    let (authority_pem, key) = match kept(data)? {
        Some(kept) => kept,
        None => create(data, now)?,
    };
    let leaf = leaf(&Issuer::new(authority(now)?, key), now)?;
    Ok(Trust { leaf, authority_pem })
}

fn kept(data: &Path) -> Done<Option<(String, KeyPair)>> {
    let certificate = files::read(&data.join(CERTIFICATE_FILE))?;
    let key = files::read(&data.join(KEY_FILE))?;
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    Ok(Some((certificate, KeyPair::from_pem(&key).map_err(broken)?)))
}

fn create(data: &Path, now: OffsetDateTime) -> Done<(String, KeyPair)> {
    let key = KeyPair::generate().map_err(broken)?;
    let certificate = authority(now)?.self_signed(&key).map_err(broken)?.pem();
    files::write(&data.join(KEY_FILE), key.serialize_pem().as_bytes())?;
    files::write(&data.join(CERTIFICATE_FILE), certificate.as_bytes())?;
    Ok((certificate, key))
}

fn authority(now: OffsetDateTime) -> Done<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(broken)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    (params.not_before, params.not_after) = (now - SKEW, now + AUTHORITY_FOR);
    Ok(params)
}

fn leaf(issuer: &Issuer<'_, KeyPair>, now: OffsetDateTime) -> Done<Certificate> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).map_err(broken)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (now - SKEW, now + LEAF_FOR);
    let pair = KeyPair::generate().map_err(broken)?;
    let certificate = params.signed_by(&pair, issuer).map_err(broken)?;
    Ok(Certificate {
        chain: vec![CertificateDer::from(certificate.der().to_vec())],
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der())),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(error: rcgen::Error) -> Failure {
    Failure::new(format!("the development certificate cannot be made: {error}"))
}
