//! Microsoft: personal accounts, and organisations at Entra ID. What the stand-in answers is published in “OpenID
//! Connect on the Microsoft identity platform”,
//! <https://raw.githubusercontent.com/MicrosoftDocs/entra-docs/main/docs/identity-platform/v2-protocols-oidc.md>,
//! “ID token claims reference”,
//! <https://github.com/MicrosoftDocs/entra-docs/blob/main/docs/identity-platform/id-token-claims-reference.md>, and
//! “Optional claims reference”,
//! <https://learn.microsoft.com/de-de/entra/identity-platform/optional-claims-reference>.

use serde_json::{Value, json};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::server::BEGIN;

use super::stand_in::{Call, Company, Reply, StandIn, TOKEN};
use super::{Newcomer, arrive, complete, depart, entrance, fails, makes_accounts, not_believed, refused};
use super::{shown, with_company};
use crate::journeys::passage::{GUESTS, Hand, people};

/// The organisation of personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const CONTOSO: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const FABRIKAM: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const TAILSPIN: &str = "ccccdddd-2222-eeee-3333-ffff4444aaaa";

const SUBJECT: &str = "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ";
const OUTLOOK: &str = "a@outlook.com";
const MAIL: &str = "a@contoso.example";

const ACCOUNT: Company = Company {
    section: r#"identityProviderType: MicrosoftAccount
issuer: "{base}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: personal,
};

const ONE: Company = Company {
    section: r#"identityProviderType: MicrosoftEntra
issuer: "{base}/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0"
tenants: [aaaabbbb-0000-cccc-1111-dddd2222eeee]
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: organisations,
};

const SEVERAL: Company = Company {
    section: r#"identityProviderType: MicrosoftEntra
issuer: "{base}/{tenantid}/v2.0"
tenants: [aaaabbbb-0000-cccc-1111-dddd2222eeee, bbbbcccc-1111-dddd-2222-eeee3333ffff]
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: organisations,
};

const ANY: Company = Company {
    section: r#"identityProviderType: MicrosoftEntra
issuer: "{base}/{tenantid}/v2.0"
wellKnown: "{base}/organizations/v2.0/.well-known/openid-configuration"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: organisations,
};

fn personal(microsoft: &StandIn, call: &Call) -> Reply {
    let person = json!({"tid": PERSONAL, "email": OUTLOOK, "preferred_username": OUTLOOK});
    answer(microsoft, call, person)
}

/// `xms_edov` is there when the app's registration asks for it.
fn organisations(microsoft: &StandIn, call: &Call) -> Reply {
    let person = json!({"tid": CONTOSO, "email": MAIL, "preferred_username": MAIL, "xms_edov": true});
    answer(microsoft, call, person)
}

fn answer(microsoft: &StandIn, call: &Call, person: Value) -> Reply {
    let (tenant, rest) = call.path.trim_start_matches('/').split_once('/').unwrap_or_default();
    match rest {
        "v2.0/.well-known/openid-configuration" => Reply::ok(discovery(&microsoft.base, tenant)),
        "discovery/v2.0/keys" => Reply::ok(microsoft.keys()),
        "oauth2/v2.0/token" if !call.posts_secret() => aadsts("invalid_client", 7_000_215),
        "oauth2/v2.0/token" if !microsoft.redeems(call) || !microsoft.proves(call) => {
            aadsts("invalid_grant", 70_008)
        }
        "oauth2/v2.0/token" => Reply::ok(json!({
            "token_type": "Bearer", "scope": "openid profile email", "expires_in": 3_599,
            "ext_expires_in": 3_599, "access_token": TOKEN,
            "id_token": microsoft.id_token(claims(microsoft, person)),
        })),
        // “UserInfo endpoint”: at Microsoft Graph, and no more than the ID token has.
        "userinfo" if tenant == "oidc" && call.shows_token() => Reply::ok(microsoft.document(
            "userinfo",
            json!({"sub": SUBJECT, "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace"}),
        )),
        _ => Reply::error(404, Value::Null),
    }
}

