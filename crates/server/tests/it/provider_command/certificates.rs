//! Certificates of providers: trusted or not, for another name, expired, or about to expire.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use regex::Regex;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use time::OffsetDateTime;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_server::config::Certificate;
use vestibule_server::tls;
use vestibule_service::ports::clock::{Clock as _, SystemClock};

use super::{LOOPBACK, Place, checkup};
use crate::federation::kinds::stand_in::{Company, Reply, StandIn};

const OPENID: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: checkup::answer,
};

fn date(days: i64) -> OffsetDateTime {
    let at: Timestamp = SystemClock.now() + Span::days(days);
    OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap()
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Fabrikam's own authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A place whose provider shows a certificate for `name` that is good in these days from now.
async fn place(name: &str, (from, until): (i64, i64), trusted: bool) -> Outcome<Place> {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date(from), date(until));
    let signed = params.signed_by(&key, &authority).unwrap();
    let certificate = Certificate {
        chain: vec![signed.der().clone()],
        key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
    };
    let acceptor = tls::acceptor(certificate).unwrap();
    let provider = StandIn::start_behind(Some(acceptor), OPENID).await?;
    let mut place = Place::at(&provider).await?;
    if trusted {
        let file = place.folder.path().join("authority.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        place.settings.push(format!("outbound.ca_files={}", file.display()));
    }
    place.keep(provider);
    Ok(place)
}

#[tokio::test]
async fn a_good_certificate_is_told_with_the_days_that_it_has_left() -> Outcome<()> {
    let well = place("localhost", (-1, 91), true).await?;
    let found = well.test().await?;
    found.fails_at(&[]);
    found.says("certificate", "ok", "good for 90 more days, until 20");
    found.says("certificate", "ok", "issued by CN=Fabrikam's own authority");
    found.says("endpoints", "ok", "every address is on https");
    well.server.finish().await?;
    let soon = place("localhost", (-80, 10), true).await?;
    let found = soon.test().await?;
    found.fails_at(&[]);
    found.says("certificate", "warning", "should renew it soon");
    soon.server.finish().await
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_says_why() -> Outcome<()> {
    for (name, days, trusted, words) in [
        ("localhost", (-1, 90), false, "the certificate is not trusted: nobody that we know vouches for it"),
        ("login.fabrikam.example", (-1, 90), true, "not for localhost but for"),
        ("localhost", (-90, -2), true, "the certificate expired on 20"),
        ("localhost", (2, 90), true, "in the future; compare this machine's clock"),
    ] {
        let place = place(name, days, trusted).await?;
        let found = place.test().await?;
        found.fails_at(&["certificate"]);
        found.says("certificate", "failed", words);
        found.says("discovery", "notChecked", "not known before the server can be reached");
        place.server.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_endpoint_without_tls_beside_an_issuer_with_it_is_refused() -> Outcome<()> {
    let place = place("localhost", (-1, 90), true).await?;
    let provider = place.provider();
    provider
        .says("discovery", json!({"token_endpoint": provider.base.replace("https:", "http:") + "/token"}));
    let found = place.test().await?;
    found.fails_at(&["endpoints"]);
    found.says("endpoints", "failed", "not on https: token_endpoint");
    assert_eq!(place.settings.first().map(String::as_str), Some(LOOPBACK));
    place.server.finish().await
}

#[tokio::test]
async fn the_guide_shows_what_the_command_prints() -> Outcome<()> {
    let guide = include_str!("../../../../../docs/guides/social-accounts.md");
    let shown = guide.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let place = place("localhost", (-1, 83), true).await?;
    let provider = place.provider();
    provider.answers("/token", Reply::error(401, json!({"error": "invalid_client"})));
    let run = place.run(&["test", "shop", "stranger"], "").await?;
    let printed =
        run.out.replace(&provider.base, "https://login.northwind.example").replace("Fabrikam", "Northwind");
    let printed = printed.replace(&place.server.origin, "https://login.example.com");
    let varies = Regex::new(r"leads to [0-9a-f:., ]+|until [0-9TZ:-]+|at most [a-z0-9 ]+ apart|\s+").unwrap();
    let steady = |text: &str| varies.replace_all(text, "~").into_owned();
    assert_eq!(steady(&printed), steady(shown), "{printed}");
    place.server.finish().await
}
