//! The plans: which modules run, under which response type and mode.

use vestibule_rules::fault::Outcome;

use super::party::Variant;
use super::{core, dynamic as registering, logout};

/// A plan, or the part of one that runs under one response type, and its twin of the form post profile: a test for each
/// module, and their number.
macro_rules! plan {
    ($plan:ident, $posting:ident, $response_type:literal, $modules:tt) => {
        plan!(@ $plan, Variant::of($response_type), $modules);
        plan!(@ $posting, Variant::posting($response_type), $modules);
    };
    (@ $plan:ident, $variant:expr, [$($module:ident),+ $(,)?]) => {
        mod $plan {
            use super::{Outcome, Variant, core};

            pub(super) const ENTRIES: usize = [$(stringify!($module)),+].len();

            $(
                #[tokio::test]
                async fn $module() -> Outcome<()> {
                    core::$module($variant).await
                }
            )+
        }
    };
}

/// A plan whose modules know their request by themselves.
macro_rules! fixed {
    ($plan:ident, $of:ident, [$($module:ident),+ $(,)?]) => {
        mod $plan {
            use super::{Outcome, $of};

            pub(super) const ENTRIES: usize = [$(stringify!($module)),+].len();

            $(
                #[tokio::test]
                async fn $module() -> Outcome<()> {
                    $of::$module().await
                }
            )+
        }
    };
}

fixed!(config, core, [oidcc_discovery_endpoint_verification]);

plan!(
    basic,
    form_post_basic,
    "code",
    [
        oidcc_server,
        oidcc_response_type_missing,
        oidcc_userinfo_get,
        oidcc_userinfo_post_header,
        oidcc_userinfo_post_body,
        oidcc_ensure_request_without_nonce_succeeds_for_code_flow,
        oidcc_scope_profile,
        oidcc_scope_email,
        oidcc_scope_address,
        oidcc_scope_phone,
        oidcc_scope_all,
        oidcc_ensure_other_scope_order_succeeds,
        oidcc_display_page,
        oidcc_display_popup,
        oidcc_prompt_login,
        oidcc_prompt_none_not_logged_in,
        oidcc_prompt_none_logged_in,
        oidcc_max_age_1,
        oidcc_max_age_10000,
        oidcc_ensure_request_with_unknown_parameter_succeeds,
        oidcc_id_token_hint,
        oidcc_login_hint,
        oidcc_ui_locales,
        oidcc_claims_locales,
        oidcc_ensure_request_with_acr_values_succeeds,
        oidcc_codereuse,
        oidcc_codereuse_30seconds,
        oidcc_ensure_registered_redirect_uri,
        oidcc_ensure_post_request_succeeds,
        oidcc_server_client_secret_post,
        oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
        oidcc_claims_essential,
        oidcc_ensure_request_object_with_redirect_uri,
        oidcc_refresh_token,
        oidcc_ensure_request_with_valid_pkce_succeeds,
    ]
);

plan!(
    implicit_id_token,
    form_post_implicit_id_token,
    "id_token",
    [
        oidcc_server,
        oidcc_ensure_request_without_nonce_fails,
        oidcc_scope_profile,
        oidcc_scope_email,
        oidcc_scope_address,
        oidcc_scope_phone,
        oidcc_scope_all,
        oidcc_ensure_other_scope_order_succeeds,
        oidcc_display_page,
        oidcc_display_popup,
        oidcc_prompt_login,
        oidcc_prompt_none_not_logged_in,
        oidcc_prompt_none_logged_in,
        oidcc_max_age_1,
        oidcc_max_age_10000,
        oidcc_ensure_request_with_unknown_parameter_succeeds,
        oidcc_id_token_hint,
        oidcc_login_hint,
        oidcc_ui_locales,
        oidcc_claims_locales,
        oidcc_ensure_request_with_acr_values_succeeds,
        oidcc_ensure_registered_redirect_uri,
        oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
        oidcc_claims_essential,
        oidcc_ensure_request_object_with_redirect_uri,
    ]
);

