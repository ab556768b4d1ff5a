//! Pairwise subjects: one for each app, the same for ever, and made of something that only the server knows.

use std::collections::BTreeSet;

use vestibule_crypto::digest::{base64url, hmac_sha256, sha256};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::TestServer;
use vestibule_testkit::server::{SecondNode, on_both};

use super::app::{App, HARBOUR, PAGE, WEB, back, harbour, send, signed_in};
use crate::client::claims;
use crate::journeys::passage::Hand;

/// The claims of an ID token that a node gives for a code.
async fn told(server: &TestServer, hand: &Hand, (app, node): (App, &str)) -> Outcome<serde_json::Value> {
    let url = back(hand, &app.address(server, &[("scope", "openid profile")])).await?;
    let tokens = app.redeems(&url).post(&format!("{node}/{HARBOUR}/oauth2/v2.0/token")).await?;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let said = claims(tokens.text("id_token"));
    let userinfo = super::app::client().get(format!("{node}/{HARBOUR}/openid/userinfo"));
    let userinfo = send(userinfo.bearer_auth(tokens.text("access_token"))).await?;
    assert_eq!(userinfo.body["sub"], said["sub"], "{}", userinfo.body);
    Ok(said)
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What somebody without the server's key can make of two ids.
fn guesses(oid: &str, app: &str, tenant: &str) -> BTreeSet<String> {
    let raw = |id: &str| uuid::Uuid::parse_str(id).unwrap().as_bytes().to_vec();
    let forms = |id: &str| [id.as_bytes().to_vec(), id.replace('-', "").into_bytes(), raw(id)];
    let mut all = BTreeSet::new();
    let mut add = |bytes: &[u8]| all.extend([base64url(bytes), hexadecimal(bytes)]);
    for user in forms(oid) {
        add(&user);
        add(&sha256(&user));
        for other in forms(app).into_iter().chain(forms(tenant)) {
            for between in [&b""[..], b":", b"|", b".", b"/", b"\0"] {
                add(&sha256(&[user.as_slice(), between, &other].concat()));
                add(&sha256(&[other.as_slice(), between, &user].concat()));
            }
            add(&hmac_sha256(&user, &other));
            add(&hmac_sha256(&other, &user));
        }
    }
    all
}

#[tokio::test]
async fn an_app_knows_a_person_by_the_same_name_for_ever_and_no_other_app_does() -> Outcome<()> {
    // S71
    on_both(&[&harbour()], async |server| {
        let hand = signed_in(server).await?;
        let web = told(server, &hand, (WEB, &server.origin)).await?;
        let page = told(server, &hand, (PAGE, &server.origin)).await?;
        // It is one person, whom the apps cannot put together by this name.
        assert_eq!(web["oid"], page["oid"]);
        assert_ne!(web["sub"], page["sub"]);
        // A process that has nothing but the key and the database: another node, and the same one after a restart.
        for _ in 0..2 {
            let fresh = SecondNode::beside(server).await?;
            for (app, before) in [(WEB, &web), (PAGE, &page)] {
                assert_eq!(told(server, &hand, (app, &fresh.origin)).await?["sub"], before["sub"]);
            }
            fresh.finish().await?;
        }
        let (oid, tenant) = (web["oid"].as_str().unwrap(), web["tid"].as_str().unwrap());
        for (app, said) in [(WEB, &web), (PAGE, &page)] {
            let sub = said["sub"].as_str().unwrap();
            // 256 bits that none of the ids is in.
            assert_eq!(sub.len(), 43, "{sub}");
            assert!(!guesses(oid, app.id, tenant).contains(sub), "{sub} can be reckoned");
        }
        Ok(())
    })
    .await
}
