//! Signing keys and discovery.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{Expected, Typ, verify};
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::discovery;
use vestibule_service::visit::Segments;
use vestibule_testkit::engines::on_both;

use super::{House, NATIVE, site, tenant};

const RS256: Expected<'_> = Expected { algorithms: &[Algorithm::Rs256], typ: Typ::OneOf(&["JWT"]) };

#[tokio::test]
async fn published_keys_verify_tokens() -> Outcome<()> {
    // R10
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let visit = house.visit(1);
        let published = discovery::keys(&house.site, &visit).await?;
        let document: Value = serde_json::from_slice(&published).unwrap();
        let keys = document["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2);
        for key in keys {
            for member in ["kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"] {
                assert!(key.get(member).is_some(), "{member}");
            }
            assert!(key.get("d").is_none() && key["issuer"] == visit.issuer());
        }
        let tokens = house.tokens(NATIVE, "openid").await?;
        let parsed = VerifyingKey::set(&published)?;
        let now = verify(tokens.id_token.as_deref().unwrap(), &parsed, &RS256).unwrap();
        assert_eq!(now.kid.as_deref(), keys[0]["kid"].as_str());
        // The next key is known to everybody before it signs.
        house.clock.advance(Span::days(90));
        let later = house.tokens(NATIVE, "openid").await?;
        let later = verify(later.id_token.as_deref().unwrap(), &parsed, &RS256).unwrap();
        assert_eq!(later.kid.as_deref(), keys[1]["kid"].as_str());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nodes_that_start_together_agree_on_the_keys() -> Outcome<()> {
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let nodes = [site(&place.db, &house.clock)?, site(&place.db, &house.clock)?];
        let issuer = house.visit(1).issuer();
        let asked =
            nodes.iter().flat_map(|node| (0..4).map(|_| node.keyring.jwks(&node.env, tenant(1), &issuer)));
        let answers = join_all(asked).await.into_iter().collect::<Outcome<Vec<Arc<[u8]>>>>()?;
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        // Another tenant has other keys.
        assert_ne!(nodes[0].keyring.jwks(&nodes[0].env, tenant(2), &issuer).await?, answers[0]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn discovery_echoes_the_segments_and_keeps_the_issuer() -> Outcome<()> {
    // R1, R4, R5, R6
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let mut visit = house.visit(1);
        visit.segments = Segments { tenant: "Contoso".to_owned(), flow: Some("b2c_1_x".to_owned()) };
        let document: Value =
            serde_json::from_slice(&discovery::document(&house.site, &visit).await?).unwrap();
        assert_eq!(document["issuer"], format!("https://localhost:8443/{}/v2.0", tenant(1)));
        assert_eq!(document["token_endpoint"], "https://localhost:8443/Contoso/b2c_1_x/oauth2/v2.0/token");
        Ok(())
    })
    .await
}
