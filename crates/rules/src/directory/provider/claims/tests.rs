use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::directory::provider::SealedSecret;
use crate::directory::tenant::TenantKind;

type Provider = IdentityProvider<SealedSecret>;

fn provider(more: Value) -> Provider {
    let mut doc = json!({"id": "p", "displayName": "P", "clientId": "c", "clientSecret": null});
    let (all, Value::Object(more)) = (doc.as_object_mut().unwrap(), more) else { panic!("an object") };
    all.extend(more);
    serde_json::from_value(doc).unwrap()
}

fn of_kind(kind: &str) -> Provider {
    provider(json!({ "identityProviderType": kind }))
}

fn mapped(rule: impl Into<Value>, said: &Said) -> Option<String> {
    let provider =
        provider(json!({"issuer": "https://idp.example", "inboundClaimMapping": {"city": rule.into()}}));
    provider.attributes(said).pop().unwrap().value
}

fn token(claims: Value) -> Said {
    Said { id_token: serde_json::from_value(claims).unwrap(), user_info: None }
}

fn info(claims: Value) -> Said {
    Said { id_token: Map::new(), user_info: Some(serde_json::from_value(claims).unwrap()) }
}

#[test]
fn what_was_stored_before_there_were_kinds_still_reads() {
    let old = provider(
        json!({"issuer": "https://idp.example", "clientAuthentication": "client_secret_basic",
        "scope": "openid", "responseType": "code", "inboundClaimMapping": {"city": "town"}, "isEnabled": false}),
    );
    assert_eq!(old.identity_provider_type.as_str(), "OpenIdConnect");
    assert_eq!((old.issuer().as_str(), old.scope()), ("https://idp.example", "openid"));
    assert_eq!(old.claim_mapping()["city"], ClaimRule::named("town"));
    assert!(!old.is_enabled);
    let again: Provider = serde_json::from_value(serde_json::to_value(&old).unwrap()).unwrap();
    assert_eq!(again, old);
}

#[test]
fn the_word_on_an_address_stands_beside_it() {
    let said = |id_token: Value, user_info: Value| Said {
        id_token: serde_json::from_value(id_token).unwrap(),
        user_info: Some(serde_json::from_value(user_info).unwrap()),
    };
    let vouched = |kind: &str, said: &Said| of_kind(kind).address(said).unwrap().vouched;
    let (told, proven) = (json!({"email": "a@b.example"}), json!({"email_verified": true}));
    let both = json!({"email": "a@b.example", "email_verified": true});
    assert!(!vouched("OpenIdConnect", &said(proven.clone(), told.clone())));
    assert!(!vouched("OpenIdConnect", &said(told.clone(), proven)));
    assert!(vouched("OpenIdConnect", &said(json!({}), both.clone())));
    assert!(vouched("OpenIdConnect", &said(both.clone(), told.clone())));
    assert!(!vouched("MicrosoftEntra", &said(json!({"xms_edov": true}), told.clone())));
    assert!(!vouched("Google", &said(json!({"hd": "b.example"}), both)));
    // Whoever says where the word is to be looked for is followed.
    let elsewhere = provider(json!({"issuer": "https://idp.example", "inboundClaimMapping": {
        "email_verified": {"claim": "proven", "from": "userInfo"}}}));
    assert!(elsewhere.address(&said(told, json!({"proven": true}))).unwrap().vouched);
}

#[test]
fn a_rule_makes_a_value_of_claims() {
    let said = token(json!({"town": " Bath ", "first": "Ada", "last": "Lovelace", "n": 7, "yes": true,
        "name": "Ada  King Lovelace", "list": ["a"], "https://x.example/city": "York", "none": null,
        "address": {"locality": "Leeds", "deep": {"est": "Hull"}}}));
    let value = |rule: Value| mapped(rule, &said);
    assert_eq!(value(json!("town")).as_deref(), Some("Bath"));
    assert_eq!(value(json!("https://x.example/city")).as_deref(), Some("York"));
    assert_eq!(value(json!("address.locality")).as_deref(), Some("Leeds"));
    assert_eq!(value(json!("address.deep.est")).as_deref(), Some("Hull"));
    assert_eq!(value(json!("n")).as_deref(), Some("7"));
    assert_eq!(value(json!("yes")).as_deref(), Some("true"));
    for nothing in ["list", "none", "address", "address.nowhere", "town.inner", ""] {
        assert_eq!(value(json!(nothing)), None, "{nothing}");
    }
    assert_eq!(value(json!({"firstOf": ["nowhere", "none", "last", "first"]})).as_deref(), Some("Lovelace"));
    assert_eq!(value(json!({"join": ["first", "nowhere", "last"]})).as_deref(), Some("Ada Lovelace"));
    assert_eq!(
        value(json!({"join": ["last", "first"], "separator": ", "})).as_deref(),
        Some("Lovelace, Ada")
    );
    assert_eq!(value(json!({"constant": "Bath"})).as_deref(), Some("Bath"));
    assert_eq!(value(json!({"claim": "town", "lowerCase": true})).as_deref(), Some("bath"));
    let part = |part: i32, rest: bool| {
        value(json!({"claim": "name", "split": {"at": " ", "part": part, "andRest": rest}}))
    };
    assert_eq!(part(1, false).as_deref(), Some("Ada"));
    assert_eq!(part(2, true).as_deref(), Some("King Lovelace"));
    assert_eq!(part(-1, false).as_deref(), Some("Lovelace"));
    assert_eq!(part(-2, true).as_deref(), Some("Ada King"));
    assert_eq!((part(4, false), part(-4, false)), (None, None));
}

