//! Where `error_uri` leads, and the metadata of clients that know OAuth alone.

use serde_json::Value;
use vestibule_rules::fault::Outcome;
use vestibule_rules::oauth::error;
use vestibule_testkit::server::on_both;

use crate::conformance::party::{Party, Variant};

const FILE: &str = include_str!("../conformance/suite.yaml");

#[tokio::test]
async fn every_number_has_a_page() -> Outcome<()> {
    // R49
    on_both(&[FILE], async |server| {
        let hand = Party::new(server, Variant::of("code")).hand;
        for known in error::all().filter(|known| known.number != 0) {
            let url = format!("{}/error?code={}", server.origin, known.number);
            let page = hand.form(&url).await?.page;
            assert!(page.has(&format!("#meanings[data-number=AADSTS{}]", known.number)), "{url}");
            assert!(page.text("#meanings").unwrap().contains(known.description), "{known:?}");
        }
        for unknown in ["?code=1", "?code=0", "?code=%3Cscript%3E", "?code=99999999999999", "?code=", ""] {
            let answered = hand.get(&format!("{}/error{unknown}", server.origin)).await?;
            assert_eq!(answered.status, 404, "{unknown}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_metadata_stands_also_where_oauth_looks_for_it() -> Outcome<()> {
    // RFC 8414 §3.1: behind the host, in front of the issuer's path.
    on_both(&[FILE], async |server| {
        let party = Party::new(server, Variant::of("code"));
        let (issuer, origin) = (party.metadata().await?["issuer"].clone(), &server.origin);
        let path = issuer.as_str().unwrap().strip_prefix(origin.as_str()).unwrap();
        let url = format!("{origin}/.well-known/oauth-authorization-server{path}");
        let document: Value = serde_json::from_str(&party.hand.get(&url).await?.body).unwrap();
        assert_eq!(document["issuer"], issuer);
        let known = format!("{origin}{path}/.well-known/openid-configuration");
        assert_eq!(document, serde_json::from_str::<Value>(&party.hand.get(&known).await?.body).unwrap());
        let nobody = format!("{origin}/.well-known/oauth-authorization-server/nobody/v2.0");
        assert_eq!(party.hand.get(&nobody).await?.status, 400);
        Ok(())
    })
    .await
}
