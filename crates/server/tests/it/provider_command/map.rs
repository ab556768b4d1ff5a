//! `vestibule provider map`: every transformation, on what is pasted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::Engine;

use super::Place;

const SECTION: &str = r#"displayName: Fabrikam
issuer: https://login.fabrikam.example
clientId: x
clientSecret: { file: secrets/x }
inboundClaimMapping:
  displayName: { join: [given_name, middle_name, family_name] }
  givenName: { claim: name, split: { at: " ", part: 1 } }
  surname: { claim: name, split: { at: " ", part: 2, andRest: true }, update: always }
  city: address.locality
  country: { constant: Norway }
  jobTitle: { firstOf: [position, title], lowerCase: true, update: whenEmpty }
  state: { claim: region, from: userInfo }
  postalCode: { claim: groups }
  streetAddress: { claim: name, split: { at: " ", part: 9 } }"#;

const OAUTH2: &str = r#"identityProviderType: OAuth2
displayName: Fabrikam
endpoints:
  authorization: https://login.fabrikam.example/authorize
  token: https://login.fabrikam.example/token
  userInfo: https://login.fabrikam.example/me
clientId: x
clientSecret: { file: secrets/x }
inboundClaimMapping:
  sub: account.number
  email: account.mail
  email_verified: account.proven
  city: { join: [account.zip, account.city], separator: "-" }"#;

fn claims() -> Value {
    json!({
        "sub": "s-1", "email": "ada@fabrikam.example", "email_verified": true,
        "name": "Ada King Noel", "given_name": "Ada", "family_name": "Noel",
        "address": {"locality": "London"}, "title": "COUNTESS", "groups": ["a", "b"],
    })
}

/// Of anybody, and signed by nobody.
fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AAAA", part(&json!({"alg": "RS256"})), part(claims))
}

async fn mapped(place: &Place, input: &str) -> Outcome<Value> {
    let run = place.run(&["map", "shop", "stranger", "--json"], input).await?;
    assert_eq!(run.code, 0, "{}", run.err);
    Ok(serde_json::from_str(&run.out).unwrap())
}

/// An attribute's value, why, and what the flow keeps of it.
fn of(found: &Value, attribute: &str) -> (Value, String, Value) {
    let all = found["attributes"].as_array().unwrap();
    let one = all.iter().find(|one| one["attribute"] == attribute).unwrap_or(&Value::Null);
    (one["value"].clone(), one["why"].as_str().unwrap_or_default().to_owned(), one["flows"].clone())
}

#[tokio::test]
async fn every_transformation_is_shown_with_its_reason() -> Outcome<()> {
    // IDP-OIDC-02
    let place = Place::with_section(Engine::Sqlite, SECTION).await?;
    let found = mapped(&place, &format!("  {}\n", token(&claims()))).await?;
    assert_eq!((&found["checked"], &found["subject"]), (&json!(false), &json!("s-1")));
    assert_eq!(found["address"], json!({"address": "ada@fabrikam.example", "believed": true}));
    for (attribute, value, why) in [
        ("displayName", json!("Ada Noel"), "from given_name in the ID token and family_name in the ID token"),
        ("givenName", json!("Ada"), "from name in the ID token"),
        ("surname", json!("King Noel"), "from name in the ID token"),
        ("city", json!("London"), "from address.locality in the ID token"),
        ("country", json!("Norway"), "a constant of the configuration"),
        ("jobTitle", json!("countess"), "from title in the ID token"),
        ("state", Value::Null, "none of these claims is there: region"),
        ("postalCode", Value::Null, "groups is neither a text nor a number nor true or false"),
        ("streetAddress", Value::Null, "nothing is left of the value after it was split, or it is too long"),
    ] {
        let (found_value, found_why, _) = of(&found, attribute);
        assert_eq!((found_value, found_why.as_str()), (value, why), "{attribute}");
    }
    assert_eq!(of(&found, "displayName").2, json!([{"flow": "Customers", "keeps": "Ada Noel"}]));
    assert_eq!(of(&found, "surname").2, json!([]));
    assert_eq!(found["asksUserInfo"], true);

    let both = json!({"idToken": token(&claims()), "userInfo": {"region": "Oslo", "sub": "s-1"}});
    let found = mapped(&place, &both.to_string()).await?;
    let (value, why, _) = of(&found, "state");
    assert_eq!((value, why.as_str()), (json!("Oslo"), "from region of the user info endpoint"));
    assert_eq!(found["asksUserInfo"], false);
    place.server.finish().await
}

