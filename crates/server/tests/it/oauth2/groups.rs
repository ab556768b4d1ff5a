//! Groups and roles of people in tokens, optional claims, attributes under other names, and apps that are not for
//! everybody.

use serde_json::{Value, json};
use url::Url;
use vestibule_rules::fault::{Kind, Outcome};
use vestibule_service::directory::{Actor, Author};
use vestibule_service::membership::{self, Deed};
use vestibule_testkit::server::on_both;
use vestibule_testkit::{Engine, TestServer};

use super::app::{
    ADA, Answer, App, ORDERS, PAGE, WEB, almost_signed_up, back, client, harbour, send, userinfo,
};
use crate::client::{claims, parameter};
use crate::journeys::passage::Hand;

const CREW: &str = "c0000000-0000-4000-8000-000000000001";

/// The harbour with groups, roles, and a web app that asks for much.
fn crewed() -> String {
    let web = "  - displayName: Web\n";
    let orders = "  - displayName: Orders\n";
    let groups = format!(
        "groups:\n  - {{ id: {CREW}, displayName: Crew }}\n  - {{ displayName: Choir, securityEnabled: false }}\n  - {{ displayName: Board }}\nuserFlowAttributes:\n  - {{ displayName: Berth }}\n"
    );
    let file = harbour()
        .replacen("  shortName: harbour\n", "  shortName: harbour\n  countryLetterCode: DE\n", 1)
        .replacen(web, &format!("{web}{WEB_ASKS}"), 1)
        .replacen(orders, &format!("{orders}{ORDERS_ASKS}"), 1)
        .replacen(
            "        - attribute: displayName\n",
            "        - { attribute: Berth, label: Berth }\n        - attribute: displayName\n",
            1,
        );
    file.replacen("userFlows:\n", &format!("{groups}userFlows:\n"), 1)
}

const WEB_ASKS: &str = "    groupMembershipClaims: All
    appRoles:
      - { value: Captain, displayName: Captain, allowedMemberTypes: [User] }
      - { value: Sailor, displayName: Sailor, allowedMemberTypes: [User] }
    appRoleAssignedTo:
      - { group: crew, role: Sailor }
    optionalClaims:
      idToken:
        - { name: ipaddr }
        - { name: acct }
        - { name: tenant_ctry, essential: true }
        - { name: upn, additionalProperties: [include_externally_authenticated_upn] }
        - { name: Berth, source: user }
        - { name: sid }
    tokenClaims:
      - { name: place, attribute: Berth, tokens: [idToken, userinfo] }
      - { name: called, attribute: displayName, tokens: [userinfo] }
      - { name: kind, attribute: userType }
";

const ORDERS_ASKS: &str = "    groupMembershipClaims: SecurityGroup
    appRoles:
      - { value: Buyer, displayName: Buyer, allowedMemberTypes: [User] }
    appRoleAssignedTo:
      - { group: Board, role: Buyer }
    optionalClaims:
      accessToken:
        - { name: email }
        - { name: login_hint }
    tokenClaims:
      - { name: berth_of_buyer, attribute: Berth, tokens: [accessToken] }
";

const BERTH: &str = "berth 7";

/// Somebody who is signed in, with a berth.
async fn sailor(server: &TestServer) -> Outcome<Hand> {
    let hand = Hand::new(server);
    let form = almost_signed_up(server, &hand, &WEB.address(server, &[("prompt", "create")])).await?;
    let field = form.page.attribute("input[name$=berth i]", "name").unwrap();
    hand.answer(&form, &[("displayName", "Ada"), (&field, BERTH)]).await?;
    Ok(hand)
}

/// What an operator does; whether it changed anything.
async fn does(server: &TestServer, deed: Deed<'_>) -> Outcome<bool> {
    let env = &server.site.env;
    let author = Author {
        actor: Actor::Operator,
        now: env.clock.now(),
        correlation: env.guid().to_string(),
        entropy: &*env.entropy,
    };
    membership::change(&env.db, ("harbour", ADA), &deed, &author).await
}

async fn tokens(server: &TestServer, hand: &Hand, app: App, scope: &str) -> Outcome<Answer> {
    let url = back(hand, &app.address(server, &[("scope", scope)])).await?;
    app.redeems(&url).token(server).await
}

