//! A provider that is tried by whoever configures it: the whole way there and back, what is told when something is
//! wrong, and all that must not come of it.

use serde_json::{Value, json};
use url::Url;
use vestibule_crypto::digest::sha256;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::federation::{health, overview, trial};
use vestibule_store::told_once;
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::Page;
use vestibule_testkit::server::BEGIN;

use super::apple::APPLE;
use super::facebook::FACEBOOK;
use super::oauth2::OAUTH2;
use super::stand_in::{CODE, Company, Reply, StandIn, TOKEN, secret};
use super::standard::{MAPPED, PUSHED};
use super::{Departure, depart, entrance, sent, with_company};
use crate::journeys::passage::{Answered, GUESTS, Hand, SHOP, people, recorded, tenant};

fn link(server: &TestServer, tenant: &str) -> String {
    trial::link(&server.site, (tenant, "stranger")).unwrap().url
}

/// Presses the button of a link's page.
async fn press(hand: &Hand, link: &str) -> Outcome<Answered> {
    let form = hand.form(link).await?;
    assert_eq!(form.page.status, 200, "{}", form.page.html);
    let token = form.page.attribute("input[name=token]", "value").unwrap();
    let action = Url::parse(link).unwrap().join(&form.page.attribute("form", "action").unwrap()).unwrap();
    hand.post(action.as_str(), &[("csrf", &form.csrf), ("token", &token)]).await
}

/// From the link to the provider.
async fn set_out(server: &TestServer, stand_in: &StandIn) -> Outcome<(Hand, Departure)> {
    let hand = Hand::new(server);
    let answered = press(&hand, &link(server, SHOP)).await?;
    Ok((hand, sent(stand_in, answered)?))
}

/// What a browser came back to: a report, from which nothing follows.
#[track_caller]
fn report(answered: Answered) -> Page {
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(answered.session(), None);
    for hidden in [CODE, TOKEN, secret().expose().as_str()] {
        assert!(!answered.body.contains(hidden), "{hidden} is shown");
    }
    Page { url: Url::parse("http://localhost").unwrap(), status: 200, html: answered.body }
}

/// How a step ended, and what is said of it.
fn step(page: &Page, name: &str) -> (String, String) {
    let selector = format!("li[data-step=trial-{name}]");
    let result = page.attribute(&selector, "data-result").unwrap_or_default();
    (result, page.text(&selector).unwrap_or_default())
}

/// Asserts that only this step failed, and that it says so in these words.
#[track_caller]
fn fails_at(page: &Page, name: &str, words: &str) {
    let (result, text) = step(page, name);
    assert_eq!((result.as_str(), page.count(".trial-failed")), ("failed", 1), "{}", page.html);
    assert!(text.contains(words), "{text}");
    assert!(page.text("h1").unwrap().ends_with("fails"));
    assert!(page.has("#again") && !page.has("#subject"));
}

/// There and back with a provider that does as the test says.
async fn tried(server: &TestServer, stand_in: &StandIn) -> Outcome<Page> {
    let (hand, departure) = set_out(server, stand_in).await?;
    Ok(report(departure.return_with_code(&hand).await?))
}

/// Nobody came in and nobody is new.
async fn nobody(server: &TestServer) -> Outcome<()> {
    for tenant in [GUESTS, SHOP] {
        for act in ["signIn", "signUp", "userCreate"] {
            assert!(recorded(server, tenant, act).await?.is_empty(), "{act}");
        }
        assert!(people(server, tenant, "a@fabrikam.example").await?.is_empty());
    }
    Ok(())
}

