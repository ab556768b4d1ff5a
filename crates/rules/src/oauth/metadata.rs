//! The discovery document (OpenID Connect Discovery 1.0, native-auth-and-msal.md 4.1). It tells what is true
//! now: nothing is listed that an endpoint would refuse.

use serde_json::{Value, json};

/// The algorithms of DPoP proofs (RFC 9449 §5.1).
pub const DPOP_ALGORITHMS: [&str; 9] =
    ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// The document for the path that was asked, such as `https://host/contoso/b2c_1_x`. Endpoints echo the
/// path (native-auth-and-msal.md 2.3); the issuer is one and the same under every name of the tenant (R5).
///
/// `device_authorization_endpoint` stands here because clients expect the member (R1); until the device
/// grant is built it answers with an OAuth error, and the grant is not among the supported ones.
pub fn document(base: &str, issuer: &str) -> Value {
    let oauth = format!("{base}/oauth2/v2.0");
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{oauth}/authorize"),
        "token_endpoint": format!("{oauth}/token"),
        "device_authorization_endpoint": format!("{oauth}/devicecode"),
        "pushed_authorization_request_endpoint": format!("{oauth}/par"),
        "end_session_endpoint": format!("{oauth}/logout"),
        "userinfo_endpoint": format!("{base}/openid/userinfo"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "prompt_values_supported": ["none", "login", "consent", "select_account", "create"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": DPOP_ALGORITHMS,
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nbf", "auth_time", "nonce", "sid", "oid", "tid", "uti", "ver",
            "idp", "name", "preferred_username", "login_hint", "email", "email_verified", "given_name",
            "family_name",
        ],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_pushed_authorization_requests": false,
        "http_logout_supported": false,
        "frontchannel_logout_supported": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_echo_the_path_and_the_issuer_does_not() {
        // R1, R4, R5, R6
        let document = document("https://h:8443/Contoso/b2c_1_x", "https://h:8443/guid/v2.0");
        assert_eq!(document["issuer"], "https://h:8443/guid/v2.0");
        for (name, path) in [
            ("authorization_endpoint", "oauth2/v2.0/authorize"),
            ("token_endpoint", "oauth2/v2.0/token"),
            ("pushed_authorization_request_endpoint", "oauth2/v2.0/par"),
            ("end_session_endpoint", "oauth2/v2.0/logout"),
            ("device_authorization_endpoint", "oauth2/v2.0/devicecode"),
            ("jwks_uri", "discovery/v2.0/keys"),
        ] {
            assert_eq!(document[name], format!("https://h:8443/Contoso/b2c_1_x/{path}"));
        }
        assert!(
            document["userinfo_endpoint"].as_str().unwrap().starts_with("https://h:8443/Contoso/b2c_1_x/")
        );
    }
}