#[tokio::test]
async fn people_read_what_becomes_of_each_attribute() -> Outcome<()> {
    let place = Place::with_section(Engine::Sqlite, SECTION).await?;
    let file = place.folder.path().join("claims.json");
    let mut claims = claims();
    claims["email_verified"] = json!(false);
    claims["address"]["locality"] = json!("x\u{1b}[2J");
    std::fs::write(&file, claims.to_string()).unwrap();
    let path = file.display().to_string();
    let run = place.run(&["map", "shop", "Fabrikam", "--file", &path], "").await?;
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for words in [
        "The claims of an ID token of “Fabrikam”. They are taken as they are.\n",
        "  sub              “s-1”\n      from sub in the ID token\n",
        "The address ada@fabrikam.example is not believed: a code proves it at sign-up.",
        "  displayName      “Ada Noel”\n      from given_name in the ID token and family_name in the ID token\n      kept by “Customers”; stays as it is at later sign-ins\n",
        "  surname          “King Noel”\n      from name in the ID token\n      no flow with this provider asks for it, so it is not kept\n",
        "  state            nothing\n",
        "At a sign-in the user info endpoint is asked for what is missing here.",
    ] {
        assert!(run.out.contains(words), "{words}\n{}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'), "{}", run.out);
    place.server.finish().await
}

#[tokio::test]
async fn a_company_without_tokens_is_mapped_from_its_description() -> Outcome<()> {
    let place = Place::with_section(Engine::Sqlite, OAUTH2).await?;
    let me = json!({"account": {"number": 7, "mail": "a@x.example", "proven": true, "zip": "0150", "city": "Oslo"}});
    let found = mapped(&place, &me.to_string()).await?;
    assert_eq!(found["subject"], "7");
    assert_eq!(found["address"], json!({"address": "a@x.example", "believed": true}));
    let (value, why, _) = of(&found, "city");
    let expected = "from account.zip of the user info endpoint and account.city of the user info endpoint";
    assert_eq!((value, why.as_str()), (json!("0150-Oslo"), expected));
    let found = mapped(&place, "{}").await?;
    assert_eq!((&found["subject"], &found["address"]), (&Value::Null, &Value::Null));
    let run = place.run(&["map", "shop", "stranger"], "{}").await?;
    assert!(run.out.contains("Nobody can sign in so"), "{}", run.out);
    place.server.finish().await
}

#[tokio::test]
async fn what_is_no_token_and_no_object_is_told() -> Outcome<()> {
    let place = Place::with_section(Engine::Sqlite, SECTION).await?;
    for (input, words) in [
        ("", "there is nothing to map"),
        ("hello", "that is neither a token (three parts with dots between) nor a JSON object"),
        ("a.b.c.d.e", "the token is encrypted"),
        ("a.?.c", "the second part of the token is not base64url"),
        ("a.AAAA.c", "the second part of the token is no JSON object"),
        ("{\"sub\":", "that is no JSON object"),
        ("{\"idToken\": 7}", "idToken is neither a token nor an object of claims"),
    ] {
        let run = place.run(&["map", "shop", "stranger"], input).await?;
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{input}");
        assert!(run.err.contains(words), "{input}: {}", run.err);
    }
    let run = place.run(&["map", "shop", "stranger", "--file", "nowhere"], "").await?;
    assert_eq!((run.code, run.err.contains("nowhere cannot be read")), (1, true), "{}", run.err);
    let run = place.run(&["map", "shop", "nobody"], "{}").await?;
    assert_eq!(run.code, 1);
    place.server.finish().await
}
