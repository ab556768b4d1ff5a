//! How old newcomers must be, and guardians who answer in a browser of their own (AGE-01).

use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_testkit::{TestServer, server};

use super::passage::{Form, GUESTS, Hand, PORTAL, guests, people, recorded};

const TOM: &str = "tom@northwind.example";
const MUM: &str = "mum@northwind.example";
const NOBODY: &str = "https://nobody.example";
const NAME: &str = "<b>Tom</b> =1+1";

/// The guests' flow, which asks for the date of birth.
fn aged(below: &str) -> String {
    let attribute = "userFlowAttributes:\n  - { displayName: Birthday, dataType: dateTime }\nuserFlows:";
    let text = guests(NOBODY).replace("userFlows:", attribute)
        + "        - { attribute: Birthday, inputType: date, required: true }\n";
    text + &format!("    age: {{ dateOfBirth: Birthday, minimum: 16, below: {below} }}\n")
}

/// Answers the questions as somebody who was born then.
async fn born(server: &TestServer, hand: &Hand, date: &str) -> Outcome<Form> {
    let form = hand.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
    let form = hand.next(&form, &[("username", TOM)]).await?;
    let code = server.inbox.await_code(TOM).await?;
    let form = hand.next(&form, &[("code", &code)]).await?;
    let birthday = form.page.attribute("fieldset input[name$='.day']", "name").unwrap();
    let birthday = birthday.trim_end_matches(".day").to_owned();
    let part = |name: &str| format!("{birthday}.{name}");
    let (year, rest) = date.split_once('-').unwrap();
    let (month, day) = rest.split_once('-').unwrap();
    let (y, m, d) = (part("year"), part("month"), part("day"));
    let fields = [("displayName", NAME), (y.as_str(), year), (m.as_str(), month), (d.as_str(), day)];
    hand.next(&form, &fields).await
}

/// The address in the newest mail to the guardian.
async fn link(server: &TestServer) -> Outcome<String> {
    let mail = server.inbox.await_mail(MUM).await?;
    assert!(mail.text.contains(TOM) && !mail.text.contains("Tom</b>"), "{}", mail.text);
    let link = mail.text.lines().find(|line| line.starts_with("http"));
    link.map(str::to_owned).ok_or_else(|| Fault::ours("no link in the mail"))
}

/// Opens a guardian's link; the page, its token and its status.
async fn opened(hand: &Hand, link: &str) -> Outcome<Form> {
    hand.form(link).await
}