#[test]
fn a_rule_says_where_its_claim_must_come_from() {
    let said = Said {
        user_info: info(json!({"town": "York", "only": "here"})).user_info,
        ..token(json!({"town": "Bath"}))
    };
    assert_eq!(mapped(json!("town"), &said).as_deref(), Some("Bath"));
    assert_eq!(mapped(json!({"claim": "town", "from": "userInfo"}), &said).as_deref(), Some("York"));
    assert_eq!(mapped(json!("only"), &said).as_deref(), Some("here"));
    assert_eq!(mapped(json!({"claim": "only", "from": "idToken"}), &said), None);
}

#[test]
fn why_a_value_is_not_there_is_told() {
    let provider = provider(json!({"issuer": "https://idp.example", "inboundClaimMapping": {
        "city": "town", "state": {"firstOf": ["a", "b"]}, "country": {"claim": "list"},
        "surname": {"claim": "name", "split": {"at": " ", "part": 3}}, "givenName": {"constant": "x"}}}));
    let said = token(json!({"town": "Bath", "list": [1], "name": "Ada Lovelace"}));
    let why: BTreeMap<String, Why> =
        provider.attributes(&said).into_iter().map(|m| (m.attribute, m.why)).collect();
    assert_eq!(why["city"], Why::Claims(vec![("town".to_owned(), ClaimsFrom::IdToken)]));
    assert_eq!(why["state"], Why::Missing(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(why["country"], Why::NotReadable("list".to_owned()));
    assert_eq!((&why["surname"], &why["givenName"]), (&Why::Nothing, &Why::Constant));
}

/// The address of a token, and whether it is believed.
fn told(provider: &Provider, claims: Value) -> (String, bool) {
    let told = provider.address(&token(claims)).unwrap();
    (told.address, told.vouched)
}

// RP13, U15, U17, T-10
#[test]
fn an_address_is_believed_only_as_far_as_the_provider_deserves() {
    let custom = provider(json!({"issuer": "https://idp.example"}));
    let verified = |value: Value| told(&custom, json!({"email": "a@b.example", "email_verified": value})).1;
    assert!(verified(json!(true)));
    for word in [json!("true"), json!(1), json!([true]), json!({}), json!(false), json!(null)] {
        assert!(!verified(word.clone()), "{word}");
    }
    assert!(!told(&custom, json!({"email": "a@b.example"})).1);
    let odd = ["a@b@c.example", "a@b.example.", "a b@c.example", "\"a\"@", "@b.example", "a@"];
    for address in odd {
        let parsed = Address::parse(address).is_ok();
        assert!(!told(&custom, json!({"email": address, "email_verified": true})).1 || parsed, "{address}");
    }
    let google = of_kind("Google");
    let says =
        |email: &str, hd: Value| told(&google, json!({"email": email, "email_verified": true, "hd": hd})).1;
    assert!(says("a@gmail.com", Value::Null) && says("a@GMail.com", Value::Null));
    assert!(says("a@contoso.com", json!("contoso.com")));
    assert!(!says("a@contoso.com", Value::Null) && !says("a@contoso.com", json!("other.com")));
    assert!(!told(&google, json!({"email": "a@gmail.com"})).1);
    let entra = of_kind("MicrosoftEntra");
    assert!(!told(&entra, json!({"email": "ceo@victim.example", "email_verified": true})).1);
    for proof in [json!(true), json!("1"), json!(1), json!("true")] {
        assert!(told(&entra, json!({"email": "a@contoso.com", "xms_edov": proof})).1, "{proof}");
    }
    assert!(!told(&entra, json!({"email": "a@contoso.com", "xms_edov": false})).1);
    let personal = of_kind("MicrosoftAccount");
    assert!(told(&personal, json!({"email": "a@outlook.com"})).1);
    assert!(!told(&personal, json!({"email": "a@contoso.com"})).1);
    let apple = of_kind("Apple");
    assert!(told(&apple, json!({"email": "x@privaterelay.appleid.com", "email_verified": "true"})).1);
    assert!(!told(&apple, json!({"email": "x@privaterelay.appleid.com", "email_verified": "false"})).1);
}

#[test]
fn the_operator_says_otherwise_for_domains() {
    let trusted = |kind: &str, domains: Value| {
        provider(
            json!({"identityProviderType": kind, "issuer": "https://idp.example", "trustedEmailDomains": domains}),
        )
    };
    let says =
        |provider: &Provider, email: &str| told(provider, json!({"email": email, "email_verified": true})).1;
    let partner = trusted("OpenIdConnect", json!(["contoso.com"]));
    assert!(says(&partner, "a@Contoso.com") && !says(&partner, "a@victim.example"));
    assert!(!says(&trusted("OpenIdConnect", json!([])), "a@contoso.com"));
    assert!(says(&trusted("Google", json!(["*"])), "a@contoso.com"));
    assert!(says(&trusted("MicrosoftEntra", json!(["contoso.com"])), "a@contoso.com"));
    assert!(!told(&trusted("Google", json!(["*"])), json!({"email": "a@contoso.com"})).1);
}

#[test]
fn kinds_without_id_tokens_name_people_in_their_own_way() {
    let facebook = of_kind("Facebook");
    let said =
        info(json!({"id": "10", "name": "Ada", "first_name": "A", "last_name": "L", "email": "a@b.example"}));
    assert_eq!(facebook.subject(&said).as_deref(), Some("10"));
    assert!(facebook.address(&said).unwrap().vouched);
    assert_eq!(values(&facebook.attributes(&said))["surname"], "L");
    let github = of_kind("GitHub");
    assert_eq!(github.subject(&info(json!({"id": 583_231}))).as_deref(), Some("583231"));
    let x = of_kind("X");
    let said = info(json!({"data": {"id": "7", "name": "Ada", "confirmed_email": "a@b.example"}}));
    assert_eq!(x.subject(&said).as_deref(), Some("7"));
    assert_eq!(x.address(&said).unwrap().address, "a@b.example");
    let own = provider(
        json!({"identityProviderType": "OAuth2", "inboundClaimMapping": {"sub": "user.key", "email": "mail"}}),
    );
    let said = info(json!({"user": {"key": "k"}, "mail": "a@b.example", "email_verified": true}));
    assert_eq!((own.subject(&said).as_deref(), own.address(&said).unwrap().vouched), (Some("k"), true));
    for bad in [json!(""), json!("a\u{0}b"), json!("x".repeat(256)), json!(null), json!(["a"])] {
        assert_eq!(facebook.subject(&info(json!({"id": bad}))), None);
    }
}

// DIR-01, DIR-02, T-09
#[test]
fn identities_are_filed_under_what_the_original_writes() {
    let of = |provider: &Provider| {
        [TenantKind::Workforce, TenantKind::External].map(|k| provider.identity_issuer(k))
    };
    let both = |name: &str| [name.to_owned(), name.to_owned()];
    assert_eq!(of(&of_kind("Google")), both("google.com"));
    assert_eq!(of(&of_kind("Facebook")), both("facebook.com"));
    assert_eq!(of(&of_kind("Apple")), both("apple.com"));
    assert_eq!(of(&provider(json!({"issuer": "https://idp.example"}))), both("https://idp.example"));
    let [guest, customer] = of(&of_kind("MicrosoftAccount"));
    assert_eq!(guest, "MicrosoftAccount");
    assert_eq!(customer, "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    let one = "11111111-1111-4111-8111-111111111111";
    let [guest, customer] =
        of(&provider(json!({"identityProviderType": "MicrosoftEntra", "tenants": [one]})));
    assert_eq!(
        (guest.as_str(), customer),
        ("ExternalAzureAD", format!("https://login.microsoftonline.com/{one}/v2.0"))
    );
}

#[test]
fn the_user_info_endpoint_is_asked_only_for_what_is_missing() {
    let wants = |more: Value, claims: Value| {
        let mut doc = json!({"issuer": "https://idp.example"});
        doc.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        provider(doc).wants_user_info(&serde_json::from_value(claims).unwrap())
    };
    let full = json!({"email": "a@b.example", "town": "Bath"});
    assert!(!wants(json!({}), full.clone()));
    assert!(wants(json!({}), json!({"town": "Bath"})));
    assert!(!wants(json!({"userInfo": "never"}), json!({})));
    assert!(wants(json!({"userInfo": "always"}), full.clone()));
    assert!(!wants(json!({"inboundClaimMapping": {"city": "town"}}), full.clone()));
    assert!(wants(json!({"inboundClaimMapping": {"city": "nowhere"}}), full.clone()));
    assert!(wants(json!({"inboundClaimMapping": {"city": {"claim": "town", "from": "userInfo"}}}), full));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c.]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_provider_says_is_taken_or_left(
        claims in prop::collection::btree_map("[a-c.]{0,3}", any_json(), 0..5),
        name in "[a-c.]{0,5}", at in ".{1,2}", part in -4_i32..5, rest in any::<bool>(),
    ) {
        let said = token(Value::Object(claims.into_iter().collect()));
        let rule = json!({"claim": name, "split": {"at": at, "part": part, "andRest": rest}});
        if let Some(text) = mapped(rule, &said) {
            prop_assert!(!text.is_empty() && text == text.trim() && text.len() <= LONGEST);
        }
    }
}
