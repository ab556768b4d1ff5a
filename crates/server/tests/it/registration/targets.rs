//! What an application names is fetched from the public Internet or not at all (security.md U19).

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_service::notices;
use vestibule_testkit::server::on_both;

use super::world::{Applicant, Client, FILE, Forbidden, Host, PICTURE};
use crate::conformance::suite;

#[tokio::test]
async fn nothing_inside_is_reached_by_what_an_application_names() -> Outcome<()> {
    // S91, U19, U21, C43
    on_both(&[FILE], async |server| {
        let (host, inside) = (Host::start().await?, Forbidden::start().await?);
        let redirect = host.leads("/redirect", &format!("http://{}/", inside.at));
        let mut told = Vec::new();
        for uri in [
            format!("https://{}/x", inside.at),
            "https://169.254.169.254/latest/meta-data/".to_owned(),
            "https://[::1]:6443/".to_owned(),
            "https://[::ffff:127.0.0.2]/".to_owned(),
            "https://0x7f000002/".to_owned(),
            "https://2130706434/".to_owned(),
            "https://10.0.0.1/".to_owned(),
            redirect,
        ] {
            for name in ["logo_uri", "sector_identifier_uri"] {
                let answer = Applicant::new(json!({ name: uri })).asks(server).await?;
                assert_eq!(answer.error(), (400, "invalid_client_metadata"), "{name} {uri}");
                let text = answer.text("error_description");
                told.push((name, text.lines().next().unwrap().to_owned()));
            }
        }
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 2, "what went wrong is not told: {told:?}");
        assert_eq!(inside.reached(), 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn keys_and_logout_addresses_of_strangers_lead_nowhere_inside() -> Outcome<()> {
    // S91, U19
    on_both(&[FILE], async |server| {
        suite::sign_up(server).await?;
        let inside = Forbidden::start().await?;
        let more = json!({"jwks": null, "jwks_uri": format!("https://{}/keys", inside.at)});
        let client = Client::registers(server, more).await?;
        let party = client.party(server);
        let answer = party.signs_in(party.ask(&[]).await?).await?;
        let (status, body) = party.redeem_by_key(answer.get("code").unwrap()).await?;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
        assert_eq!(inside.reached(), 0);

        let more = json!({"backchannel_logout_uri": format!("https://{}/logout", inside.at)});
        let party = Client::registers(server, more).await?.party(server);
        let tokens = party.good(&[]).await?;
        let url = party.metadata().await?["end_session_endpoint"].as_str().unwrap().to_owned();
        let url = url::Url::parse_with_params(&url, [("id_token_hint", &tokens.id_token)]).unwrap();
        party.hand.get(url.as_str()).await?;
        while notices::deliver(&server.site).await? {}
        assert_eq!(inside.reached(), 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_logo_is_a_small_picture_and_nothing_else() -> Outcome<()> {
    // S91
    on_both(&[FILE], async |server| {
        let host = Host::start().await?;
        for (path, body) in [
            ("/svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
            ("/html", b"<script>alert(1)</script>".to_vec()),
            ("/big", [PICTURE, &vec![0; 60_000]].concat()),
            ("/empty", Vec::new()),
        ] {
            let logo = host.serves(path, body);
            let told = Applicant::new(json!({"logo_uri": logo})).asks(server).await?;
            assert_eq!(told.error(), (400, "invalid_client_metadata"), "{path}");
        }
        let logo = format!("{}/missing", host.base);
        assert_eq!(Applicant::new(json!({"logo_uri": logo})).asks(server).await?.status, 400);
        Ok(())
    })
    .await
}