/// “OpenID Connect discovery”: what holds for every organisation has a template for an issuer.
fn discovery(base: &str, tenant: &str) -> Value {
    let issuer = if matches!(tenant, "organizations" | "common") { "{tenantid}" } else { tenant };
    json!({
        "issuer": format!("{base}/{issuer}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "userinfo_endpoint": format!("{base}/oidc/userinfo"),
        "end_session_endpoint": format!("{base}/{tenant}/oauth2/v2.0/logout"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "request_uri_parameter_supported": false,
    })
}

/// “Payload claims” of a v2.0 token; the issuer is the organisation's.
fn claims(microsoft: &StandIn, mut person: Value) -> Value {
    person = microsoft.document("person", person);
    let tenant = person["tid"].as_str().unwrap_or(CONTOSO).to_owned();
    let mut claims = json!({
        "iss": format!("{}/{tenant}/v2.0", microsoft.base), "nbf": BEGIN.seconds(), "name": "Ada Lovelace",
        "oid": "00000000-0000-0000-66f3-3332eca7ea81", "sub": SUBJECT, "ver": "2.0",
        "uti": "8pUDRYXnBU2-8SkBAA", "rh": "0.AXYA",
    });
    claims.as_object_mut().unwrap().extend(person.as_object().unwrap().clone());
    claims
}

/// “Error response” of the authorization code flow.
fn aadsts(error: &str, code: u32) -> Reply {
    let body = json!({
        "error": error, "error_description": format!("AADSTS{code}: Not what was expected."),
        "error_codes": [code], "timestamp": "2026-11-24 02:25:36Z",
        "trace_id": "255d1aef-8c98-452f-ac51-23d051240864",
        "correlation_id": "fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7",
    });
    Reply::error(400, body)
}

#[tokio::test]
async fn a_personal_account_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(ACCOUNT, |microsoft| Newcomer {
        mail: OUTLOOK,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: ["MicrosoftAccount".to_owned(), format!("{}/{PERSONAL}/v2.0", microsoft.base)],
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn an_account_of_an_organisation_becomes_a_guest_and_a_customer() -> Outcome<()> {
    for company in [ONE, SEVERAL, ANY] {
        makes_accounts(company, |microsoft| Newcomer {
            mail: MAIL,
            // Guests of every organisation are filed under one name, so the organisation is in the subject.
            subjects: [format!("{CONTOSO}/{SUBJECT}"), SUBJECT.to_owned()],
            issuers: ["ExternalAzureAD".to_owned(), format!("{}/{CONTOSO}/v2.0", microsoft.base)],
            name: "Ada Lovelace",
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_personal_account_is_believed_the_mailboxes_that_microsoft_runs() -> Outcome<()> {
    with_company(ACCOUNT, async |server, microsoft| {
        // A personal account may have been opened with any address at all.
        for foreign in ["ada@contoso.example", "a@outlook.com.evil.example", "a@gmail.com"] {
            microsoft.says("person", json!({"email": foreign, "preferred_username": foreign}));
            not_believed(server, microsoft).await?;
        }
        microsoft.says("person", json!({"email": "b@hotmail.com"}));
        assert_eq!(arrive(server, microsoft).await?.1.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_issuer_is_that_of_the_organisation_in_the_token() -> Outcome<()> {
    // U16: any organisation can sign for itself, and none for another.
    for company in [ONE, SEVERAL, ANY] {
        with_company(company, async |server, microsoft| {
            let base = &microsoft.base;
            let foreign = [
                json!(format!("{base}/{FABRIKAM}/v2.0")),
                json!(format!("{base}/{{tenantid}}/v2.0")),
                json!(format!("{base}/organizations/v2.0")),
                json!(format!("{base}/{CONTOSO}/v2.0/")),
                json!(format!("https://evil.example/{CONTOSO}/v2.0")),
                json!(null),
            ];
            for issuer in foreign {
                microsoft.says("id_token", json!({"iss": issuer}));
                fails(server, microsoft).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn only_the_organisations_that_are_welcome_come_in() -> Outcome<()> {
    let traversal = format!("{CONTOSO}/v2.0/..");
    let unwelcome: [(Company, Vec<Value>); 3] = [
        (ONE, vec![json!(FABRIKAM), json!(PERSONAL), json!(null)]),
        (SEVERAL, vec![json!(TAILSPIN), json!(PERSONAL), json!(null), json!([CONTOSO]), json!("")]),
        (ANY, vec![json!(PERSONAL), json!(null), json!("contoso.example"), json!(traversal)]),
    ];
    for (company, all) in unwelcome {
        with_company(company, async |server, microsoft| {
            for tid in &all {
                microsoft.says("person", json!({"tid": tid}));
                let arrived = arrive(server, microsoft).await?;
                refused(server, &arrived, "refused-provider-organisation").await?;
            }
            Ok(())
        })
        .await?;
    }
    with_company(ANY, async |server, microsoft| {
        microsoft.says("person", json!({"tid": TAILSPIN}));
        assert_eq!(arrive(server, microsoft).await?.1.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_organisations_never_share_an_account() -> Outcome<()> {
    // U16, RP12: whoever runs an organisation chooses what its tokens say, but not the organisation.
    with_company(SEVERAL, async |server, microsoft| {
        let (hand, form) = arrive(server, microsoft).await?;
        complete(&hand, &form).await?;
        let first = people(server, GUESTS, MAIL).await?;

        microsoft.says("person", json!({"tid": FABRIKAM}));
        let (_, form) = arrive(server, microsoft).await?;
        assert_eq!(form.asks(), "exists", "the address has an account, and it is not this identity's");
        assert_eq!(people(server, GUESTS, MAIL).await?, first);

        microsoft.says("person", json!({"tid": FABRIKAM, "email": "a@fabrikam.example"}));
        let (hand, form) = arrive(server, microsoft).await?;
        complete(&hand, &form).await?;
        let second = people(server, GUESTS, "a@fabrikam.example").await?.remove(0);
        assert_ne!(second.id, first[0].id);
        assert_ne!(second.identities, first[0].identities);
        // Each comes back to its own.
        microsoft.repents();
        for (person, mail) in [(json!({}), MAIL), (json!({"tid": FABRIKAM}), "a@fabrikam.example")] {
            microsoft.says("person", person);
            let hand = Hand::new(server);
            let form = entrance(&hand).await?;
            let departure = depart(microsoft, &hand, &form).await?;
            let back = departure.return_with_code(&hand).await?.at_app()?;
            let (_, tokens) = hand.redeem(GUESTS, crate::journeys::passage::PORTAL, &back).await?;
            let claims = crate::client::claims(tokens["id_token"].as_str().unwrap());
            assert_eq!(claims["email"], mail);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_that_an_administrator_typed_is_not_believed() -> Outcome<()> {
    // nOAuth: the mail attribute of a user is free text; xms_edov says that the domain is the organisation's.
    with_company(ANY, async |server, microsoft| {
        for typed in [json!(null), json!(false), json!("false"), json!(0), json!("0"), json!([true])] {
            microsoft.says("person", json!({"email": "ceo@victim.example", "xms_edov": typed}));
            not_believed(server, microsoft).await?;
        }
        microsoft.says("person", json!({"xms_edov": null, "email": MAIL, "email_verified": true}));
        not_believed(server, microsoft).await?;
        // Neither does an address become proven by being asked for elsewhere.
        microsoft.says("person", json!({"xms_edov": null, "email": null}));
        microsoft.says("userinfo", json!({"email": MAIL}));
        not_believed(server, microsoft).await?;
        for proven in [json!(true), json!("true"), json!(1), json!("1")] {
            microsoft.says("person", json!({"xms_edov": proven}));
            assert_eq!(arrive(server, microsoft).await?.1.asks(), "details");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn errors_of_microsoft_leave_a_way_on() -> Outcome<()> {
    with_company(ACCOUNT, async |server, microsoft| {
        let place = format!("/{PERSONAL}/oauth2/v2.0/token");
        microsoft.answers(&place, aadsts("invalid_grant", 70_008));
        fails(server, microsoft).await?;
        let hand = Hand::new(server);
        let departure = depart(microsoft, &hand, &entrance(&hand).await?).await?;
        let no = [("error", "access_denied"), ("error_subcode", "cancel")];
        let answered = departure.back(&hand, &no).await?;
        let form = shown(&hand, answered).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("sign-up", "provider-declined"));
        Ok(())
    })
    .await
}
