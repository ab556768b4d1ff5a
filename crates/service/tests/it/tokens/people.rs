//! Userinfo, hints and signing out.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::SessionId;
use vestibule_rules::oauth::account::Hinted;
use vestibule_rules::oauth::demands::Demands;
use vestibule_rules::time::Span;
use vestibule_service::hop::SessionCookie;
use vestibule_service::logout::{LogoutReply, LogoutRequest, logout};
use vestibule_service::session::{self, Browser};
use vestibule_service::token::hint;
use vestibule_service::userinfo::{Told, UserinfoRequest, userinfo};
use vestibule_testkit::engines::on_both;

use super::{House, NATIVE, OTHER, WEB, claims, client, params, renewal, tenant};

const FULL: &str = "openid profile email offline_access";

fn bearer(token: &str) -> UserinfoRequest {
    UserinfoRequest { authorization: Some(format!("Bearer {token}")), ..UserinfoRequest::default() }
}

#[tokio::test]
async fn userinfo_speaks_of_the_same_subject() -> Outcome<()> {
    // 4.4, S61, S62, S63, S64
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let tokens = house.tokens(WEB, FULL).await?;
        let visit = house.visit(1);
        let Ok(Told::Json(answer)) = userinfo(&house.site, &visit, bearer(&tokens.access_token)).await else {
            panic!("it was signed, or refused");
        };
        let id_token = tokens.id_token.unwrap();
        assert_eq!(answer["sub"], claims(&id_token)["sub"]);
        assert_eq!(answer["email"], "ann@example.com");

        let status = async |visit: &_, request| {
            userinfo(&house.site, visit, request).await.err().unwrap().error().status()
        };
        let access = tokens.access_token.as_str();
        assert_eq!(status(&visit, bearer(&id_token)).await, 401);
        assert_eq!(status(&visit, bearer(&access[..access.len() - 3])).await, 401);
        assert_eq!(status(&visit, UserinfoRequest::default()).await, 401);
        let twice = UserinfoRequest { form_token: Some(access.to_owned()), ..bearer(access) };
        assert_eq!(status(&visit, twice).await, 400);
        assert_eq!(status(&house.visit(2), bearer(access)).await, 401);
        let mut elsewhere = house.visit(1);
        elsewhere.origin = "http://localhost:8080".to_owned();
        assert_eq!(status(&elsewhere, bearer(access)).await, 401);
        // A permission of an API that is called like ours is still one of that API.
        let api = house.tokens(WEB, "openid api://2/openid").await?;
        assert_eq!(status(&visit, bearer(&api.access_token)).await, 401);
        let bare = house.tokens(WEB, "User.Read").await?;
        assert_eq!(status(&visit, bearer(&bare.access_token)).await, 401);
        house.clock.advance(Span::minutes(60));
        assert_eq!(status(&house.visit(1), bearer(access)).await, 401);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn hints_are_only_read_when_they_are_ours() -> Outcome<()> {
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let id_token = house.tokens(WEB, "openid profile").await?.id_token.unwrap();
        let text = claims(&id_token)["login_hint"].as_str().unwrap().to_owned();
        let open = |byte, text: &str| hint::open_login_hint(&house.site, tenant(byte), text);
        assert_eq!(open(1, &text), Some((house.user, house.sid)));
        assert_eq!(open(2, &text), None);
        assert_eq!(open(1, &format!("{text}A")), None);
        assert_eq!(open(1, "ann@example.com"), None);
        let visit = house.visit(1);
        let params = params(&[("id_token_hint", &id_token)]);
        let here = session::of_browser(&house.site, &visit).await?;
        let hinted = async |here: &Browser| {
            hint::hinted(&house.site, &visit, (&params, &Demands::default()), here).await
        };
        assert_eq!(hinted(&here).await?, Hinted::User(house.user));
        // S22
        assert_eq!(hinted(&Browser::default()).await?, Hinted::Stranger);
        Ok(())
    })
    .await
}

fn leaving(hint: Option<(&str, &str)>, uri: &str, state: Option<&str>) -> LogoutRequest {
    let mut pairs = vec![("post_logout_redirect_uri", uri)];
    pairs.extend(hint);
    pairs.extend(state.map(|state| ("state", state)));
    LogoutRequest { params: params(&pairs), confirmed: false, chosen: None }
}

#[tokio::test]
async fn signing_out_needs_a_hint_or_a_person() -> Outcome<()> {
    // R41, S84
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let tokens = house.tokens(WEB, FULL).await?;
        let access = tokens.access_token.as_str();
        let visit = house.visit(1);
        let uri = "https://web.example/cb";
        let refused = [
            None,
            Some(("id_token_hint", "e30.e30.x")),
            Some(("id_token_hint", access)),
            Some(("logout_hint", "ann@example.com")),
        ];
        for hint in refused {
            let reply = logout(&house.site, &visit, leaving(hint, uri, None)).await.unwrap();
            assert!(matches!(reply, LogoutReply::Confirm { .. }), "{hint:?}");
        }
        assert!(house.ask(renewal(WEB, tokens.refresh_token.as_deref().unwrap())).await.is_ok());

        let id_token = tokens.id_token.unwrap();
        house.clock.advance(Span::hours(2));
        let visit = house.visit(1);
        let good = leaving(Some(("id_token_hint", &id_token)), uri, Some("s&t"));
        let reply = logout(&house.site, &visit, good).await.unwrap();
        assert_eq!(reply, done(Some(format!("{uri}?state=s%26t"))));
        assert_eq!(
            house.ask(renewal(WEB, tokens.refresh_token.as_deref().unwrap())).await.err(),
            Some(50_173)
        );
        let evil = leaving(Some(("id_token_hint", &id_token)), "https://evil.example/", None);
        assert_eq!(logout(&house.site, &visit, evil).await.unwrap(), done(None));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn msal_leaves_by_its_login_hint_and_a_person_by_a_button() -> Outcome<()> {
    // R41, 2.9
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let id_token = house.tokens(NATIVE, FULL).await?.id_token.unwrap();
        house.tokens(OTHER, FULL).await?;
        let visit = house.visit(1);
        let confirmed = LogoutRequest { confirmed: true, ..leaving(None, "https://web.example/cb", None) };
        let mut other = house.visit(1);
        other.session = None;
        let hinted = claims(&id_token)["login_hint"].as_str().unwrap().to_owned();
        let stranger = hint::login_hint(&house.site, tenant(1), house.user, SessionId::from_random([77; 16]));
        let reply =
            logout(&house.site, &visit, leaving(Some(("logout_hint", &stranger)), "http://localhost", None))
                .await
                .unwrap();
        assert!(matches!(reply, LogoutReply::Confirm { .. }), "{reply:?}");
        let reply = logout(&house.site, &other, leaving(None, "http://localhost", None)).await.unwrap();
        assert_eq!(reply, done(None));
        // The web app was never signed in to in this session.
        assert_eq!(logout(&house.site, &house.visit(2), confirmed).await.unwrap(), done(None));
        let reply = logout(
            &house.site,
            &visit,
            leaving(Some(("logout_hint", &hinted)), "https://other.example/cb", None),
        )
        .await
        .unwrap();
        assert_eq!(reply, done(Some("https://other.example/cb".to_owned())));
        assert_eq!(client(OTHER).to_string().len(), 36);
        Ok(())
    })
    .await
}

/// Signed out, with no app that is told in a frame.
fn done(redirect: Option<String>) -> LogoutReply {
    LogoutReply::Done { redirect, frames: Vec::new(), cookie: SessionCookie::Clear }
}
