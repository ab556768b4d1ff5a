//! The discovery document (OpenID Connect Discovery 1.0, native-auth-and-msal.md 4.1). It tells what is true
//! now: nothing is listed that an endpoint would refuse.

use serde_json::{Value, json};

use super::claims::ACR_VALUES;
use super::response_type::ResponseType;
use super::signing::SigningAlgorithm;
use crate::directory::credential::AuthMethod;

/// What client assertions may be signed with. The crypto layer, which verifies them, has a test that these are its own.
pub const ASSERTION_ALGORITHMS: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384",
    "HS512",
];

fn proving() -> Vec<AuthMethod> {
    AuthMethod::ALL.into_iter().filter(|method| *method != AuthMethod::None).collect()
}

fn auth_methods(methods: &[AuthMethod]) -> Vec<&'static str> {
    methods.iter().map(|method| method.as_str()).collect()
}

/// The algorithms of DPoP proofs (RFC 9449 §5.1).
pub const DPOP_ALGORITHMS: [&str; 9] =
    ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// The document for the path that was asked, such as `https://host/contoso/b2c_1_x`. Endpoints echo the
/// path (native-auth-and-msal.md 2.3); the issuer is one and the same under every name of the tenant (R5).
///
/// `signing` are the algorithms that tokens are signed with now and will be next.
pub fn document(base: &str, issuer: &str, signing: &[SigningAlgorithm]) -> Value {
    let oauth = format!("{base}/oauth2/v2.0");
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{oauth}/authorize"),
        "token_endpoint": format!("{oauth}/token"),
        "device_authorization_endpoint": format!("{oauth}/devicecode"),
        "introspection_endpoint": format!("{oauth}/introspect"),
        "revocation_endpoint": format!("{oauth}/revoke"),
        "pushed_authorization_request_endpoint": format!("{oauth}/par"),
        "end_session_endpoint": format!("{oauth}/logout"),
        "userinfo_endpoint": format!("{base}/openid/userinfo"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ResponseType::ALL,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code", "implicit", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
        "subject_types_supported": ["pairwise", "public"],
        "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
        "prompt_values_supported": ["none", "login", "consent", "select_account", "create"],
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": signing,
        "token_endpoint_auth_methods_supported": auth_methods(&AuthMethod::ALL),
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": auth_methods(&AuthMethod::ALL),
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        // Who proves nothing is told nothing.
        "introspection_endpoint_auth_methods_supported": auth_methods(&proving()),
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": DPOP_ALGORITHMS,
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nbf", "auth_time", "nonce", "sid", "oid", "tid", "uti", "ver",
            "idp", "name", "preferred_username", "login_hint", "email", "email_verified", "given_name",
            "family_name", "address", "phone_number", "phone_number_verified", "at_hash", "c_hash", "acr", "amr",
        ],
        "acr_values_supported": ACR_VALUES,
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_pushed_authorization_requests": false,
        "check_session_iframe": format!("{oauth}/checksession"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_echo_the_path_and_the_issuer_does_not() {
        // R1, R4, R5, R6
        let signing = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256];
        let document = document("https://h:8443/Contoso/b2c_1_x", "https://h:8443/guid/v2.0", &signing);
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256", "RS256"]));
        assert_eq!(document["issuer"], "https://h:8443/guid/v2.0");
        for (name, path) in [
            ("authorization_endpoint", "oauth2/v2.0/authorize"),
            ("token_endpoint", "oauth2/v2.0/token"),
            ("pushed_authorization_request_endpoint", "oauth2/v2.0/par"),
            ("end_session_endpoint", "oauth2/v2.0/logout"),
            ("introspection_endpoint", "oauth2/v2.0/introspect"),
            ("revocation_endpoint", "oauth2/v2.0/revoke"),
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
