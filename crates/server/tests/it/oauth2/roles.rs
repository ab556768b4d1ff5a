//! What an application may do in another one.

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::server::secret;
use vestibule_testkit::{Engine, TestServer};

use super::world::{Asks, CERT, EITHER, World, certified, sign, thumbprint};
use vestibule_crypto::jwk::Algorithm;

#[tokio::test]
async fn roles_are_those_of_the_configuration_and_no_request_adds_one() -> Outcome<()> {
    // S66, S69, C60
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let own = secret("secrets/old");
    let proof = [("client_id", EITHER), ("client_secret", own.expose().as_str())];
    let claims = server.credentials(&proof, &[]).await?.claims();
    assert!(claims.get("roles").is_none() && claims.get("scp").is_none());
    assert_eq!((&claims["azpacr"], &claims["idtyp"]), (&json!("1"), &json!("app")));
    assert_ne!(claims["sub"], json!(EITHER));
    let assertion = || {
        let claims = World::claims(&server, CERT, json!({}));
        sign(&certified(), Algorithm::Rs256, json!({"x5t": thumbprint("x5t")}), &claims)
    };
    let typed = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    for scope in [
        "api://orders/Orders.Write",
        "api://orders/.default api://orders/Orders.Write",
        "api://orders/.default openid",
        "Orders.Write",
        "openid",
        "",
    ] {
        let token = assertion();
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("roles", "Orders.Write"),
            typed,
            ("client_assertion", token.as_str()),
        ];
        let answer = server.ask(&server.address("token"), &form, &[]).await?;
        assert_eq!(answer.status, 400, "{scope}: {:?}", answer.body);
    }
    let claims = server.asserting(&assertion()).await?.claims();
    assert_eq!(claims["roles"], json!(["Orders.Read"]));
    server.finish().await
}
