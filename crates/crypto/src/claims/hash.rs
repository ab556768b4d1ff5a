//! `at_hash`, `c_hash` and their like: what came beside an id_token was issued with it.

use serde_json::{Map, Value};

use crate::constant_time;
use crate::digest::half_hash_for;
use crate::jwk::Algorithm;
use crate::jws::Refusal;

/// Checks the claim `name` against the token or code that it is of. `algorithm` is the one that the id_token
/// was signed with (OpenID Connect Core 3.1.3.6 for `at_hash`, 3.3.2.11 for `c_hash`). A claim that is not
/// there says nothing: the code flow leaves it out freely, and whoever needs it asks for it.
pub fn check_hash(
    claims: &Map<String, Value>,
    name: &str,
    token: &str,
    algorithm: Algorithm,
) -> Result<(), Refusal> {
    let Some(claim) = claims.get(name) else { return Ok(()) };
    let good =
        claim.as_str().is_some_and(|hash| constant_time::eq_str(hash, &half_hash_for(algorithm, token)));
    if good { Ok(()) } else { Err(Refusal::WrongHash) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

    fn check(claim: Value, algorithm: Algorithm) -> Result<(), Refusal> {
        check_hash(&Map::from_iter([("at_hash".to_owned(), claim)]), "at_hash", TOKEN, algorithm)
    }

    #[test]
    fn the_hash_agrees_with_the_example_of_openid_connect_core_a_3() {
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
            assert_eq!(check(json!("77QmUPtjPfzWtF2AnpK9RQ"), algorithm), Ok(()));
        }
        for algorithm in
            [Algorithm::Rs384, Algorithm::Ps384, Algorithm::Es384, Algorithm::Rs512, Algorithm::EdDsa]
        {
            assert_eq!(check(json!("77QmUPtjPfzWtF2AnpK9RQ"), algorithm), Err(Refusal::WrongHash));
        }
    }

    #[test]
    fn longer_hashes_have_longer_halves() {
        // `printf %s TOKEN | openssl dgst -sha384 -binary | head -c24 | basenc --base64url`, and with sha512.
        let (sha384, sha512) =
            ("jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs", "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM");
        for algorithm in [Algorithm::Rs384, Algorithm::Ps384, Algorithm::Es384] {
            assert_eq!(check(json!(sha384), algorithm), Ok(()));
        }
        for algorithm in [Algorithm::Rs512, Algorithm::Ps512, Algorithm::EdDsa] {
            assert_eq!(check(json!(sha512), algorithm), Ok(()));
        }
    }

    #[test]
    fn absent_is_good_and_anything_else_is_not() {
        assert_eq!(check_hash(&Map::new(), "at_hash", TOKEN, Algorithm::Rs256), Ok(()));
        for claim in [
            json!(null),
            json!(""),
            json!(1),
            json!(["77QmUPtjPfzWtF2AnpK9RQ"]),
            json!("77QmUPtjPfzWtF2AnpK9RQ="),
        ] {
            assert_eq!(check(claim.clone(), Algorithm::Rs256), Err(Refusal::WrongHash), "{claim}");
        }
        let claims = Map::from_iter([("c_hash".to_owned(), json!("LDktKdoQak3Pk0cnXxCltA"))]);
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(check_hash(&claims, "c_hash", code, Algorithm::Rs256), Ok(()));
        assert_eq!(check_hash(&claims, "at_hash", "other", Algorithm::Rs256), Ok(()));
    }

    proptest! {
        #[test]
        fn a_hash_is_of_one_token(token in ".*", other in ".*", algorithm in 0usize..9) {
            let algorithm = Algorithm::ALL[algorithm];
            let claims = Map::from_iter([("at_hash".to_owned(), json!(half_hash_for(algorithm, &token)))]);
            prop_assert_eq!(check_hash(&claims, "at_hash", &token, algorithm), Ok(()));
            prop_assert_eq!(check_hash(&claims, "at_hash", &other, algorithm).is_ok(), token == other);
        }
    }
}
