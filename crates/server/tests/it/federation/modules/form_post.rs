//! `oidcc-client-formpost-basic-certification-test-plan`: the same modules, and the code is posted.

use vestibule_rules::fault::Outcome;

use super::Mode::FormPost;
use super::demands;

#[tokio::test]
async fn oidcc_client_test() -> Outcome<()> {
    demands::happy_path(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_iss() -> Outcome<()> {
    demands::invalid_iss(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_missing_sub() -> Outcome<()> {
    demands::missing_sub(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_aud() -> Outcome<()> {
    demands::invalid_aud(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_missing_iat() -> Outcome<()> {
    demands::missing_iat(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() -> Outcome<()> {
    demands::kid_absent_single_jwks(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() -> Outcome<()> {
    demands::kid_absent_multiple_jwks(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_rs256() -> Outcome<()> {
    demands::idtoken_sig_rs256(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() -> Outcome<()> {
    demands::idtoken_sig_none(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_rs256() -> Outcome<()> {
    demands::invalid_sig_rs256(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_userinfo_invalid_sub() -> Outcome<()> {
    demands::userinfo_invalid_sub(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_nonce_invalid() -> Outcome<()> {
    demands::nonce_invalid(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_scope_userinfo_claims() -> Outcome<()> {
    demands::scope_userinfo_claims(FormPost).await
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() -> Outcome<()> {
    demands::client_secret_basic(FormPost).await
}