#[tokio::test]
async fn whoever_is_too_young_is_turned_away() -> Outcome<()> {
    server::on_both(&[&aged("block")], async |server| {
        let hand = Hand::new(server);
        let form = born(server, &hand, "2015-01-01").await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-too-young"));
        let form = born(server, &hand, "1990-01-01").await;
        assert!(form.is_err(), "old enough: goes on to the app");
        let user = people(server, GUESTS, TOM).await?.remove(0);
        assert_eq!(user.attributes["ageGroup"], "Adult");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_guardian_sees_what_was_answered_and_agrees() -> Outcome<()> {
    server::on_both(&[&aged("guardian")], async |server| {
        let (child, parent) = (Hand::new(server), Hand::new(server));
        let form = born(server, &child, "2015-01-01").await?;
        let form = child.next(&form, &[("guardian", MUM)]).await?;
        assert_eq!(form.asks(), "guardian-wait");
        assert!(form.page.has("meta[http-equiv=refresh]"));
        // Whoever closes the browser finds the journey again: the binding lasts as long as it does.
        let shown = child.get(&form.url).await?;
        let kept = shown.set_cookies.iter().find(|cookie| cookie.contains("vestibule-browser")).unwrap();
        assert!(kept.contains("Max-Age=6"), "{kept}");
        let link = link(server).await?;
        // The child's own browser has no part of the link, and no part of it can be guessed.
        for wrong in
            [link.replace("/1/", "/2/"), format!("{link}x"), link.replace("/guardian/", "/guardian/0")]
        {
            assert_eq!(parent.get(&wrong).await?.status, 404, "{wrong}");
        }
        let asked = opened(&parent, &link).await?;
        assert_eq!(asked.page.status, 200);
        assert!(asked.page.html.contains("&lt;b&gt;Tom"), "{}", asked.page.html);
        assert!(asked.page.html.contains(TOM) && asked.page.html.contains("2015"));
        // Looking decides nothing, and neither does a form of another page.
        assert_eq!(opened(&child, &form.url).await?.asks(), "guardian-wait");
        let forged = parent.post(&link, &[("csrf", "x"), ("action", "agree")]).await?;
        assert_eq!(forged.status, 403);
        let silent = parent.post(&link, &[("csrf", &asked.csrf)]).await?;
        assert_eq!(silent.status, 400);
        let waiting = child.next(&opened(&child, &form.url).await?, &[]).await?;
        assert_eq!(waiting.asks(), "guardian-wait");
        let agreed = parent.post(&link, &[("csrf", &asked.csrf), ("action", "agree")]).await?;
        assert_eq!(agreed.status, 200);
        // A second click, and a change of mind, show what was said.
        let again = parent.post(&link, &[("csrf", &asked.csrf), ("action", "refuse")]).await?;
        assert!(again.status == 200 && !again.body.contains("Tom"), "{}", again.body);
        assert!(people(server, GUESTS, TOM).await?.is_empty(), "the visitor goes on, not the guardian");
        let form = opened(&child, &form.url).await?;
        assert_eq!(form.asks(), "guardian-agreed");
        child.answer(&form, &[]).await?.at_app()?;
        let user = people(server, GUESTS, TOM).await?.remove(0);
        assert_eq!(user.attributes["ageGroup"], "Minor");
        assert_eq!(user.attributes["consentProvidedForMinor"], "Granted");
        assert_eq!(recorded(server, GUESTS, "guardianConsent").await?.len(), 1);
        assert!(!opened(&parent, &link).await?.page.has("#agree"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_guardian_may_refuse_take_days_or_never_answer() -> Outcome<()> {
    server::on_both(&[&aged("guardian")], async |server| {
        let (child, parent) = (Hand::new(server), Hand::new(server));
        let form = born(server, &child, "2015-01-01").await?;
        let form = child.next(&form, &[("guardian", MUM)]).await?;
        let first = link(server).await?;
        // Days later the journey is still there, and a new mail replaces the first.
        server.clock.advance(Span::days(6));
        let form = child.next(&opened(&child, &form.url).await?, &[("action", "resend")]).await?;
        let second = link(server).await?;
        assert!(!opened(&parent, &first).await?.page.has("#agree"));
        server.clock.advance(Span::days(8));
        assert!(!opened(&parent, &second).await?.page.has("#agree"), "too late");
        let form = opened(&child, &form.url).await?;
        assert!(people(server, GUESTS, TOM).await?.is_empty());
        drop(form);

        let form = born(server, &child, "2015-01-01").await?;
        let form = child.next(&form, &[("guardian", MUM)]).await?;
        let third = link(server).await?;
        let asked = opened(&parent, &third).await?;
        parent.post(&third, &[("csrf", &asked.csrf), ("action", "refuse")]).await?;
        let form = opened(&child, &form.url).await?;
        assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-guardian"));
        let told = opened(&parent, &third).await?;
        assert!(!told.page.has("#agree"));
        assert_eq!(recorded(server, GUESTS, "guardianRefusal").await?.len(), 1);
        assert!(people(server, GUESTS, TOM).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_is_written_to_without_end() -> Outcome<()> {
    server::on_both(&[&aged("guardian")], async |server| {
        let child = Hand::new(server);
        let form = born(server, &child, "2015-01-01").await?;
        let mut form = child.next(&form, &[("guardian", MUM)]).await?;
        link(server).await?;
        let soon = child.next(&form, &[("action", "resend")]).await?;
        assert_eq!(soon.problem(), "guardian-resend-wait");
        for _ in 0..20 {
            server.clock.advance(Span::minutes(9));
            form = child.next(&opened(&child, &form.url).await?, &[("action", "resend")]).await?;
            if form.problem() == "guardian-throttled" {
                return Ok(());
            }
            link(server).await?;
        }
        panic!("no end of mails");
    })
    .await
}
