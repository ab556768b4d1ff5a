//! `kill -9` at any moment of a sign-up loses nothing that was acknowledged (security.md 5.2, F1).
//!
//! Visitors sign up without a pause while the server is killed and started again on the same data. Each goes
//! on where it was cut off, as a person with a reload button does, and notes what the server acknowledged.
//! After every start the database is whole and holds exactly what was acknowledged, and every visitor who
//! got as far as the app can still do what was granted.

mod ledger;
mod story;

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use vestibule_bench::mailbox::PostOffice;
use vestibule_bench::server::{Place, Server};
use vestibule_bench::{Tried, Trouble, tenant};

use self::ledger::Ledger;

const KILLS: usize = 200;
const VISITORS: usize = 12;
/// Answers that a server gives at most before it is killed.
const LIFE: u64 = 60;
/// Of so many answers, none may be missing for longer than this.
const PATIENCE: Duration = Duration::from_secs(15);

/// What everybody shares.
struct World {
    place: Place,
    office: PostOffice,
    ledger: Ledger,
    up: watch::Sender<bool>,
    answers: watch::Sender<u64>,
}

#[tokio::test]
async fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (office, mail_port) = PostOffice::open().await.unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_vestibule"));
    let place = Place::prepare(program, folder.path(), (mail_port, None), None).unwrap();
    place.apply().unwrap();
    let ledger = Ledger::new(&folder.path().join("vestibule.db"));
    let (up, answers) = (watch::Sender::new(false), watch::Sender::new(0));
    let world = Rc::new(World { place, office, ledger, up, answers });

    LocalSet::new().run_until(kill_and_kill_again(world)).await;
}

async fn kill_and_kill_again(world: Rc<World>) {
    let mut visitors = JoinSet::new();
    for slot in 0..VISITORS {
        visitors.spawn_local(story::live(Rc::clone(&world), slot));
    }
    let mut slowest = Duration::ZERO;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 1..=KILLS {
        let started = Instant::now();
        let server = world.place.start().await.unwrap();
        slowest = slowest.max(started.elapsed());
        let lived = live(&world, server, &mut random).await;
        // A visitor who found something wrong knows better what it is.
        if let Some(ended) = visitors.try_join_next() {
            panic!("round {round}: a visitor gave up: {:?}", ended.unwrap());
        }
        lived.unwrap_or_else(|trouble| panic!("round {round}: {trouble}"));
    }
    // Whoever is on the way comes to the end with a server that lives.
    let server = world.place.start().await.unwrap();
    world.ledger.close();
    world.up.send_replace(true);
    while let Some(ended) = visitors.join_next().await {
        ended.unwrap().unwrap();
    }
    world.ledger.check(&world.office).unwrap();
    println!("{KILLS} kills, slowest start {slowest:?}, {}", world.ledger.summary());
    assert!(world.ledger.acknowledged() > KILLS, "hardly anybody signed up: {}", world.ledger.summary());
    server.kill().await.unwrap();
}

/// The life of one server: it is checked what it found, it serves, it is killed.
async fn live(world: &World, mut server: Server, random: &mut Random) -> Tried<()> {
    let mut answers = world.answers.subscribe();
    let last = *answers.borrow_and_update() + random.below(LIFE);
    // The server has recovered what the last one left, and nobody helped it.
    world.ledger.check(&world.office)?;
    world.up.send_replace(true);
    let enough = tokio::time::timeout(PATIENCE, answers.wait_for(|answers| *answers >= last)).await;
    enough.map_err(|_| Trouble::wrong("the server does not answer"))?.map_err(Trouble::wrong)?;
    // Not just after an answer, but anywhere between two.
    let moment = Duration::from_micros(random.below(5_000));
    let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
    if server.ended() {
        return Err(Trouble::wrong("the server ended by itself"));
    }
    world.up.send_replace(false);
    server.kill().await
}

/// Numbers that look random (xorshift); the same in each run, the moments are not.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Three of four prove a mailbox only, the fourth chooses a password as well.
const fn tenant_of(number: u64) -> &'static tenant::Tenant {
    if number.is_multiple_of(4) { &tenant::WITH_PASSWORD } else { &tenant::WITH_CODE }
}
