//! What a request demands of whoever answers it (OpenID Connect Core 5.5.1 and 5.5.1.1).

use serde_json::{Value, json};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::server::on_both;

use crate::conformance::party::{Answer, Party, Seen, Variant};
use crate::conformance::suite::sign_up;

const FILE: &str = include_str!("../conformance/suite.yaml");

fn id_token(demands: &Value) -> String {
    json!({ "id_token": demands }).to_string()
}

async fn silent(party: &Party<'_>, demands: &Value) -> Outcome<Answer> {
    match party.ask(&[("prompt", "none"), ("claims", &id_token(demands))]).await? {
        Seen::App(answer) => Ok(answer),
        Seen::Page(form) => Err(form.page.unexpected("was shown without being allowed")),
    }
}

/// What the client is told when its request brought up a page and somebody signed in there.
async fn loud(party: &Party<'_>, demands: &Value) -> Outcome<Answer> {
    let first = party.ask(&[("claims", &id_token(demands))]).await?;
    party.signs_in(first).await
}

#[tokio::test]
async fn nobody_answers_for_the_person_whom_a_request_demands() -> Outcome<()> {
    // S22
    on_both(&[FILE], async |server| {
        sign_up(server).await?;
        let party = Party::new(server, Variant::of("code"));
        let sub = party.good(&[]).await?.id["sub"].clone();
        let own = json!({"sub": {"value": sub}});
        assert!(silent(&party, &own).await?.get("code").is_some());
        assert!(silent(&party, &json!({"sub": {"values": ["x", sub]}})).await?.get("code").is_some());
        let Seen::App(_) = party.ask(&[("claims", &id_token(&own))]).await? else {
            return Err(Fault::ours("the person is here and was asked"));
        };
        let other = json!({"sub": {"value": "somebody else"}});
        assert_eq!(silent(&party, &other).await?.get("error"), Some("login_required"));
        // Whoever signs in then is still not the one that is meant.
        let answer = loud(&party, &other).await?;
        assert_eq!(answer.get("error"), Some("unmet_authentication_requirements"));
        assert!(answer.get("state").is_some() && answer.get("code").is_none());
        // A name of the wrong form is no demand that could be met by anybody.
        let nameless = silent(&party, &json!({"sub": {"value": 7}})).await?;
        assert_eq!(nameless.get("error"), Some("invalid_request"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_essential_acr_is_met_or_nothing_is_given() -> Outcome<()> {
    on_both(&[FILE], async |server| {
        sign_up(server).await?;
        let party = Party::new(server, Variant::of("code"));
        // Ann has a password, which is `2`.
        assert_eq!(party.good(&[]).await?.id["acr"], "2");
        let essential = |values: &[&str]| json!({"acr": {"essential": true, "values": values}});
        assert!(silent(&party, &essential(&["9", "2"])).await?.get("code").is_some());
        assert_eq!(silent(&party, &essential(&["1"])).await?.get("error"), Some("login_required"));
        let unmet = Some("unmet_authentication_requirements");
        assert_eq!(loud(&party, &essential(&["1"])).await?.get("error"), unmet);
        assert_eq!(silent(&party, &essential(&["9"])).await?.get("error"), unmet);
        let Seen::App(answer) = party.ask(&[("claims", &id_token(&essential(&["urn:x"])))]).await? else {
            return Err(Fault::ours("somebody was asked for what cannot be"));
        };
        assert_eq!(answer.get("error"), unmet);
        // What is not essential is a wish, and so is `acr_values`.
        assert!(silent(&party, &json!({"acr": {"value": "9"}})).await?.get("code").is_some());
        let Seen::App(answer) = party.ask(&[("prompt", "none"), ("acr_values", "9 1")]).await? else {
            return Err(Fault::ours("a page was shown"));
        };
        assert!(answer.get("code").is_some());
        Ok(())
    })
    .await
}
