//! What one target may cost: how many requests are on their way to it at once, and how long it is left alone when it
//! does not answer. So a provider that is slow or down holds up those who want it and nobody else (security.md F15).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vestibule_rules::fault::{Fault, Outcome};

/// Requests on their way to one target; more wait, each within its own time.
const AT_ONCE: usize = 128;
/// So many requests in a row without an answer, and the target is left alone.
const PATIENCE: u32 = 5;
/// For how long. Then one request finds out whether it is back.
const REST: Duration = Duration::from_secs(10);
/// Targets that are remembered beyond their requests.
const REMEMBERED: usize = 4096;

/// All targets, by scheme, host and port.
#[derive(Default)]
pub(super) struct Targets(Mutex<HashMap<String, Arc<Target>>>);

struct Target {
    places: Arc<Semaphore>,
    health: Mutex<Health>,
}

/// What is known of a target's answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Health {
    /// Requests without an answer since the last answer.
    failures: u32,
    rests_until: Option<Instant>,
    /// One request is on its way to find out whether the target is back.
    probing: bool,
}

impl Health {
    /// Whether a request may go, and whether it is the one that finds out.
    fn admit(&mut self, now: Instant) -> Result<bool, ()> {
        match self.rests_until {
            None => Ok(false),
            Some(until) if now < until || self.probing => Err(()),
            Some(_) => {
                self.probing = true;
                Ok(true)
            }
        }
    }

    const fn answered(&mut self) {
        *self = Self { failures: 0, rests_until: None, probing: false };
    }

    fn failed(&mut self, now: Instant) {
        self.probing = false;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= PATIENCE {
            self.rests_until = now.checked_add(REST);
        }
    }
}

impl Targets {
    /// A place at the target, waited for when all are taken. A fault when it is being left alone.
    pub(super) async fn enter(&self, at: &str) -> Outcome<Place> {
        let target = self.find(at);
        // Nobody queues for a target that rests; one that begins to rest meanwhile turns the queue away.
        let mut probe = target.admit(at)?;
        let permit = Arc::clone(&target.places).acquire_owned().await;
        let permit = permit.map_err(|_| Fault::ours("the places of a target are closed"))?;
        if probe.is_none() {
            probe = target.admit(at)?;
        }
        Ok(Place { target, probe, _permit: permit })
    }

    fn find(&self, at: &str) -> Arc<Target> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = all.get(at) {
            return Arc::clone(target);
        }
        if all.len() >= REMEMBERED {
            // Whoever is in use or in trouble is kept.
            all.retain(|_, target| Arc::strong_count(target) > 1 || target.lock().failures > 0);
        }
        let target = Arc::new(Target { places: Arc::new(Semaphore::new(AT_ONCE)), health: Mutex::default() });
        all.insert(at.to_owned(), Arc::clone(&target));
        target
    }
}

impl Target {
    fn admit(self: &Arc<Self>, at: &str) -> Outcome<Option<Probe>> {
        match self.lock().admit(Instant::now()) {
            Ok(true) => Ok(Some(Probe(Arc::clone(self)))),
            Ok(false) => Ok(None),
            Err(()) => {
                Err(Fault::upstream(format!("{at} did not answer {PATIENCE} times in a row and rests")))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request that finds out. When whoever sent it goes away before there is an answer, the next one does.
struct Probe(Arc<Target>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.lock().probing = false;
    }
}

/// A request's place at its target.
pub(super) struct Place {
    target: Arc<Target>,
    probe: Option<Probe>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The target answered, whatever it said.
    pub(super) fn answered(self) {
        drop(self.probe);
        self.target.lock().answered();
    }

    /// There was no answer.
    pub(super) fn failed(self) {
        // The rest begins before anybody else may find out.
        self.target.lock().failed(Instant::now());
        drop(self.probe);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_does_not_answer_rests_and_one_request_finds_out_whether_it_is_back() {
        // F15
        let start = Instant::now();
        let mut health = Health::default();
        for _ in 0..PATIENCE {
            assert_eq!(health.admit(start), Ok(false));
            health.failed(start);
        }
        let just_before = start + REST.saturating_sub(Duration::from_millis(1));
        assert_eq!(health.admit(just_before), Err(()));
        assert_eq!(health.admit(start + REST), Ok(true));
        assert_eq!(health.admit(start + REST), Err(()), "one is enough");
        health.failed(start + REST);
        assert_eq!(health.admit(start + REST + REST / 2), Err(()));
        assert_eq!(health.admit(start + REST + REST), Ok(true));
        health.answered();
        assert_eq!(health, Health::default());
    }

    #[test]
    fn an_answer_between_failures_keeps_a_target_open() {
        let now = Instant::now();
        let mut health = Health::default();
        for _ in 0..PATIENCE * 3 {
            health.failed(now);
            health.answered();
        }
        assert_eq!(health.admit(now), Ok(false));
    }

    #[tokio::test]
    async fn places_are_bounded_for_each_target_and_given_back() {
        let targets = Targets::default();
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(targets.enter("https://slow.example").await.unwrap());
        }
        let waiting = targets.enter("https://slow.example");
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        targets.enter("https://quick.example").await.unwrap().answered();
        taken.pop().unwrap().answered();
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_queue_is_turned_away_when_its_target_begins_to_rest() {
        let targets = Targets::default();
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(targets.enter("https://down.example").await.unwrap());
        }
        let waiting = targets.enter("https://down.example");
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        for place in taken {
            place.failed();
        }
        let fault = waiting.await.err().unwrap();
        assert!(fault.detail.contains("rests"), "{}", fault.detail);
    }

    #[tokio::test]
    async fn whoever_finds_out_and_goes_away_leaves_it_to_the_next() {
        let targets = Targets::default();
        let target = targets.find("https://down.example");
        let long_ago = Instant::now().checked_sub(REST).unwrap();
        for _ in 0..PATIENCE {
            target.lock().failed(long_ago);
        }
        drop(targets.enter("https://down.example").await.unwrap());
        let place = targets.enter("https://down.example").await.unwrap();
        assert!(targets.enter("https://down.example").await.is_err());
        place.answered();
        targets.enter("https://down.example").await.unwrap();
    }

    #[test]
    fn targets_in_trouble_are_remembered_and_others_forgotten() {
        let targets = Targets::default();
        targets.find("https://down.example").lock().failed(Instant::now());
        for number in 0..REMEMBERED * 2 {
            targets.find(&format!("https://{number}.example"));
        }
        assert!(targets.0.lock().unwrap().len() <= REMEMBERED);
        assert_eq!(targets.find("https://down.example").lock().failures, 1);
    }
}
