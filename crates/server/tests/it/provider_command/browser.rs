//! `vestibule provider test --browser`: the link that it prints is one that the server takes.

use serde_json::Value;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_service::ports::clock::{Clock as _, SystemClock};

use super::{Place, checkup};
use crate::federation::kinds::stand_in::Reply;
use crate::journeys::passage::Hand;

#[tokio::test]
async fn the_link_that_is_printed_can_be_opened_at_the_server() -> Outcome<()> {
    let (place, provider) = Place::with_company(checkup::OPENID).await?;
    let server = &place.server;
    server.clock.set(SystemClock.now());
    let run = place.run(&["test", "shop", "Fabrikam", "--browser", "--json"], "").await?;
    let json: Value = serde_json::from_str(&run.out).unwrap();
    let url = json["browserTest"]["url"].as_str().unwrap();
    let here =
        format!("{}/7b9ec640-0000-4c21-9355-5f02bb133702/federation/stranger/test?token=", server.origin);
    assert!(url.starts_with(&here), "{url}");
    let ends = json["browserTest"]["expiresAt"].as_str().unwrap();
    // Times of this form are in the order of their letters.
    let (now, quarter) = (SystemClock.now(), Span::minutes(15));
    assert!(ends > now.rfc3339().as_str() && ends <= (now + quarter).rfc3339().as_str(), "{ends}");
    let form = Hand::new(server).form(url).await?;
    assert_eq!(form.page.text("h1").as_deref(), Some("Test signing in with Fabrikam"));

    // A provider that is not well can be tried too: it says more to a person.
    provider.answers("/authorize", Reply::error(400, Value::Null));
    let run = place.run(&["test", "shop", "stranger", "--browser"], "").await?;
    let (_, told) = run.out.split_once("\nGo the whole way in a browser, until ").unwrap();
    let url = told.lines().nth(1).unwrap().trim();
    assert_eq!(Hand::new(server).get(url).await?.status, 200);
    let run = place.run(&["test", "shop", "stranger", "--json"], "").await?;
    assert!(!run.out.contains("browserTest"), "{}", run.out);
    place.server.finish().await
}
