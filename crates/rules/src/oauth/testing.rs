//! What the tests of this module share.

use crate::directory::application::{
    Api, Application, PasswordCredential, PermissionScope, RedirectUris, ServicePrincipal, Web,
};
use crate::directory::client;
use crate::directory::user::{User, UserType};
use crate::ids::{ClientId, ObjectId, UserId};
use crate::time::Timestamp;

/// An application with one address on each platform, and an API.
pub(super) fn application() -> Application<PasswordCredential> {
    let uris = |list: &[&str]| list.iter().map(|uri| (*uri).to_owned()).collect();
    let scope = |value: &str, is_enabled| PermissionScope {
        value: value.to_owned(),
        is_enabled,
        ..PermissionScope::default()
    };
    Application {
        id: ObjectId::from_random([1; 16]),
        app_id: ClientId::from_random([2; 16]),
        display_name: "App".to_owned(),
        web: Web { redirect_uris: uris(&["https://app.example/cb"]), ..Web::default() },
        spa: RedirectUris { redirect_uris: uris(&["https://spa.example/"]) },
        public_client: RedirectUris {
            redirect_uris: uris(&["http://localhost", "com.example.app:/callback"]),
        },
        is_fallback_public_client: false,
        password_credentials: Vec::new(),
        key_credentials: Vec::new(),
        identifier_uris: uris(&["api://orders"]),
        api: Api {
            oauth2_permission_scopes: vec![
                scope("orders.read", true),
                scope("orders.write", true),
                scope("orders.old", false),
            ],
        },
        app_roles: Vec::new(),
        token_claims: Vec::new(),
        settings: client::Settings::default(),
        service_principal: ServicePrincipal { id: ObjectId::from_random([3; 16]), account_enabled: true },
        built_in: false,
        registered: None,
    }
}

/// A client with one redirect address of the platform.
pub(super) fn only(
    platform: crate::directory::application::Platform,
    uri: &str,
) -> Application<PasswordCredential> {
    use crate::directory::application::Platform;
    let mut app = application();
    let list = vec![uri.to_owned()];
    app.web.redirect_uris.clear();
    app.spa.redirect_uris.clear();
    app.public_client.redirect_uris.clear();
    match platform {
        Platform::Web => app.web.redirect_uris = list,
        Platform::Spa => app.spa.redirect_uris = list,
        Platform::PublicClient => app.public_client.redirect_uris = list,
    }
    app
}

/// Somebody with an account and nothing else.
pub(super) fn user() -> User {
    User {
        id: UserId::from_random([7; 16]),
        user_type: UserType::Member,
        creation_type: None,
        external_user_state: None,
        account_enabled: true,
        user_principal_name: "7@t.onmicrosoft.com".to_owned(),
        display_name: None,
        mail: None,
        identities: Vec::new(),
        attributes: std::collections::BTreeMap::new(),
        created_at: Timestamp::default(),
        sessions_valid_from: Timestamp::default(),
        deleted_at: None,
        revision: 0,
    }
}
