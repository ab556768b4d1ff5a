//! The figures as lines of text.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use vestibule_bench::load::{Figures, whole};
use vestibule_bench::startup::Start;
use vestibule_bench::tenant::{self, Tenant};
use vestibule_bench::visitor::Cost;
use vestibule_bench::{Tried, Trouble};
use vestibule_testkit::engines::Engine;

/// What it ran on.
pub(crate) fn machine(cores: usize) {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    println!("machine: {cores} cores, {}", model.trim_start_matches([':', ' ', '\t']));
}

/// Nothing but hashes.
pub(crate) fn hashes(rate: f64, cores: usize) {
    println!("bare Argon2id (19 MiB, t=2, p=1): {rate:.1}/s on {cores} cores");
}

/// Nothing but signatures.
pub(crate) fn signatures(engine: Engine, rate: f64) {
    println!("{engine:?}: bare RSA-2048 signatures: {rate:.0}/s on one core");
}

/// One operation of apps.
pub(crate) fn operation(
    engine: Engine,
    (algorithm, name): (&str, &str),
    connections: usize,
    figures: &Figures,
) {
    println!(
        "{engine:?}, {algorithm}, {name}: {:.0}/s, {:.2} s of server CPU for 1,000, p50 {:.2} ms, p95 {:.2} ms \
         ({connections} connections, {} in {:.1} s, {} failed)",
        figures.rate(),
        figures.cpu_each(),
        figures.percentile(50).as_secs_f64() * 1_000.0,
        figures.percentile(95).as_secs_f64() * 1_000.0,
        figures.completed,
        figures.seconds,
        figures.failed,
    );
    if let Some(failure) = &figures.first_failure {
        println!("  the first failure: {failure}");
    }
}

/// Nothing but commits.
pub(crate) fn commits(engine: Engine, alone: f64, (writers, together): (usize, f64)) {
    println!(
        "{engine:?}: bare durable commits: {alone:.0}/s one after another, {together:.0}/s of {writers} writers"
    );
}

/// What is left when everybody has gone.
pub(crate) fn idle(engine: Engine, kib: u64) {
    println!("{engine:?}: {:.1} MB resident when idle again", whole(kib) / 1024.0);
}

/// Several starts: the middle one, and the slowest.
pub(crate) fn starts(what: &str, mut starts: Vec<Start>, idle_kib: u64) {
    starts.sort_unstable_by_key(|start| start.answered);
    let milliseconds = |start: Option<&Start>| {
        start.map_or((0, 0), |start| (start.described.as_millis(), start.answered.as_millis()))
    };
    let (described, answered) = milliseconds(starts.get(starts.len() / 2));
    let (_, slowest) = milliseconds(starts.last());
    println!(
        "demo, {what}: demo.json after {described} ms, first page after {answered} ms (slowest of {}: {slowest} ms), \
         {:.1} MB resident when idle",
        starts.len(),
        whole(idle_kib) / 1024.0
    );
}

/// One run.
pub(crate) fn load(engine: Engine, tenant: &Tenant, visitors: usize, figures: &Figures, hashes: Option<f64>) {
    let ratio = hashes.filter(|_| *tenant == tenant::WITH_PASSWORD);
    let ratio = ratio.map(|bare| format!(", {:.0} % of the bare hash", 100.0 * figures.rate() / bare));
    println!(
        "{engine:?}, {}: {:.1} sign-ups/s{}, {:.2} ms of server CPU each, p50 {} ms, p95 {} ms \
         ({} in {:.0} s, {visitors} visitors, {} failed, {:.0} MB resident)",
        tenant.mode,
        figures.rate(),
        ratio.unwrap_or_default(),
        figures.cpu_each(),
        figures.percentile(50).as_millis(),
        figures.percentile(95).as_millis(),
        figures.completed,
        figures.seconds,
        figures.failed,
        whole(figures.resident_kib) / 1024.0
    );
    if *tenant == tenant::WITH_PROVIDER {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        println!(
            "  the provider took {:.2} ms of CPU each; without it {:.1} sign-ups/s",
            figures.provider_cpu_each(),
            figures.rate_without_provider(cores)
        );
    }
    if let Some(failure) = &figures.first_failure {
        println!("  the first failure: {failure}");
    }
}

/// The form while others wait at providers that never answer.
pub(crate) fn silence(engine: Engine, waiting: u64, cost: &Cost, grown_kib: u64) {
    let middle = cost.took.get(cost.took.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1_000.0;
    println!(
        "{engine:?}: the form with {waiting} visitors waiting at silent providers: p50 {middle:.2} ms, {:.1} MB more resident",
        whole(grown_kib) / 1024.0
    );
}

/// The form with twenty questions.
pub(crate) fn page(engine: Engine, cost: &Cost) -> Tried<()> {
    let compressed = |bytes: &[u8]| -> Tried<usize> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).map_err(Trouble::wrong)?;
        Ok(encoder.finish().map_err(Trouble::wrong)?.len())
    };
    let mut css = 0;
    for sheet in &cost.css {
        css += compressed(sheet)?;
    }
    let at = |percent: usize| {
        let nth = cost.took.len() * percent / 100;
        cost.took.get(nth).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    };
    println!(
        "{engine:?}: a form of twenty questions: p50 {:.2} ms, p95 {:.2} ms ({} requests); compressed {} bytes of HTML and {css} of CSS",
        at(50),
        at(95),
        cost.took.len(),
        compressed(&cost.html)?,
    );
    Ok(())
}