async fn the_whole_way(company: Company, steps: &[&str], subject: &str) -> Outcome<()> {
    with_company(company, async |server, stand_in| {
        let (hand, departure) = set_out(server, stand_in).await?;
        let user = json!({"name": {"firstName": "Ada", "lastName": "Lovelace"}}).to_string();
        let answered = departure.back(&hand, &[("code", CODE), ("user", &user)]).await?;
        assert!(answered.set_cookies.iter().any(|c| c.contains("-trial-") && c.contains("Max-Age=0")));
        let page = report(answered);
        for name in steps {
            assert_eq!(step(&page, name).0, "ok", "{name}: {}", page.html);
        }
        assert_eq!(page.count(".trial-failed"), 0, "{}", page.html);
        assert!(page.text("h1").unwrap().ends_with("works"));
        assert_eq!(page.text("#subject").as_deref(), Some(subject));
        assert!(page.text("main").unwrap().contains("Lovelace"), "{}", page.html);
        // Nothing is stored: no word about the person, no name that is told once, not even how the provider fares.
        health::save(&server.site, true).await?;
        let stored = String::from_utf8_lossy(&server.dump().await?).into_owned();
        assert!(!stored.contains(subject) && !stored.contains("Lovelace"), "a trial left something behind");
        let mut tx = server.site.env.db.read().await?;
        let digest = sha256(format!("stranger {subject}").as_bytes());
        let told = told_once::find(&mut tx, tenant(server, SHOP), &digest, BEGIN).await?;
        drop(tx);
        assert!(told.is_none());
        let listed = overview::list(&server.site.env.db, None, BEGIN).await?;
        assert!(listed.iter().all(|provider| provider.health.is_none()));
        nobody(server).await
    })
    .await
}

#[tokio::test]
async fn the_whole_way_by_openid_connect_is_told_and_leaves_nothing() -> Outcome<()> {
    let steps = ["discovery", "answer", "token", "id-token", "identity", "flows"];
    the_whole_way(MAPPED, &steps, "24400320").await
}

#[tokio::test]
async fn the_whole_way_with_a_pushed_request_is_told_and_leaves_nothing() -> Outcome<()> {
    the_whole_way(PUSHED, &["discovery", "answer", "token", "id-token", "identity"], "24400320").await
}

#[tokio::test]
async fn the_whole_way_by_oauth_is_told_and_leaves_nothing() -> Outcome<()> {
    the_whole_way(OAUTH2, &["answer", "token", "user-info", "identity", "flows"], "4711082615937").await?;
    let steps = ["answer", "token", "user-info", "token-check", "identity"];
    the_whole_way(FACEBOOK, &steps, "10153421512345678").await
}

#[tokio::test]
async fn the_whole_way_with_a_posted_answer_is_told_and_leaves_nothing() -> Outcome<()> {
    // Not even the name that Apple tells once.
    let steps = ["discovery", "answer", "token", "id-token", "identity"];
    the_whole_way(APPLE, &steps, "001473.fe6f3b5fd4ba4d3ea0d1d2b2c1a2b3c4.1144").await
}

#[tokio::test]
async fn an_attribute_is_told_with_its_value_and_its_reason() -> Outcome<()> {
    // IDP-OIDC-02
    with_company(OAUTH2, async |server, stand_in| {
        stand_in.says("account", json!({"last": "<b>Lovelace</b>", "home": null}));
        let page = tried(server, stand_in).await?;
        let text = page.text("main").unwrap();
        assert!(text.contains("Ada <b>Lovelace</b>") && !page.html.contains("<b>Love"), "{}", page.html);
        assert!(text.contains("From account.first, account.last of the user info endpoint."), "{text}");
        assert!(text.contains("Kept by “Customers”."), "{text}");
        assert!(text.contains("Not there: account.home.city.") && text.contains("“Customers” asks for it."));
        assert!(step(&page, "identity").1.contains("a@fabrikam.example is believed"));
        stand_in.says("account", json!({"mail": null}));
        let page = tried(server, stand_in).await?;
        let (result, text) = step(&page, "identity");
        assert!(result == "warning" && text.contains("asked for is “profile:read”"), "{text}");
        nobody(server).await
    })
    .await
}