plan!(
    implicit_id_token_token,
    form_post_implicit_id_token_token,
    "id_token token",
    [
        oidcc_server,
        oidcc_ensure_request_without_nonce_fails,
        oidcc_scope_profile,
        oidcc_scope_email,
        oidcc_scope_address,
        oidcc_scope_phone,
        oidcc_scope_all,
        oidcc_ensure_other_scope_order_succeeds,
        oidcc_display_page,
        oidcc_display_popup,
        oidcc_prompt_login,
        oidcc_prompt_none_not_logged_in,
        oidcc_prompt_none_logged_in,
        oidcc_max_age_1,
        oidcc_max_age_10000,
        oidcc_ensure_request_with_unknown_parameter_succeeds,
        oidcc_id_token_hint,
        oidcc_login_hint,
        oidcc_ui_locales,
        oidcc_claims_locales,
        oidcc_ensure_request_with_acr_values_succeeds,
        oidcc_ensure_registered_redirect_uri,
        oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
        oidcc_claims_essential,
        oidcc_ensure_request_object_with_redirect_uri,
        oidcc_userinfo_get,
        oidcc_userinfo_post_header,
        oidcc_userinfo_post_body,
        oidcc_response_type_missing,
    ]
);

plan!(
    hybrid_code_id_token,
    form_post_hybrid_code_id_token,
    "code id_token",
    [
        oidcc_server,
        oidcc_response_type_missing,
        oidcc_userinfo_get,
        oidcc_userinfo_post_header,
        oidcc_userinfo_post_body,
        oidcc_ensure_request_without_nonce_fails,
        oidcc_scope_profile,
        oidcc_scope_email,
        oidcc_scope_address,
        oidcc_scope_phone,
        oidcc_scope_all,
        oidcc_ensure_other_scope_order_succeeds,
        oidcc_display_page,
        oidcc_display_popup,
        oidcc_prompt_login,
        oidcc_prompt_none_not_logged_in,
        oidcc_prompt_none_logged_in,
        oidcc_max_age_1,
        oidcc_max_age_10000,
        oidcc_ensure_request_with_unknown_parameter_succeeds,
        oidcc_id_token_hint,
        oidcc_login_hint,
        oidcc_ui_locales,
        oidcc_claims_locales,
        oidcc_ensure_request_with_acr_values_succeeds,
        oidcc_codereuse,
        oidcc_codereuse_30seconds,
        oidcc_ensure_registered_redirect_uri,
        oidcc_server_client_secret_post,
        oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
        oidcc_claims_essential,
        oidcc_ensure_request_object_with_redirect_uri,
        oidcc_refresh_token,
        oidcc_ensure_request_with_valid_pkce_succeeds,
    ]
);

plan!(
    hybrid_code_token,
    form_post_hybrid_code_token,
    "code token",
    [
        oidcc_server,
        oidcc_userinfo_get,
        oidcc_userinfo_post_header,
        oidcc_userinfo_post_body,
        oidcc_ensure_request_without_nonce_succeeds_for_code_flow,
        oidcc_scope_profile,
        oidcc_scope_email,
        oidcc_scope_address,
        oidcc_scope_phone,
        oidcc_scope_all,
        oidcc_display_page,
        oidcc_display_popup,
        oidcc_prompt_login,
        oidcc_prompt_none_not_logged_in,
        oidcc_prompt_none_logged_in,
        oidcc_max_age_1,
        oidcc_max_age_10000,
        oidcc_ensure_request_with_unknown_parameter_succeeds,
        oidcc_id_token_hint,
        oidcc_login_hint,
        oidcc_ui_locales,
        oidcc_claims_locales,
        oidcc_ensure_request_with_acr_values_succeeds,
        oidcc_codereuse,
        oidcc_codereuse_30seconds,
        oidcc_ensure_registered_redirect_uri,
        oidcc_server_client_secret_post,
        oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
        oidcc_claims_essential,
        oidcc_ensure_request_object_with_redirect_uri,
        oidcc_refresh_token,
    ]
);

plan!(
    hybrid_code_id_token_token,
    form_post_hybrid_code_id_token_token,
    "code id_token token",
    [
        oidcc_server,
        oidcc_userinfo_get,
        oidcc_userinfo_post_header,
        oidcc_userinfo_post_body,
        oidcc_ensure_request_without_nonce_fails,
        oidcc_scope_profile,
        oidcc_scope_email,
        oidcc_scope_address,
        oidcc_scope_phone,
        oidcc_scope_all,
        oidcc_display_page,
        oidcc_display_popup,
        oidcc_prompt_login,
        oidcc_prompt_none_not_logged_in,
        oidcc_prompt_none_logged_in,
        oidcc_max_age_1,
        oidcc_max_age_10000,
        oidcc_ensure_request_with_unknown_parameter_succeeds,
        oidcc_id_token_hint,
        oidcc_login_hint,
        oidcc_ui_locales,
        oidcc_claims_locales,
        oidcc_ensure_request_with_acr_values_succeeds,
        oidcc_codereuse,
        oidcc_codereuse_30seconds,
        oidcc_ensure_registered_redirect_uri,
        oidcc_server_client_secret_post,
        oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
        oidcc_claims_essential,
        oidcc_ensure_request_object_with_redirect_uri,
        oidcc_refresh_token,
    ]
);

