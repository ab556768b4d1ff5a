//! The authorization code grant.

use futures_util::future::join_all;
use vestibule_rules::fault::Outcome;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;
use vestibule_service::token::TokenRequest;
use vestibule_testkit::engines::on_both;

use super::{
    House, NATIVE, OTHER, SECRET, SPA, VERIFIER, WEB, claims, client, params, redemption, redirect_uri,
    renewal, request, tenant,
};

const FULL: &str = "openid profile email offline_access";

#[tokio::test]
async fn a_code_buys_tokens_for_every_kind_of_client() -> Outcome<()> {
    // R15, R16, R45, R46, R47
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        for app in [WEB, SPA, NATIVE, OTHER] {
            let tokens = house.tokens(app, FULL).await?;
            assert_eq!((tokens.token_type, tokens.scope.as_str()), ("Bearer", FULL));
            assert!(tokens.expires_in > 0 && tokens.ext_expires_in > 0 && tokens.client_info.is_none());
            assert!(tokens.refresh_token.is_some());
            let id = claims(tokens.id_token.as_deref().unwrap());
            assert_eq!(id["aud"], client(app).to_string());
            assert_eq!((&id["nonce"], &id["town"]), (&"n-1".into(), &"Ulm".into()));
            assert_eq!(id["iss"], format!("https://localhost:8443/{}/v2.0", tenant(1)));
            let access = claims(&tokens.access_token);
            assert_eq!(access["azpacr"], if matches!(app, WEB | OTHER) { "1" } else { "0" });
            assert_eq!(access["sub"], id["sub"]);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn subjects_differ_by_application_and_people_do_not() -> Outcome<()> {
    // T-30, S71, R45
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let mut subjects = Vec::new();
        for app in [WEB, SPA] {
            let code = house.code(app, "openid profile").await?;
            let mut ask = redemption(app, &code);
            let with = [("client_info", "1"), ("grant_type", "authorization_code"), ("code", &code)];
            ask.params = {
                let id = client(app).to_string();
                let mut pairs = vec![
                    ("client_id", id.as_str()),
                    ("redirect_uri", redirect_uri(app)),
                    ("code_verifier", VERIFIER),
                ];
                pairs.extend(with);
                if app == WEB {
                    pairs.push(("client_secret", SECRET));
                }
                params(&pairs)
            };
            let tokens = house.ask(ask).await.unwrap();
            let id = claims(tokens.id_token.as_deref().unwrap());
            assert_eq!(id["oid"], house.user.to_string());
            let info = claims(&format!(".{}.", tokens.client_info.unwrap()));
            assert_eq!(info["uid"], house.user.to_string());
            assert_eq!(info["utid"], tenant(1).to_string());
            assert!(tokens.refresh_token.is_none());
            subjects.push(id["sub"].clone());
        }
        assert_ne!(subjects[0], subjects[1]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_cannot_be_used_twice_and_kills_what_it_bought() -> Outcome<()> {
    // R48, S29
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let code = house.code(NATIVE, FULL).await?;
        let tokens = house.ask(redemption(NATIVE, &code)).await.unwrap();
        house.clock.advance(Span::seconds(1));
        assert_eq!(house.ask(redemption(NATIVE, &code)).await.err(), Some(54_005));
        let refresh = tokens.refresh_token.unwrap();
        assert_eq!(house.ask(renewal(NATIVE, &refresh)).await.err(), Some(50_173));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_64_parallel_redemptions_one_succeeds() -> Outcome<()> {
    // S29
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let code = house.code(NATIVE, FULL).await?;
        let all = join_all((0..64).map(|_| house.ask(redemption(NATIVE, &code)))).await;
        let good: Vec<_> = all.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert_eq!(good.len(), 1);
        assert!(all.iter().filter_map(|answer| answer.as_ref().err()).all(|number| *number == 54_005));
        let refresh = good[0].refresh_token.as_deref().unwrap();
        assert_eq!(house.ask(renewal(NATIVE, refresh)).await.err(), Some(50_173));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_is_bound_to_verifier_address_client_tenant_and_time() -> Outcome<()> {
    // R7, R48, S26, S27, S28, S30, S31, S32
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let code = house.code(NATIVE, FULL).await?;
        let redeem = |verifier: &'static str, uri: &'static str| {
            let base = [("grant_type", "authorization_code"), ("code", code.as_str())];
            request(NATIVE, &[base[0], base[1], ("redirect_uri", uri), ("code_verifier", verifier)])
        };
        let uri = redirect_uri(NATIVE);
        let wrong = &VERIFIER[..42];
        for verifier in ["", wrong, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx"] {
            assert_eq!(house.ask(redeem(verifier, uri)).await.err(), Some(501_481), "{verifier}");
        }
        assert_eq!(house.ask(redeem(VERIFIER, "http://localhost:49153")).await.err(), Some(50_011));
        assert_eq!(house.ask_at(&house.visit(2), redeem(VERIFIER, uri)).await.err(), Some(700_005));
        let mut other_origin = house.visit(1);
        other_origin.origin = "http://localhost:8080".to_owned();
        assert_eq!(house.ask_at(&other_origin, redeem(VERIFIER, uri)).await.err(), Some(700_005));
        // None of these spent it.
        assert!(house.ask(redeem(VERIFIER, uri)).await.is_ok());

        let downgraded = house.code(OTHER, FULL).await?;
        let base = [("grant_type", "authorization_code"), ("code", downgraded.as_str())];
        let added = [base[0], base[1], ("redirect_uri", redirect_uri(OTHER)), ("code_verifier", VERIFIER)];
        assert_eq!(house.ask(request(OTHER, &added)).await.err(), Some(501_481));

        let leaked = house.code(WEB, FULL).await?;
        assert_eq!(house.ask(redemption(OTHER, &leaked)).await.err(), Some(70_000));
        assert_eq!(house.ask(redemption(WEB, &leaked)).await.err(), Some(54_005));

        let late = house.code(WEB, FULL).await?;
        house.clock.advance(house.site.settings.lifetimes.authorization_code);
        assert_eq!(house.ask(redemption(WEB, &late)).await.err(), Some(70_008));
        assert_eq!(house.ask(redemption(WEB, "guess")).await.err(), Some(70_000));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn clients_prove_themselves_as_their_platform_asks() -> Outcome<()> {
    // R26, R40, R51, S36, S41
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let code = house.code(WEB, FULL).await?;
        let bare = |app, secret: Option<&str>, code: &str| {
            let id = client(app).to_string();
            let mut pairs = vec![
                ("client_id", id.as_str()),
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect_uri(app)),
                ("code_verifier", VERIFIER),
            ];
            pairs.extend(secret.map(|secret| ("client_secret", secret)));
            TokenRequest { params: params(&pairs), ..TokenRequest::default() }
        };
        assert_eq!(house.ask(bare(WEB, None, &code)).await.err(), Some(7_000_218));
        assert_eq!(house.ask(bare(WEB, Some("wrong"), &code)).await.err(), Some(7_000_215));
        let crossed =
            TokenRequest { origin: Some("https://web.example".to_owned()), ..redemption(WEB, &code) };
        assert_eq!(house.ask(crossed).await.err(), Some(9_002_326));
        let both = TokenRequest {
            basic: Some((String::new(), Secret::new(String::new()))),
            ..redemption(WEB, &code)
        };
        assert_eq!(house.ask(both).await.err(), Some(9_002_313));
        let basic = (client(WEB).to_string(), Secret::new(SECRET.to_owned()));
        assert!(house.ask(TokenRequest { basic: Some(basic), ..bare(WEB, None, &code) }).await.is_ok());

        let code = house.code(SPA, FULL).await?;
        assert_eq!(house.ask(bare(SPA, None, &code)).await.err(), Some(9_002_327));
        assert_eq!(house.ask(bare(SPA, Some("x"), &code)).await.err(), Some(700_025));
        for origin in ["https://evil.example", "null", "https://spa.example/"] {
            let foreign = TokenRequest { origin: Some(origin.to_owned()), ..redemption(SPA, &code) };
            assert_eq!(house.ask(foreign).await.err(), Some(9_002_326), "{origin}");
        }
        assert!(house.ask(redemption(SPA, &code)).await.is_ok());

        let code = house.code(NATIVE, FULL).await?;
        assert_eq!(house.ask(bare(NATIVE, Some(SECRET), &code)).await.err(), Some(700_025));
        let unknown = request(99, &[("grant_type", "refresh_token"), ("refresh_token", "x")]);
        assert_eq!(house.ask(unknown).await.err(), Some(700_016));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_daemon_gets_a_token_of_its_own() -> Outcome<()> {
    // R19, S49, S69
    on_both(async |place| {
        let house = House::new(&place.db).await?;
        let ask =
            |app, scope| house.ask(request(app, &[("grant_type", "client_credentials"), ("scope", scope)]));
        let tokens = ask(WEB, "api://2/.default").await.unwrap();
        let access = claims(&tokens.access_token);
        assert_eq!(access["aud"], client(SPA).to_string());
        assert_eq!(access["sub"], client(WEB + 200).to_string());
        assert!(tokens.id_token.is_none() && tokens.refresh_token.is_none() && access.get("scp").is_none());
        assert_eq!(ask(WEB, "openid").await.err(), Some(70_011));
        assert_eq!(ask(NATIVE, "api://2/.default").await.err(), Some(7_000_218));
        let password = request(WEB, &[("grant_type", "password"), ("username", "a"), ("password", "b")]);
        assert_eq!(house.ask(password).await.err(), Some(70_003));
        let by_get = TokenRequest { by_get: true, ..TokenRequest::default() };
        assert_eq!(house.ask(by_get).await.err(), Some(900_561));
        Ok(())
    })
    .await
}
