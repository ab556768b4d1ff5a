//! Devices that somebody lets in by a code (RFC 8628, security.md S92).

use futures_util::future::join_all;
use serde_json::{Value, json};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_store::users;
use vestibule_testkit::{TestServer, server};

use super::app::{Call, Prover};
use crate::client::claims;
use crate::journeys::passage::{Answered, Form, Hand, SHOP, TILL};
use crate::journeys::passage::{disable, people, recorded, tenant};

const TENANT: &str = include_str!("counter.yaml");
const TELEVISION: &str = "66666666-6666-4666-8666-666666666666";
const SCALE: &str = "77777777-7777-4777-8777-777777777777";
const RADIO: &str = "88888888-8888-4888-8888-888888888888";
const KITCHEN: &str = "99999999-9999-4999-8999-999999999999";
const MSAL: &str = "device_code";
const URN: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE: &str = "openid profile offline_access";
const ADA: &str = "ada@northwind.example";
const PASSWORD: &str = "seven green lanterns in the fog";

/// Fields of a request, and the error with its number that they get.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, u32);

/// A device without a browser.
struct Device {
    hand: Hand,
    origin: String,
    app: &'static str,
    /// The code that it keeps for itself.
    kept: String,
    /// The code that it shows.
    user_code: String,
}

async fn call(hand: &Hand, url: &str, fields: &[(&str, &str)]) -> Outcome<(u16, Value)> {
    let answered = hand.post(url, fields).await?;
    let body = serde_json::from_str(&answered.body);
    Ok((answered.status, body.map_err(|error| Fault::ours(format!("{error}: {}", answered.body)))?))
}

fn endpoint(server: &TestServer, name: &str) -> String {
    format!("{}/{SHOP}/oauth2/v2.0/{name}", server.origin)
}

impl Device {
    async fn ask(server: &TestServer, app: &'static str) -> Outcome<Self> {
        let hand = Hand::new(server);
        let fields = [("client_id", app), ("scope", SCOPE)];
        let (status, body) = call(&hand, &endpoint(server, "devicecode"), &fields).await?;
        assert_eq!(status, 200, "{body}");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let (kept, user_code) = (text("device_code"), text("user_code"));
        Ok(Self { hand, origin: server.origin.clone(), app, kept, user_code })
    }

    async fn token(&self, grant: &str, more: &[(&str, &str)]) -> Outcome<(u16, Value)> {
        let mut fields = vec![("grant_type", grant), ("client_id", self.app)];
        fields.extend(more);
        call(&self.hand, &format!("{}/{SHOP}/oauth2/v2.0/token", self.origin), &fields).await
    }

    /// What the device is told: the error, or nothing when it has its tokens.
    async fn poll(&self, grant: &str) -> Outcome<String> {
        let (_, body) = self.token(grant, &[("device_code", &self.kept)]).await?;
        Ok(body["error"].as_str().unwrap_or_default().to_owned())
    }

    async fn redeem(&self) -> Outcome<(u16, Value)> {
        self.token(MSAL, &[("device_code", &self.kept), ("client_info", "1")]).await
    }
}

/// Types a code and says where that leads.
async fn enter(server: &TestServer, hand: &Hand, code: &str) -> Outcome<Answered> {
    let form = hand.form(&format!("{}/{SHOP}/device", server.origin)).await?;
    hand.answer(&form, &[("user_code", code)]).await
}

/// Types a code and shows the page that comes next.
async fn type_code(server: &TestServer, hand: &Hand, code: &str) -> Outcome<Form> {
    let answered = enter(server, hand, code).await?;
    let to = answered.location.ok_or_else(|| Fault::ours(format!("stays: {}", answered.body)))?;
    hand.form(to.as_str()).await
}

/// A browser in which Ada has signed up.
async fn ada(server: &TestServer) -> Outcome<Hand> {
    let hand = Hand::new(server);
    let stay = hand.almost_customer(server, (ADA, PASSWORD)).await?;
    hand.answer(&stay, &[("action", "no")]).await?.at_app()?;
    Ok(hand)
}

async fn sign_out(server: &TestServer, hand: &Hand, id_token: &str) -> Outcome<u16> {
    let url = format!("{}?id_token_hint={id_token}", endpoint(server, "logout"));
    Ok(hand.get(&url).await?.status)
}