#[tokio::test]
async fn what_a_token_endpoint_refuses_is_told_in_words() -> Outcome<()> {
    with_company(MAPPED, async |server, stand_in| {
        let leak = format!("Wrong: {} and {CODE}.", secret().expose());
        let said = json!({"error": "invalid_client", "error_description": leak});
        for (reply, words) in [
            (Reply::error(401, said), "The client id or the secret is wrong, or the secret expired."),
            (
                Reply::error(401, Value::Null),
                "the provider may want clientAuthentication: client_secret_basic",
            ),
            (Reply::oauth_error("invalid_grant"), "The provider does not take the code."),
            (Reply::oauth_error("redirect_uri_mismatch"), "Register http://localhost:"),
            (Reply::oauth_error("unauthorized_client"), "Register it as a web application"),
            (Reply::oauth_error("of_its_own"), "Not what was expected."),
            (Reply::error(503, Value::Null), "The provider's server answered 503."),
            (Reply::error(404, Value::Null), "it answered 404"),
            (Reply::ok(json!({"access_token": TOKEN})), "openid must be in scope"),
        ] {
            stand_in.answers("/token", reply);
            let page = tried(server, stand_in).await?;
            fails_at(&page, "token", words);
            assert_eq!(step(&page, "answer").0, "ok");
            assert_eq!(step(&page, "id-token").0, "open");
        }
        nobody(server).await
    })
    .await
}

#[tokio::test]
async fn what_an_id_token_says_wrong_is_told_in_words() -> Outcome<()> {
    // RP9
    with_company(MAPPED, async |server, stand_in| {
        for (lie, words) in [
            (json!({"aud": "another"}), "for another client than “1234567890”"),
            (json!({"iss": "https://another.example"}), "of another issuer than http://127.0.0.1"),
            (json!({"nonce": "another"}), "of another sign-in (nonce)"),
            (json!({"exp": 1}), "have both clocks set by NTP"),
            (json!({"iat": 4_000_000_000_i64}), "have both clocks set by NTP"),
            (json!({"sub": ""}), "the subject is missing, empty or too long"),
        ] {
            stand_in.says("id_token", lie);
            fails_at(&tried(server, stand_in).await?, "id-token", words);
        }
        stand_in.repents();
        let body = json!({"error": "insufficient_scope"});
        stand_in.says("id_token", json!({"name": null}));
        stand_in.answers("/userinfo", Reply::error(403, body));
        fails_at(&tried(server, stand_in).await?, "user-info", "add it to scope");
        nobody(server).await
    })
    .await
}

#[tokio::test]
async fn what_the_provider_says_to_the_browser_is_told_as_text() -> Outcome<()> {
    with_company(MAPPED, async |server, stand_in| {
        for (error, words) in [
            ("access_denied", "You said no at the provider"),
            ("invalid_scope", "does not give out the scope “openid profile email”"),
            ("unauthorized_client", "does not permit this client"),
            ("server_error", "a problem of its own"),
            ("<script>alert(1)</script>", "The provider refuses the request."),
        ] {
            let (hand, departure) = set_out(server, stand_in).await?;
            let described = "<script>alert(2)</script> <a href=\"https://evil.example\">Go on</a>";
            let answered =
                departure.back(&hand, &[("error", error), ("error_description", described)]).await?;
            let page = report(answered);
            fails_at(&page, "answer", words);
            assert!(step(&page, "answer").1.contains(described), "{}", page.html);
            assert!(!page.html.contains("<script>alert") && !page.has("a[href*=evil]"));
        }
        let (hand, departure) = set_out(server, stand_in).await?;
        fails_at(&report(departure.back(&hand, &[]).await?), "answer", "neither a code nor an error");
        nobody(server).await
    })
    .await
}

#[tokio::test]
async fn a_way_that_does_not_even_begin_is_told_where_it_would() -> Outcome<()> {
    with_company(PUSHED, async |server, stand_in| {
        stand_in.answers("/.well-known/openid-configuration", Reply::error(404, Value::Null));
        let page = report(press(&Hand::new(server), &link(server, SHOP)).await?);
        fails_at(&page, "discovery", "cannot be read or used");
        stand_in.repents();
        stand_in.answers("/par", Reply::error(401, json!({"error": "invalid_client"})));
        let page = report(press(&Hand::new(server), &link(server, SHOP)).await?);
        fails_at(&page, "pushed", "The client id or the secret is wrong");
        Ok(())
    })
    .await
}

