//! Moves the stages of journeys that are over from their state to rows of their own.

use vestibule_rules::fault::Outcome;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::{Db, journeys, stages};

use crate::journey::stages::way;

/// Journeys that one transaction moves: it never holds up a visitor.
const BATCH: u32 = 50;
/// A request that began just before the end of a journey, or at a node whose clock is behind, is over by then.
const GRACE: Span = Span::minutes(1);

/// Moves the stages of every journey that is over; says of how many. Any number of nodes may do so at once:
/// whoever claims a journey moves it in the same transaction.
pub async fn move_stages(db: &Db, now: Timestamp) -> Outcome<u64> {
    let mut moved = 0;
    loop {
        let count = db.write(move |tx| {
            Box::pin(async move {
                let over = journeys::claim_over(tx, now - GRACE, now, BATCH).await?;
                let mut rows = Vec::new();
                for (tenant, journey) in &over {
                    rows.extend(way(tx, *tenant, journey, now).await?.rows);
                }
                stages::insert(tx, &rows).await?;
                Ok(over.len())
            })
        });
        match count.await? {
            0 => return Ok(moved),
            count => moved += u64::try_from(count).unwrap_or(u64::MAX),
        }
    }
}