fixed!(
    rp_initiated_logout,
    logout,
    [
        oidcc_rp_initiated_logout,
        oidcc_rp_initiated_logout_discovery_endpoint_verification,
        oidcc_rp_initiated_logout_bad_post_logout_redirect_uri,
        oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri,
        oidcc_rp_initiated_logout_modified_id_token_hint,
        oidcc_rp_initiated_logout_bad_id_token_hint,
        oidcc_rp_initiated_logout_no_id_token_hint,
        oidcc_rp_initiated_logout_no_params,
        oidcc_rp_initiated_logout_no_post_logout_redirect_uri,
        oidcc_rp_initiated_logout_only_state,
        oidcc_rp_initiated_logout_no_state,
    ]
);

fixed!(
    backchannel_logout,
    logout,
    [oidcc_backchannel_logout_discovery_endpoint_verification, oidcc_backchannel_rp_initiated_logout,]
);

fixed!(
    frontchannel_logout,
    logout,
    [oidcc_frontchannel_logout_discovery_endpoint_verification, oidcc_frontchannel_rp_initiated_logout,]
);

fixed!(
    session_management,
    logout,
    [oidcc_session_management_discovery_endpoint_verification, oidcc_session_management_rp_initiated_logout,]
);

fixed!(
    dynamic,
    registering,
    [
        oidcc_idtoken_rs256,
        oidcc_idtoken_unsigned,
        oidcc_userinfo_rs256,
        oidcc_ensure_redirect_uri_in_authorization_request,
        oidcc_redirect_uri_query_ok,
        oidcc_redirect_uri_query_mismatch,
        oidcc_redirect_uri_query_added,
        oidcc_redirect_uri_regfrag,
        oidcc_discovery_endpoint_verification,
        oidcc_server,
        oidcc_registration_logo_uri,
        oidcc_registration_policy_uri,
        oidcc_registration_tos_uri,
        oidcc_registration_jwks_uri,
        oidcc_registration_sector_uri,
        oidcc_registration_sector_bad,
        oidcc_server_rotate_keys,
        oidcc_refresh_token_rp_key_rotation,
        oidcc_request_uri_unsigned,
        oidcc_request_uri_signed_rs256,
        oidcc_ensure_request_object_with_redirect_uri,
        oidcc_refresh_token,
        oidcc_ensure_client_assertion_with_iss_aud_succeeds,
    ]
);

fixed!(
    third_party_init_login,
    registering,
    [oidcc_3rd_party_init_login, oidcc_3rd_party_init_login_nonhttps,]
);

#[test]
fn every_entry_of_the_plans_has_its_test() {
    // security.md 1.1, with a static client.
    assert_eq!(config::ENTRIES, 1);
    assert_eq!((basic::ENTRIES, form_post_basic::ENTRIES), (35, 35));
    assert_eq!(implicit_id_token::ENTRIES + implicit_id_token_token::ENTRIES, 54);
    assert_eq!(form_post_implicit_id_token::ENTRIES + form_post_implicit_id_token_token::ENTRIES, 54);
    let hybrid =
        [hybrid_code_id_token::ENTRIES, hybrid_code_token::ENTRIES, hybrid_code_id_token_token::ENTRIES];
    assert_eq!(hybrid.iter().sum::<usize>(), 96);
    let posted = [
        form_post_hybrid_code_id_token::ENTRIES,
        form_post_hybrid_code_token::ENTRIES,
        form_post_hybrid_code_id_token_token::ENTRIES,
    ];
    assert_eq!(posted.iter().sum::<usize>(), 96);
    assert_eq!(rp_initiated_logout::ENTRIES, 11);
    let logouts = [backchannel_logout::ENTRIES, frontchannel_logout::ENTRIES, session_management::ENTRIES];
    assert_eq!(logouts, [2, 2, 2]);
    assert_eq!((dynamic::ENTRIES, third_party_init_login::ENTRIES), (23, 2));
}