/// A page that says that a link or an answer is none.
#[track_caller]
fn no(answered: &Answered, status: u16, problem: &str) {
    assert_eq!(answered.status, status, "{}", answered.body);
    assert!(answered.body.contains(&format!("data-error-code=\"{problem}\"")), "{}", answered.body);
    assert!(answered.location.is_none() && answered.set_cookies.is_empty(), "{:?}", answered.set_cookies);
}

#[tokio::test]
async fn a_link_that_is_forged_or_of_another_place_opens_nothing() -> Outcome<()> {
    with_company(MAPPED, async |server, stand_in| {
        let hand = Hand::new(server);
        let good = link(server, SHOP);
        let (place, token) = good.split_once("?token=").unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let later: i64 = parts[0].parse::<i64>().unwrap() + 1;
        let other = link(server, GUESTS);
        let (_, of_others) = other.split_once("?token=").unwrap();
        let form = hand.form(&good).await?;
        let forged = [
            String::new(),
            format!("{later}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], "0".repeat(32), parts[2]),
            format!("{}.{}.{}A", parts[0], parts[1], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            of_others.to_owned(),
            format!("trial.{token}"),
            "-9223372036854775808.00000000000000000000000000000000.a".to_owned(),
        ];
        for token in &forged {
            no(&hand.get(&format!("{place}?token={token}")).await?, 404, "fault-trial-link");
            let answered = hand.post(place, &[("token", token), ("csrf", &form.csrf)]).await?;
            no(&answered, 404, "fault-trial-link");
        }
        let elsewhere = place.replace("/stranger/", "/nobody/");
        no(&hand.get(&format!("{elsewhere}?token={token}")).await?, 404, "fault-trial-link");
        // The form is the page's own, and nobody else's.
        no(&hand.post(place, &[("token", token), ("csrf", "x")]).await?, 403, "fault-form");
        let theirs = hand.form(&other).await?.csrf;
        no(&hand.post(place, &[("token", token), ("csrf", &theirs)]).await?, 403, "fault-form");
        let across = hand.post_across(place, &[("token", token), ("csrf", &form.csrf)]).await?;
        assert_eq!((across.status, across.location.is_none()), (403, true));
        // It changes nothing to look at it, and it can be looked at again.
        assert!(hand.get(&good).await?.set_cookies.is_empty());
        server.clock.advance(Span::minutes(15));
        no(&hand.get(&good).await?, 410, "fault-trial-expired");
        let late = hand.post(place, &[("token", token), ("csrf", &form.csrf)]).await?;
        no(&late, 410, "fault-trial-expired");
        assert!(stand_in.departed_with().is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_answer_is_taken_once_in_time_and_in_the_browser_that_departed() -> Outcome<()> {
    // RP1, RP2
    with_company(APPLE, async |server, stand_in| {
        let (hand, departure) = set_out(server, stand_in).await?;
        let stranger = Hand::new(server);
        no(&departure.return_with_code(&stranger).await?, 403, "fault-trial-browser");
        // Somebody who tries the provider too.
        let (other, theirs) = set_out(server, stand_in).await?;
        no(&departure.return_with_code(&other).await?, 403, "fault-trial-browser");
        no(&theirs.return_with_code(&hand).await?, 403, "fault-trial-browser");
        assert!(stand_in.calls("/auth/token").is_empty(), "a stranger's code was redeemed");
        // What was refused took nothing away.
        let again = sent(stand_in, press(&hand, &link(server, SHOP)).await?)?;
        no(&departure.return_with_code(&hand).await?, 403, "fault-trial-browser");
        assert_eq!(report(again.return_with_code(&hand).await?).count(".trial-failed"), 0);
        no(&again.return_with_code(&hand).await?, 403, "fault-trial-browser");
        assert_eq!(stand_in.calls("/auth/token").len(), 1);

        let (late, departure) = set_out(server, stand_in).await?;
        server.clock.advance(Span::minutes(15));
        no(&departure.return_with_code(&late).await?, 410, "fault-trial-expired");
        assert_eq!(stand_in.calls("/auth/token").len(), 1);
        nobody(server).await
    })
    .await
}

#[tokio::test]
async fn a_state_of_another_tenant_or_made_up_is_none() -> Outcome<()> {
    // RP1
    with_company(MAPPED, async |server, stand_in| {
        let (hand, departure) = set_out(server, stand_in).await?;
        let state = departure.sent["state"].clone();
        let place = departure.sent["redirect_uri"].clone();
        let guests = link(server, GUESTS).split("/test?").next().unwrap().to_owned();
        let (head, mac) = state.rsplit_once('.').unwrap();
        for (place, state) in [
            (&guests, state.clone()),
            (&place, format!("{head}.{}", mac.to_uppercase())),
            (&place, format!("{head}.")),
            (&place, "trial.".to_owned()),
            (&place, state.replacen("trial.1", "trial.2", 1)),
        ] {
            let url = Url::parse_with_params(place, [("state", state.as_str()), ("code", CODE)]).unwrap();
            no(&hand.get(url.as_str()).await?, 403, "fault-trial-browser");
        }
        assert!(stand_in.calls("/token").is_empty());
        assert_eq!(report(departure.return_with_code(&hand).await?).count(".trial-failed"), 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_trial_signs_nobody_in_and_a_sign_in_is_no_trial() -> Outcome<()> {
    // RP1, RP2
    with_company(MAPPED, async |server, stand_in| {
        // The browser of somebody whose journey waits for the provider, brought to a trial's answer.
        let visitor = Hand::new(server);
        let form = entrance(&visitor).await?;
        let journey = depart(stand_in, &visitor, &form).await?;
        let (operator, trying) = set_out(server, stand_in).await?;
        no(&trying.return_with_code(&visitor).await?, 403, "fault-trial-browser");
        nobody(server).await?;
        // The operator's browser, brought to a visitor's answer, also with both states in one address.
        let answered = journey.return_with_code(&operator).await?;
        assert_eq!(answered.session(), None);
        let both = [("code", CODE), ("state", trying.sent["state"].as_str())];
        assert_eq!(journey.back(&operator, &both).await?.session(), None);
        // A trial's link is no state, and a journey's state is no link.
        let (place, _) =
            link(server, GUESTS).split_once("?token=").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        no(
            &operator.get(&format!("{place}?token={}", journey.sent["state"])).await?,
            404,
            "fault-trial-link",
        );
        nobody(server).await?;
        // One browser does both, and what is tried is not what signs in.
        let here = sent(stand_in, press(&visitor, &link(server, GUESTS)).await?)?;
        let page = report(here.return_with_code(&visitor).await?);
        assert_eq!(page.count(".trial-failed"), 0, "{}", page.html);
        nobody(server).await?;
        stand_in.departed(&journey.sent);
        let onward = journey.return_with_code(&visitor).await?.location.unwrap();
        assert_eq!(visitor.form(onward.as_str()).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_is_switched_off_says_so() -> Outcome<()> {
    with_company(APPLE, async |server, stand_in| {
        let (hand, departure) = set_out(server, stand_in).await?;
        let good = link(server, SHOP);
        let form = hand.form(&good).await?;
        let off = format!("{}    isEnabled: false\n", stand_in.section());
        let file = include_str!("customers.yaml").replace("{section}\n", &off);
        server.apply(&[&file.replace("[stranger, EmailPassword-OAUTH]", "[EmailPassword-OAUTH]")]).await?;
        let page = hand.form(&good).await?.page;
        assert_eq!(page.alerts()[0].code, "trial-off");
        assert!(!page.has("form"));
        let token = form.page.attribute("input[name=token]", "value").unwrap();
        let answered = hand.post(&good, &[("token", &token), ("csrf", &form.csrf)]).await?;
        assert!(answered.location.is_none() && answered.body.contains("trial-off"), "{}", answered.body);
        let page = report(departure.return_with_code(&hand).await?);
        assert!(page.text("h1").unwrap().ends_with("is switched off"), "{}", page.html);
        assert!(stand_in.calls("/auth/token").is_empty());
        Ok(())
    })
    .await
}
