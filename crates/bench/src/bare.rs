//! What the machine can do at best: nothing but hashes, nothing but commits.

use std::time::{Duration, Instant};

use vestibule_crypto::keyring::SigningKey;
use vestibule_crypto::password;
use vestibule_rules::ids::TenantId;
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::Db;
use vestibule_store::throttle::{self, Bucket};

use crate::load::whole;
use crate::tenant;
use crate::trouble::{Tried, Trouble};

/// Password hashes a second on `threads` cores.
pub fn hashes(threads: usize, duration: Duration) -> Tried<f64> {
    let begun = Instant::now();
    let workers: Vec<_> =
        (0..threads).map(|_| std::thread::spawn(move || hash_until(begun, duration))).collect();
    let mut done = 0;
    for worker in workers {
        done += worker.join().map_err(|_| Trouble::wrong("a hashing thread panicked"))??;
    }
    Ok(whole(done) / begun.elapsed().as_secs_f64())
}

fn hash_until(begun: Instant, duration: Duration) -> Tried<u64> {
    let candidate = Secret::new("plum-quilt-and-a-lantern".to_owned());
    let mut done = 0;
    while begun.elapsed() < duration {
        password::hash(&candidate, [7; 16]).map_err(Trouble::wrong)?;
        done += 1;
    }
    Ok(done)
}

/// Tokens that one core signs in a second, and does nothing else.
pub fn signatures(duration: Duration) -> Tried<f64> {
    let key = SigningKey::generate("bench", Timestamp::from_seconds(1)).map_err(Trouble::wrong)?;
    let claims = serde_json::json!({"iss": "https://bench.example", "sub": "somebody"});
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < duration {
        key.sign(&claims, "JWT").map_err(Trouble::wrong)?;
        done += 1;
    }
    Ok(whole(done) / begun.elapsed().as_secs_f64())
}

/// Durable commits a second of `writers` that each wait for their own: one counter is counted up in each.
pub async fn commits(db: &Db, writers: usize, duration: Duration) -> Tried<f64> {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let db = db.clone();
        tasks.spawn(async move { commit_until(&db, writer, begun, duration).await });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task.map_err(Trouble::wrong)??;
    }
    Ok(whole(done) / begun.elapsed().as_secs_f64())
}

async fn commit_until(db: &Db, writer: usize, begun: Instant, duration: Duration) -> Tried<u64> {
    let tenant = TenantId::parse(tenant::WITH_CODE.id).ok_or_else(|| Trouble::wrong("not a tenant's id"))?;
    let mut done = 0;
    while begun.elapsed() < duration {
        let written = db.write(move |tx| {
            Box::pin(async move {
                let name = format!("bench:{writer}");
                let bucket = Bucket { name: &name, window: Span::days(1), limit: i64::MAX };
                throttle::spend(tx, tenant, &bucket, Timestamp::from_seconds(1)).await
            })
        });
        written.await.map_err(Trouble::wrong)?.map_err(|_| Trouble::wrong("the counter is full"))?;
        done += 1;
    }
    Ok(done)
}
