//! `oidcc-client-basic-certification-test-plan`: a code that comes back in the address.

use vestibule_rules::fault::Outcome;

use super::Mode::Query;
use super::demands;

#[tokio::test]
async fn oidcc_client_test() -> Outcome<()> {
    demands::happy_path(Query).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_iss() -> Outcome<()> {
    demands::invalid_iss(Query).await
}

#[tokio::test]
async fn oidcc_client_test_missing_sub() -> Outcome<()> {
    demands::missing_sub(Query).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_aud() -> Outcome<()> {
    demands::invalid_aud(Query).await
}

#[tokio::test]
async fn oidcc_client_test_missing_iat() -> Outcome<()> {
    demands::missing_iat(Query).await
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() -> Outcome<()> {
    demands::kid_absent_single_jwks(Query).await
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() -> Outcome<()> {
    demands::kid_absent_multiple_jwks(Query).await
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_rs256() -> Outcome<()> {
    demands::idtoken_sig_rs256(Query).await
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() -> Outcome<()> {
    demands::idtoken_sig_none(Query).await
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_rs256() -> Outcome<()> {
    demands::invalid_sig_rs256(Query).await
}

#[tokio::test]
async fn oidcc_client_test_userinfo_invalid_sub() -> Outcome<()> {
    demands::userinfo_invalid_sub(Query).await
}

#[tokio::test]
async fn oidcc_client_test_nonce_invalid() -> Outcome<()> {
    demands::nonce_invalid(Query).await
}

#[tokio::test]
async fn oidcc_client_test_scope_userinfo_claims() -> Outcome<()> {
    demands::scope_userinfo_claims(Query).await
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() -> Outcome<()> {
    demands::client_secret_basic(Query).await
}
