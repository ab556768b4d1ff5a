//! Many visitors at once, and what they cost.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::mailbox::PostOffice;
use crate::provider::Provider;
use crate::server::{self, Place};
use crate::tenant::Tenant;
use crate::trouble::Tried;
use crate::visitor::Visitor;

/// Numbers of visitors who wait at silent providers begin here.
pub(crate) const SILENCE: u64 = 90_000_000;
/// Caches fill, statements are prepared, the pool of connections grows.
pub(crate) const WARM_UP: Duration = Duration::from_secs(2);

/// What one run showed.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub completed: u64,
    pub failed: u64,
    pub first_failure: Option<String>,
    pub seconds: f64,
    pub server_cpu_milliseconds: u64,
    /// Processor time of the provider's thread; it runs on the same cores.
    pub provider_cpu_milliseconds: u64,
    /// From the first request to the tokens, sorted.
    pub took: Vec<Duration>,
    /// Resident memory of the server after the run.
    pub resident_kib: u64,
}

impl Figures {
    /// Completed sign-ups a second.
    pub fn rate(&self) -> f64 {
        whole(self.completed) / self.seconds
    }

    /// Processor time of the server for one.
    pub fn cpu_each(&self) -> f64 {
        whole(self.server_cpu_milliseconds) / whole(self.completed.max(1))
    }

    /// Processor time of the provider for one.
    pub fn provider_cpu_each(&self) -> f64 {
        whole(self.provider_cpu_milliseconds) / whole(self.completed.max(1))
    }

    /// Completed sign-ups a second if what the provider took of the machine's `cores` had been left to the rest.
    pub fn rate_without_provider(&self, cores: usize) -> f64 {
        let all = self.seconds * whole(u64::try_from(cores).unwrap_or(1));
        let taken = whole(self.provider_cpu_milliseconds) / 1_000.0;
        self.rate() * all / (all - taken).max(f64::MIN_POSITIVE)
    }

    /// The time within which this share of the visitors was done.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.took.len() * percent / 100).min(self.took.len().saturating_sub(1));
        self.took.get(at).copied().unwrap_or_default()
    }
}

/// A count as a number to calculate with; counts here are far below where that loses a digit.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
pub fn whole(number: u64) -> f64 {
    number as f64
}

/// How much load.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub visitors: usize,
    pub duration: Duration,
    /// The number of the first visitor: nobody signs up twice.
    pub first: u64,
}

#[derive(Default)]
struct Tally {
    next: u64,
    counting: bool,
    over: bool,
    figures: Figures,
}

/// Who visitors meet beside the server.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub office: &'a PostOffice,
    pub provider: &'a Provider,
}

/// Runs visitors against a server that is ready.
pub async fn run(
    place: &Place,
    pid: u32,
    Around { office, provider }: Around<'_>,
    tenant: &'static Tenant,
    plan: Plan,
) -> Tried<Figures> {
    let tally = Rc::new(RefCell::new(Tally { next: plan.first, ..Tally::default() }));
    let local = LocalSet::new();
    let mut slots = Vec::new();
    for _ in 0..plan.visitors {
        slots.push(local.spawn_local(slot(Rc::clone(&tally), tenant, place.port, office.clone())));
    }
    let measured = local
        .run_until(async {
            wait(WARM_UP).await;
            let (cpu, begun) = (server::cpu_milliseconds(pid)?, Instant::now());
            let theirs = provider.cpu_milliseconds()?;
            tally.borrow_mut().counting = true;
            wait(plan.duration).await;
            let mut tally = tally.borrow_mut();
            tally.over = true;
            tally.figures.seconds = begun.elapsed().as_secs_f64();
            tally.figures.server_cpu_milliseconds = server::cpu_milliseconds(pid)? - cpu;
            tally.figures.provider_cpu_milliseconds = provider.cpu_milliseconds()? - theirs;
            Ok(std::mem::take(&mut tally.figures))
        })
        .await;
    // Whoever is on the way is let through, so that the next run begins with an idle server.
    local.await;
    let mut figures: Figures = measured?;
    figures.took.sort_unstable();
    figures.resident_kib = server::resident_kib(pid)?;
    Ok(figures)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark lasts as long as it was told to")]
pub(crate) async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

async fn slot(tally: Rc<RefCell<Tally>>, tenant: &'static Tenant, port: u16, office: PostOffice) {
    while !tally.borrow().over {
        let number = {
            let mut tally = tally.borrow_mut();
            tally.next += 1;
            tally.next
        };
        let begun = Instant::now();
        let result = Visitor::new(tenant, number, port, &office).sign_up().await;
        let mut tally = tally.borrow_mut();
        if !tally.counting || tally.over {
            continue;
        }
        match result {
            Ok(_) => {
                tally.figures.completed += 1;
                tally.figures.took.push(begun.elapsed());
            }
            Err(trouble) => {
                tally.figures.failed += 1;
                tally.figures.first_failure.get_or_insert_with(|| trouble.to_string());
            }
        }
    }
}
