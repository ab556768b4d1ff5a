//! The delivery of mail, on both engines.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail where a test would")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use vestibule_rules::directory::address::Address;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Span;
use vestibule_service::env::Site;
use vestibule_service::mail::{self, Letter, LetterWriter, Written};
use vestibule_service::ports::clock::TestClock;
use vestibule_service::ports::mailer::{Mail, MailFault, Mailer};
use vestibule_store::{Db, outbox};
use vestibule_testkit::engines;

use crate::tokens::{START, site};

struct Plain;

impl LetterWriter for Plain {
    fn write(&self, _: &Letter, _: &str) -> Outcome<Written> {
        Ok(Written { subject: "s".to_owned(), text: "t".to_owned(), html: "h".to_owned() })
    }
}

/// A mail server that is so slow at first that another worker takes the oldest mail over.
struct Slow {
    db: Db,
    clock: Arc<TestClock>,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Mailer for Slow {
    async fn send(&self, mail: &Mail, _: &str) -> Result<(), MailFault> {
        let first = {
            let mut sent = self.sent.lock().unwrap();
            sent.push(mail.to.as_string());
            sent.len() == 1
        };
        if first {
            self.clock.advance(Span::minutes(5));
            let now = START + Span::minutes(5);
            let claim = self
                .db
                .write(move |tx| Box::pin(async move { outbox::claim(tx, now, Span::minutes(2), 1).await }));
            assert_eq!(claim.await.unwrap().len(), 1);
        }
        Ok(())
    }
}

async fn post(site: &Site, to: &str) -> Outcome<()> {
    let (tenant, to) = (TenantId::from_random([1; 16]), Address::parse(to).unwrap());
    let letter = Letter::PasswordChanged { tenant: "T".to_owned(), address: to.as_string() };
    let row = mail::prepare(site, tenant, &to, &letter, site.env.now())?;
    let insert = site.env.db.write(move |tx| {
        let row = row.clone();
        Box::pin(async move { outbox::insert(tx, tenant, &row).await })
    });
    insert.await
}

#[tokio::test]
async fn one_mail_that_was_lost_to_another_worker_sends_no_other_one_twice() -> Outcome<()> {
    engines::on_both(async |place| {
        let clock = Arc::new(TestClock::new(START));
        let mut site = site(&place.db, &clock)?;
        site.letters = Arc::new(Plain);
        let mailer = Slow { db: place.db.clone(), clock: Arc::clone(&clock), sent: Mutex::default() };
        for to in ["a@x.example", "b@x.example", "c@x.example"] {
            post(&site, to).await?;
            clock.advance(Span(1));
        }
        assert!(mail::deliver(&site, &mailer).await?);
        // Long after every lease, only the one whose outcome nobody noted goes out again.
        clock.advance(Span::hours(1));
        mail::deliver(&site, &mailer).await?;
        let mut sent = mailer.sent.lock().unwrap().clone();
        sent.sort();
        assert_eq!(sent, ["a@x.example", "a@x.example", "b@x.example", "c@x.example"]);
        Ok(())
    })
    .await
}