#[tokio::test]
async fn a_device_is_let_in_by_whoever_signs_in_elsewhere_and_agrees() -> Outcome<()> {
    // R23, S92
    server::on_nodes(&[TENANT], async |server| {
        ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        assert_eq!(device.user_code.len(), 9);
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        server.clock.advance(Span::minutes(3));

        let hand = Hand::new(server);
        let typed = device.user_code.to_lowercase().replace('-', "");
        let form = type_code(server, &hand, &typed).await?;
        let form = hand.next(&form, &[("username", ADA)]).await?;
        let form = hand.next(&form, &[("password", PASSWORD)]).await?;
        let form = hand.next(&form, &[("action", "no")]).await?;
        let said = form.page.text("main").unwrap();
        for part in ["Television", "127.0.0.1", "3 minutes ago", ADA, "started this yourself"] {
            assert!(said.contains(part), "{said}");
        }
        // Signing in alone lets nothing in.
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        let done = hand.next(&form, &[("action", "continue")]).await?;
        assert!(done.page.text("h1").unwrap().contains("Go back to your device"));
        assert_eq!(recorded(server, SHOP, "deviceSignIn").await?.len(), 1);

        let (status, tokens) = device.redeem().await?;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!((tokens["token_type"].as_str(), tokens["scope"].as_str()), (Some("Bearer"), Some(SCOPE)));
        assert!(tokens["client_info"].is_string());
        let said = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(
            (said["aud"].as_str(), said["preferred_username"].as_str()),
            (Some(TELEVISION), Some(ADA))
        );
        assert!(said.get("nonce").is_none());
        let userinfo = format!("{}/{SHOP}/openid/userinfo", server.origin);
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(hand.bearing(&userinfo, access).await?.0, 200);

        let refresh = tokens["refresh_token"].as_str().unwrap();
        let again = [("refresh_token", refresh)];
        let (status, next) = device.token("refresh_token", &again).await?;
        assert_eq!(status, 200, "{next}");
        // What the device got ends with the session in which it was let in.
        assert_eq!(sign_out(server, &hand, tokens["id_token"].as_str().unwrap()).await?, 200);
        let again = [("refresh_token", next["refresh_token"].as_str().unwrap())];
        assert_eq!(device.token("refresh_token", &again).await?.0, 400);
        assert_eq!(hand.bearing(&userinfo, access).await?.0, 401);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_device_gets_is_what_it_shows() -> Outcome<()> {
    // R32: MSAL for Python asks with both names of the code and without a scope.
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let fields = [("client_id", TELEVISION), ("scope", SCOPE)];
        let (_, body) = call(&hand, &endpoint(server, "devicecode"), &fields).await?;
        let code = body["user_code"].as_str().unwrap();
        let address = format!("{}/{SHOP}/device", server.origin);
        assert_eq!(body["verification_uri"], address);
        assert_eq!(body["verification_uri_complete"], format!("{address}?user_code={code}"));
        assert_eq!((body["expires_in"].as_i64(), body["interval"].as_i64()), (Some(900), Some(5)));
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(&address) && message.contains(code), "{message}");

        let form = type_code(server, &hand, code).await?;
        hand.answer(&form, &[("action", "continue")]).await?;
        let secret = body["device_code"].as_str().unwrap();
        let fields =
            [("grant_type", URN), ("client_id", TELEVISION), ("code", secret), ("device_code", secret)];
        let (status, tokens) = call(&hand, &endpoint(server, "token"), &fields).await?;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["scope"], SCOPE);
        let document = format!("{}/{SHOP}/v2.0/.well-known/openid-configuration", server.origin);
        let document: Value = serde_json::from_str(&hand.get(&document).await?.body).unwrap();
        assert!(document["grant_types_supported"].as_array().unwrap().contains(&URN.into()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_link_with_a_code_lets_nobody_in_by_itself() -> Outcome<()> {
    // S92, A45, S88: a stranger sends the link of their own device to somebody who is signed in.
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        let url = format!("{}/{SHOP}/device?user_code={}", server.origin, device.user_code);
        let form = hand.form(&url).await?;
        assert_eq!(form.page.attribute("#user_code", "value").as_deref(), Some(device.user_code.as_str()));
        let address = format!("{}/{SHOP}/device", server.origin);
        let fields = [("user_code", device.user_code.as_str()), ("csrf", form.csrf.as_str())];
        assert_eq!(hand.post_across(&address, &fields).await?.status, 403);
        assert_eq!(hand.post(&address, &[("user_code", &device.user_code)]).await?.status, 403);
        let forged = Form { csrf: "c3Jm".to_owned(), ..form };
        assert_eq!(hand.answer(&forged, &[("user_code", &device.user_code)]).await?.status, 403);
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");

        let form = type_code(server, &hand, &device.user_code).await?;
        assert_eq!(hand.post(&form.url, &[("action", "continue")]).await?.status, 403);
        let fields = [("action", "continue"), ("csrf", form.csrf.as_str())];
        assert_eq!(hand.post_across(&form.url, &fields).await?.status, 403);
        // Another browser has no part in it, whoever is signed in there.
        let other = Hand::new(server);
        assert_eq!(other.get(&form.url).await?.status, 404);
        assert_eq!(other.answer(&form, &[("action", "continue")]).await?.status, 404);
        assert_eq!(hand.answer(&form, &[("action", "other")]).await?.status, 400);
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        // The browser that typed it last has it.
        enter(server, &other, &device.user_code).await?;
        assert_eq!(hand.answer(&form, &[("action", "continue")]).await?.status, 404);
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_a_served_app_that_may_use_the_grant_gets_a_code() -> Outcome<()> {
    // C60, C63, S66
    server::on_nodes(&[TENANT], async |server| {
        let hand = Hand::new(server);
        let url = endpoint(server, "devicecode");
        let secret = vestibule_testkit::server::secret("secrets/app");
        let secret = ("client_secret", secret.expose().as_str());
        let id = |app: &'static str| ("client_id", app);
        let cases: [Case<'_>; 8] = [
            (&[id(RADIO)], "access_denied", 500_208),
            (&[id(TILL), secret], "unauthorized_client", 70_002),
            (&[id(KITCHEN)], "invalid_client", 7_000_218),
            (&[id(KITCHEN), ("client_secret", "guess")], "invalid_client", 7_000_215),
            (&[id(TELEVISION), secret], "invalid_client", 700_025),
            (&[id(TELEVISION), ("scope", "api://till/everything")], "invalid_scope", 70_011),
            (&[id("nobody")], "unauthorized_client", 700_016),
            (&[id(TELEVISION), id(SCALE)], "invalid_request", 9_002_313),
        ];
        for (fields, error, number) in cases {
            let (status, body) = call(&hand, &url, fields).await?;
            assert!((400..=403).contains(&status), "{fields:?}: {status}");
            assert_eq!(
                (body["error"].as_str(), body["error_codes"][0].as_u64()),
                (Some(error), Some(number.into()))
            );
        }
        let (status, body) = call(&hand, &url, &[id(KITCHEN), secret]).await?;
        assert_eq!(status, 200, "{body}");
        // A confidential client proves itself when it asks, too.
        let poll = [("grant_type", URN), id(KITCHEN), ("device_code", body["device_code"].as_str().unwrap())];
        assert_eq!(call(&hand, &endpoint(server, "token"), &poll).await?.1["error"], "invalid_client");
        let poll = [poll[0], poll[1], poll[2], secret];
        assert_eq!(call(&hand, &endpoint(server, "token"), &poll).await?.1["error"], "authorization_pending");

        // What an administrator changes meanwhile counts.
        let hand = ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        let form = type_code(server, &hand, &device.user_code).await?;
        let unserved = TENANT.replace("Counter, Television, Scale", "Counter, Scale");
        server.apply(&[&unserved]).await?;
        assert_eq!(hand.answer(&form, &[("action", "continue")]).await?.status, 403);
        assert_eq!(enter(server, &hand, &device.user_code).await?.status, 403);
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_device_that_asks_too_often_waits_longer_each_time() -> Outcome<()> {
    // S92, R23: MSAL for Node gives up when it is told so, and never is.
    server::on_nodes(&[TENANT], async |server| {
        let device = Device::ask(server, TELEVISION).await?;
        for _ in 0..3 {
            assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        }
        let waits = [
            (0, "authorization_pending"),
            (1, "slow_down"),
            (5, "slow_down"),
            (14, "authorization_pending"),
            (15, "authorization_pending"),
            (2, "slow_down"),
            (20, "authorization_pending"),
        ];
        for (seconds, told) in waits {
            server.clock.advance(Span::seconds(seconds));
            assert_eq!(device.poll(URN).await?, told, "after {seconds} seconds");
        }
        assert_eq!(device.poll(MSAL).await?, "authorization_pending");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_device_code_is_good_for_one_client_once() -> Outcome<()> {
    // S60, S92
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        let form = type_code(server, &hand, &device.user_code).await?;
        hand.answer(&form, &[("action", "continue")]).await?;
        // A second click, and a late change of mind, change nothing.
        for action in ["continue", "cancel"] {
            let again = hand.answer(&form, &[("action", action)]).await?;
            assert_eq!(again.location.map(String::from).as_deref(), Some(form.url.as_str()));
        }
        assert_eq!(recorded(server, SHOP, "deviceSignIn").await?.len(), 1);
        // It is no code to type any more.
        assert!(enter(server, &hand, &device.user_code).await?.body.contains("device-code-wrong"));

        let code = device.kept.as_str();
        let (short, long) = (&code[..code.len() - 1], format!("{code}a"));
        let (folded, padded) = (code.to_uppercase(), format!("{code}\0"));
        for wrong in [short, &long, &folded, &device.user_code] {
            let (status, body) = device.token(MSAL, &[("device_code", wrong)]).await?;
            assert_eq!((status, body["error"].as_str()), (400, Some("bad_verification_code")), "{wrong}");
            assert_eq!(body["error_codes"][0], 70_018);
        }
        assert_eq!(device.token(MSAL, &[("device_code", &padded)]).await?.1["error"], "invalid_request");
        assert_eq!(device.token(MSAL, &[]).await?.1["error_codes"][0], 900_144);
        let thief = Device { hand: Hand::new(server), app: SCALE, ..Device::ask(server, SCALE).await? };
        let stolen = [("device_code", code)];
        assert_eq!(thief.token(URN, &stolen).await?.1["error"], "bad_verification_code");
        let more = [("device_code", code), ("scope", "openid api://till/sell")];
        assert_eq!(device.token(MSAL, &more).await?.1["error"], "invalid_scope");

        let all = join_all((0..64).map(|_| device.redeem())).await;
        let all = all.into_iter().collect::<Outcome<Vec<_>>>()?;
        let won: Vec<_> = all.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(won.len(), 1);
        // Somebody else had the code: what it was good for is dead.
        let refresh = won[0].1["refresh_token"].as_str().unwrap();
        assert_eq!(device.token("refresh_token", &[("refresh_token", refresh)]).await?.0, 400);
        assert_eq!(device.poll(MSAL).await?, "invalid_grant");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_device_learns_that_it_is_not_let_in() -> Outcome<()> {
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        let form = type_code(server, &hand, &device.user_code).await?;
        let over = hand.next(&form, &[("action", "cancel")]).await?;
        assert!(over.page.text("h1").unwrap().contains("not let in"));
        hand.answer(&form, &[("action", "continue")]).await?;
        assert_eq!(device.poll(URN).await?, "authorization_declined");
        // Whoever cancels on the way to signing in has declined as well.
        let device = Device::ask(server, TELEVISION).await?;
        let stranger = Hand::new(server);
        let form = type_code(server, &stranger, &device.user_code).await?;
        let over = stranger.next(&form, &[("action", "cancel")]).await?;
        assert!(over.page.text("h1").unwrap().contains("not let in"));
        assert_eq!(stranger.get(&form.url).await?.status, 302);
        assert_eq!(device.poll(MSAL).await?, "authorization_declined");

        let device = Device::ask(server, TELEVISION).await?;
        let form = type_code(server, &hand, &device.user_code).await?;
        let switched = hand.next(&form, &[("action", "switch")]).await?;
        assert!(!switched.asks().is_empty());
        server.clock.advance(Span::minutes(15));
        let late = hand.next(&form, &[("action", "continue")]).await?;
        assert!(late.page.text("h1").unwrap().contains("expired"));
        assert_eq!(device.poll(MSAL).await?, "expired_token");
        assert!(enter(server, &hand, &device.user_code).await?.body.contains("device-code-wrong"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_who_is_gone_lets_a_device_in() -> Outcome<()> {
    // C9, C10, C15, S87
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let approved = async || {
            let device = Device::ask(server, TELEVISION).await?;
            let form = type_code(server, &hand, &device.user_code).await?;
            hand.answer(&form, &[("action", "continue")]).await?;
            Ok::<_, Fault>(device)
        };
        let first = approved().await?;
        let (_, tokens) = first.redeem().await?;
        let (unspent, waiting) = (approved().await?, Device::ask(server, TELEVISION).await?);
        let form = type_code(server, &hand, &waiting.user_code).await?;
        disable(server, SHOP, ADA).await?;
        let (status, body) = unspent.redeem().await?;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")));
        assert_eq!(body["error_codes"][0], 50_057);
        let refresh = [("refresh_token", tokens["refresh_token"].as_str().unwrap())];
        assert_eq!(first.token("refresh_token", &refresh).await?.0, 400);
        // The session is dead, so nobody agrees in it.
        let page = hand.next(&form, &[("action", "continue")]).await?;
        assert!(page.page.text("h1").unwrap().contains("signed out"));
        assert_eq!(waiting.poll(MSAL).await?, "authorization_pending");

        let (id, user) = (tenant(server, SHOP), people(server, SHOP, ADA).await?.remove(0));
        let now = server.site.env.now();
        let db = &server.site.env.db;
        db.write(move |tx| Box::pin(async move { users::remove(tx, id, user.id, now).await })).await?;
        assert_eq!(unspent.redeem().await?.1["error"], "invalid_grant");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn signing_out_takes_back_what_a_device_has_not_fetched_yet() -> Outcome<()> {
    // C10
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        let form = type_code(server, &hand, &device.user_code).await?;
        hand.answer(&form, &[("action", "continue")]).await?;
        let back = hand.authorize(SHOP, TILL, &[]).await?.at_app()?;
        let (_, tokens) = hand.redeem(SHOP, TILL, &back).await?;
        assert_eq!(sign_out(server, &hand, tokens["id_token"].as_str().unwrap()).await?, 200);
        let (status, body) = device.redeem().await?;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn codes_cannot_be_guessed() -> Outcome<()> {
    // S92, R50
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let device = Device::ask(server, TELEVISION).await?;
        // What cannot be a code is no guess, and neither is a right one.
        for typed in ["", "12345678", "AEIOUAEI", "BCDF"] {
            assert!(enter(server, &hand, typed).await?.body.contains("device-code-"));
        }
        for _ in 0..3 {
            assert_eq!(enter(server, &hand, &device.user_code).await?.status, 303);
        }
        let guesses = join_all((0..20).map(|_| enter(server, &hand, "BBBB-BBBB"))).await;
        let guesses = guesses.into_iter().collect::<Outcome<Vec<_>>>()?;
        assert_eq!(guesses.iter().filter(|guess| guess.status == 429).count(), 10);
        // Now the right one is not looked at either, in any browser of the same source.
        let other = Hand::new(server);
        assert_eq!(enter(server, &other, &device.user_code).await?.status, 429);
        server.clock.advance(Span::hours(1));
        let device = Device::ask(server, TELEVISION).await?;
        assert_eq!(enter(server, &other, &device.user_code).await?.status, 303);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_device_names_its_api_and_binds_what_it_gets_to_its_key() -> Outcome<()> {
    // S79, S80
    server::on_nodes(&[TENANT], async |server| {
        let hand = ada(server).await?;
        let fields =
            [("client_id", TELEVISION), ("scope", "offline_access sell"), ("resource", "api://till")];
        let (status, body) = call(&hand, &endpoint(server, "devicecode"), &fields).await?;
        assert_eq!(status, 200, "{body}");
        let form = type_code(server, &hand, body["user_code"].as_str().unwrap()).await?;
        hand.next(&form, &[("action", "continue")]).await?;

        let (prover, url) = (Prover::new(), endpoint(server, "token"));
        let shows = |call: &Call, said: &Value| {
            call.clone().with("dpop", &prover.proof(server, ("POST", &url), said))
        };
        let code = body["device_code"].as_str().unwrap();
        let asks = [("grant_type", URN), ("client_id", TELEVISION), ("device_code", code)];
        let asks = Call::default().and(&asks);
        let first = shows(&asks, &json!({})).post(&url).await?;
        assert_eq!(first.refusal(), (400, "use_dpop_nonce"));
        let nonce = json!({"nonce": first.header("dpop-nonce").unwrap()});
        let tokens = shows(&asks, &nonce).post(&url).await?;
        assert_eq!((tokens.status, tokens.text("token_type")), (200, "DPoP"), "{}", tokens.body);
        let said = claims(tokens.text("access_token"));
        assert_eq!((said["aud"].as_str(), said["scp"].as_str()), (Some(TILL), Some("sell")));
        assert_eq!(said["cnf"]["jkt"], prover.thumbprint());

        let again = [
            ("grant_type", "refresh_token"),
            ("client_id", TELEVISION),
            ("refresh_token", tokens.text("refresh_token")),
        ];
        let again = Call::default().and(&again);
        assert_eq!(again.post(&url).await?.refusal(), (400, "invalid_grant"));
        let renewed = shows(&again, &nonce).post(&url).await?;
        assert_eq!((renewed.status, renewed.text("token_type")), (200, "DPoP"), "{}", renewed.body);
        Ok(())
    })
    .await
}