const OPENID: &str = "openid profile offline_access";
const BUYING: &str = "openid offline_access api://orders/orders.read";

fn listed(claims: &Value, name: &str) -> Vec<String> {
    let all = claims.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    all.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn group(server: &TestServer, name: &str) -> String {
    let tenant = server.site.directory.tenant("harbour").unwrap().clone();
    tenant.config.groups.iter().find(|group| group.display_name == name).unwrap().id.to_string()
}

#[tokio::test]
async fn groups_and_roles_are_those_of_the_moment() -> Outcome<()> {
    // S66
    on_both(&[&crewed()], async |server| {
        let hand = sailor(server).await?;
        let first = tokens(server, &hand, WEB, OPENID).await?;
        let id = claims(first.text("id_token"));
        assert!(id.get("groups").is_none() && id.get("roles").is_none());
        assert!(does(server, Deed::Add { group: "Crew" }).await?);
        assert!(!does(server, Deed::Add { group: CREW }).await?, "twice is once");
        does(server, Deed::Add { group: "choir" }).await?;
        does(server, Deed::Add { group: "Board" }).await?;
        does(server, Deed::Assign { app: "Web", role: Some("Captain") }).await?;
        // The next token says it, whichever way it is got.
        let refreshed = WEB.refreshes(first.text("refresh_token")).token(server).await?;
        for answer in [refreshed, tokens(server, &hand, WEB, OPENID).await?] {
            let id = claims(answer.text("id_token"));
            assert_eq!(listed(&id, "roles"), ["Captain", "Sailor"]);
            let mut expected = ["Crew", "Choir", "Board"].map(|name| group(server, name));
            let mut told = listed(&id, "groups");
            expected.sort();
            told.sort();
            assert_eq!(told, expected);
            // Userinfo's token is for no app of the tenant.
            assert!(claims(answer.text("access_token")).get("roles").is_none());
        }
        // An API hears of its own roles, and of security groups as it asked.
        let access = claims(tokens(server, &hand, WEB, BUYING).await?.text("access_token"));
        assert_eq!(
            (access["aud"].as_str(), listed(&access, "roles")),
            (Some(ORDERS), vec!["Buyer".to_owned()])
        );
        assert_eq!(listed(&access, "groups").len(), 2);
        assert!(!listed(&access, "groups").contains(&group(server, "Choir")));
        // Another app of the tenant hears nothing.
        let other = claims(tokens(server, &hand, PAGE, OPENID).await?.text("id_token"));
        assert!(other.get("groups").is_none() && other.get("roles").is_none());
        let last = tokens(server, &hand, WEB, OPENID).await?;
        does(server, Deed::Remove { group: "Crew" }).await?;
        does(server, Deed::Unassign { app: WEB.id, role: Some("Captain") }).await?;
        let id = claims(WEB.refreshes(last.text("refresh_token")).token(server).await?.text("id_token"));
        assert!(id.get("roles").is_none());
        assert_eq!(listed(&id, "groups").len(), 2);
        // A group that is gone takes its members along.
        let without = crewed().replace("  - { displayName: Choir, securityEnabled: false }\n", "");
        server.apply(&[&without]).await?;
        server.apply(&[&crewed()]).await?;
        let id = claims(tokens(server, &hand, WEB, OPENID).await?.text("id_token"));
        assert_eq!(listed(&id, "groups"), [group(server, "Board")]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_not_there_is_said_to_whoever_names_it() -> Outcome<()> {
    on_both(&[&crewed()], async |server| {
        sailor(server).await?;
        for (deed, what) in [
            (Deed::Add { group: "Nobody" }, "group"),
            (Deed::Assign { app: "Nobody", role: None }, "application"),
            (Deed::Assign { app: "Web", role: Some("Admiral") }, "role"),
        ] {
            let fault = does(server, deed).await.unwrap_err();
            assert!(fault.kind == Kind::Missing && fault.detail.contains(what), "{}", fault.detail);
        }
        does(server, Deed::Add { group: "Crew" }).await?;
        does(server, Deed::Assign { app: "Web", role: None }).await?;
        does(server, Deed::Assign { app: "Web", role: Some("Sailor") }).await?;
        let db = &server.site.env.db;
        let sizes: Vec<i64> =
            membership::list_groups(db, "harbour").await?.iter().map(|group| group.members).collect();
        assert_eq!(sizes.iter().sum::<i64>(), 1);
        assert_eq!(membership::list_members(db, "harbour", "Crew").await?[0].mail.as_deref(), Some(ADA));
        let assigned = membership::list_assigned(db, "harbour", "Web").await?;
        let roles: Vec<_> = assigned.iter().map(|person| person.role.as_deref()).collect();
        assert_eq!(roles, [None, Some("Sailor")]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn optional_claims_and_other_names_stand_where_they_are_asked_for() -> Outcome<()> {
    on_both(&[&crewed()], async |server| {
        let hand = sailor(server).await?;
        let answer = tokens(server, &hand, WEB, OPENID).await?;
        let id = claims(answer.text("id_token"));
        assert_eq!(id["ipaddr"], "127.0.0.1");
        assert_eq!((&id["acct"], &id["tenant_ctry"]), (&json!(1), &json!("DE")));
        assert!(id["upn"].as_str().unwrap().contains("#EXT#"), "{}", id["upn"]);
        assert_eq!(
            (&id["extn.Berth"], &id["place"], &id["kind"]),
            (&json!(BERTH), &json!(BERTH), &json!("Guest"))
        );
        assert!(id["sid"].is_string() && id.get("called").is_none());
        let told = userinfo(server, ("Bearer", answer.text("access_token")), &[]).await?.body;
        assert_eq!((&told["place"], &told["called"]), (&json!(BERTH), &json!("Ada")));
        assert!(told.get("kind").is_none());
        let access = claims(tokens(server, &hand, WEB, BUYING).await?.text("access_token"));
        assert_eq!((&access["berth_of_buyer"], &access["email"]), (&json!(BERTH), &json!(ADA)));
        assert!(access["login_hint"].is_string() && access.get("place").is_none());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_attribute_takes_the_place_of_a_claim_that_means_something() -> Outcome<()> {
    // S60 to S71
    let server = TestServer::start(Engine::Sqlite, &[&crewed()]).await?;
    let hand = sailor(&server).await?;
    for name in
        ["sub", "Roles", "groups", "oid", "tid", "tfp", "amr", "acr", "scp", "azp", "email_verified", "EMAIL"]
    {
        let file = crewed().replace("name: place", &format!("name: {name}"));
        let refused = server.apply(&[&file]).await.unwrap_err().detail;
        assert!(
            refused.contains("is a claim of the server itself") && refused.contains("tokenClaims[0].name"),
            "{refused}"
        );
    }
    // A configuration that was stored before the name came to mean something.
    let tenant = server.site.directory.tenant("harbour").unwrap().config.tenant.id;
    let (web, roles) = (WEB.id, "\"name\":\"roles\"");
    server
        .site
        .env
        .db
        .write(move |tx| {
            Box::pin(async move {
                use vestibule_store::objects::{self, ObjectKind};
                let mut row = objects::find(tx, tenant, ObjectKind::Application, web).await?.unwrap();
                row.doc = row.doc.replace("\"name\":\"place\"", roles);
                objects::put(tx, tenant, &row).await?;
                vestibule_store::tenants::advance(tx, tenant).await.map(drop)
            })
        })
        .await?;
    server.site.directory.poll(&server.site.env.db).await?;
    let answer = tokens(&server, &hand, WEB, OPENID).await?;
    let id = claims(answer.text("id_token"));
    assert!(id.get("place").is_none() && id.get("roles").is_none(), "{id}");
    let told = userinfo(&server, ("Bearer", answer.text("access_token")), &[]).await?.body;
    assert!(told.get("roles").is_none());
    server.finish().await
}

#[tokio::test]
async fn what_makes_no_sense_is_named_with_its_line() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&crewed()]).await?;
    for (from, to, said) in [
        ("name: acct", "name: acctt", "there is no optional claim “acctt”; there are email, family_name"),
        ("name: Berth, source: user", "name: Birth, source: user", "there is no attribute “Birth”"),
        ("name: Berth, source: user", "name: Berth, source: company", "“company” is no source"),
        ("{ name: acct }", "{ name: acct, source: user }", "only directory extensions have a source"),
        ("{ name: acct }", "{ name: upn }", "the claim “upn” is used twice"),
        ("include_externally_authenticated_upn", "sam_account_name", "is no property of the claim “upn”"),
        ("  countryLetterCode: DE\n", "", "say the tenant's countryLetterCode first"),
        ("countryLetterCode: DE", "countryLetterCode: Germany", "“Germany” is no country"),
        ("{ group: crew, role: Sailor }", "{ group: crews }", "the tenant has no group “crews”"),
        (
            "{ group: crew, role: Sailor }",
            "{ group: crew, role: Cook }",
            "there is no enabled app role “Cook”",
        ),
        ("displayName: Board", "displayName: Crew", "the display name “Crew” is used twice"),
        ("displayName: Board", "displayName: Board, mailNickname: the board", "is no mail nickname"),
        ("groupMembershipClaims: All", "groupMembershipClaims: Some", "“Some” is not one of"),
        ("tokens: [userinfo]", "tokens: []", "a claim that is told nowhere is none"),
    ] {
        let file = crewed();
        assert!(file.contains(from), "{from}");
        let refused = server.apply(&[&file.replacen(from, to, 1)]).await.unwrap_err().detail;
        assert!(refused.contains(said), "{refused}");
        assert!(refused.starts_with("tenant-0.yaml:"), "{refused}");
    }
    server.finish().await
}

fn many(count: usize) -> String {
    let groups: String = (0..count)
        .flat_map(|n| ["  - { displayName: Deck ".to_owned(), n.to_string(), " }\n".to_owned()])
        .collect();
    crewed().replacen("groups:\n", &format!("groups:\n{groups}"), 1)
}

#[tokio::test]
async fn of_too_many_groups_a_token_says_where_to_ask() -> Outcome<()> {
    let server = TestServer::start(Engine::Sqlite, &[&many(201)]).await?;
    let hand = sailor(&server).await?;
    for n in 0..200 {
        does(&server, Deed::Add { group: &format!("Deck {n}") }).await?;
    }
    let id = claims(tokens(&server, &hand, WEB, OPENID).await?.text("id_token"));
    assert_eq!(listed(&id, "groups").len(), 200);
    does(&server, Deed::Add { group: "Deck 200" }).await?;
    let answer = tokens(&server, &hand, WEB, OPENID).await?;
    let id = claims(answer.text("id_token"));
    assert!(id.get("groups").is_none() && id["_claim_names"]["groups"] == "src1");
    let endpoint = id["_claim_sources"]["src1"]["endpoint"].as_str().unwrap();
    let ask = |url: &str, body: &'static str| {
        let request = client().post(url).bearer_auth(answer.text("access_token"));
        send(request.header("content-type", "application/json").body(body))
    };
    let told = ask(endpoint, "{\"securityEnabledOnly\": true}").await?;
    assert_eq!((told.status, listed(&told.body, "value").len()), (200, 201));
    assert_eq!(told.header("cache-control"), Some("no-store"));
    // Nobody else's.
    let other = endpoint.replace(id["oid"].as_str().unwrap(), CREW);
    assert_eq!(ask(&other, "").await?.status, 401);
    assert_eq!(send(client().post(endpoint)).await?.status, 401);
    assert_eq!(ask(endpoint, "securityEnabledOnly").await?.status, 400);
    server.finish().await
}

#[tokio::test]
async fn a_token_in_an_address_stays_short() -> Outcome<()> {
    let implicit = "    securityProfile: oidc-compat\n";
    let file = many(6)
        .replacen(
            "    groupMembershipClaims: All\n",
            &format!("{implicit}    groupMembershipClaims: All\n"),
            1,
        )
        .replacen(
            "    web:\n",
            "    web:\n      implicitGrantSettings: { enableIdTokenIssuance: true }\n",
            1,
        );
    let server = TestServer::start(Engine::Sqlite, &[&file]).await?;
    let hand = sailor(&server).await?;
    let fragment = async |server: &TestServer| -> Outcome<Value> {
        let url: Url =
            back(&hand, &WEB.address(server, &[("response_type", "id_token"), ("scope", "openid profile")]))
                .await?;
        let fragment = url::form_urlencoded::parse(url.fragment().unwrap().as_bytes()).into_owned();
        Ok(claims(&fragment.into_iter().find(|(name, _)| name == "id_token").unwrap().1))
    };
    for n in 0..5 {
        does(&server, Deed::Add { group: &format!("Deck {n}") }).await?;
    }
    assert_eq!(listed(&fragment(&server).await?, "groups").len(), 5);
    does(&server, Deed::Add { group: "Deck 5" }).await?;
    let id = fragment(&server).await?;
    assert!(id.get("groups").is_none() && id.get("_claim_names").is_none() && id["hasgroups"] == true);
    server.finish().await
}

fn closed() -> String {
    crewed().replacen("    groupMembershipClaims: All\n", "    appRoleAssignmentRequired: true\n", 1)
}

#[tokio::test]
async fn an_app_that_is_not_for_everybody_gets_nothing_of_others() -> Outcome<()> {
    // S66, AADSTS50105
    on_both(&[&closed()], async |server| {
        // The account is made, so that somebody can let it in.
        let hand = Hand::new(server);
        let form = almost_signed_up(server, &hand, &WEB.address(server, &[("prompt", "create")])).await?;
        let refused = hand.answer(&form, &[("displayName", "Ada")]).await?;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(
            refused.body.contains("50105") && refused.body.contains("You have no access to this app yet")
        );
        let hand = signed_in_at_page(server).await?;
        let refused = hand.get(&WEB.address(server, &[])).await?;
        assert!(refused.status == 403 && refused.location.is_none() && refused.body.contains("50105"));
        let silent = back(&hand, &WEB.address(server, &[("prompt", "none")])).await?;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("interaction_required"));
        assert!(parameter(&silent, "error_description").unwrap().starts_with("AADSTS50105"));
        assert!(parameter(&silent, "code").is_none());
        for deed in [Deed::Add { group: "Crew" }, Deed::Assign { app: "Web", role: None }] {
            assert!(does(server, deed.clone()).await?);
            let answer = tokens(server, &hand, WEB, OPENID).await?;
            assert_eq!(answer.status, 200, "{}", answer.body);
            // A code that is still on its way is refused like everything that comes after.
            let url = back(&hand, &WEB.address(server, &[])).await?;
            let undone = match deed {
                Deed::Add { group } => Deed::Remove { group },
                Deed::Assign { app, role } => Deed::Unassign { app, role },
                Deed::Remove { .. } | Deed::Unassign { .. } => deed,
            };
            does(server, undone).await?;
            for call in [WEB.redeems(&url), WEB.refreshes(answer.text("refresh_token"))] {
                let refused = call.token(server).await?;
                assert_eq!(refused.refusal(), (400, "invalid_grant"));
                assert_eq!(refused.body["error_codes"], json!([50_105]));
            }
        }
        Ok(())
    })
    .await
}

/// Ada's browser, in which the page's session answers.
async fn signed_in_at_page(server: &TestServer) -> Outcome<Hand> {
    let hand = Hand::new(server);
    let began = hand.get(&PAGE.address(server, &[])).await?;
    let form = hand.form(began.location.unwrap().as_str()).await?;
    let form = hand.next(&form, &[("username", ADA)]).await?;
    let code = server.inbox.await_code(ADA).await?;
    hand.answer(&form, &[("code", &code)]).await?;
    Ok(hand)
}

#[tokio::test]
async fn an_api_that_is_not_for_everybody_takes_no_token_of_others() -> Outcome<()> {
    // S66, AADSTS501051
    let orders = "  - displayName: Orders\n";
    let file = crewed().replacen(orders, &format!("{orders}    appRoleAssignmentRequired: true\n"), 1);
    let server = TestServer::start(Engine::Sqlite, &[&file]).await?;
    let hand = sailor(&server).await?;
    assert_eq!(tokens(&server, &hand, WEB, OPENID).await?.status, 200);
    let refused = hand.get(&WEB.address(&server, &[("scope", BUYING)])).await?;
    assert!(refused.status == 403 && refused.body.contains("50105"));
    let own = WEB.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")]);
    let refused = own.token(&server).await?;
    assert_eq!(
        (refused.refusal(), &refused.body["error_codes"]),
        ((400, "invalid_grant"), &json!([501_051]))
    );
    does(&server, Deed::Add { group: "Board" }).await?;
    let access = claims(tokens(&server, &hand, WEB, BUYING).await?.text("access_token"));
    assert_eq!(listed(&access, "roles"), ["Buyer"]);
    server.finish().await
}
