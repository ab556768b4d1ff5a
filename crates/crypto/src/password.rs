//! Password hashing: Argon2id (RFC 9106) with the parameters that OWASP gives as the floor, stored as PHC
//! strings, on a pool of its own so that a flood of sign-ups cannot starve everything else (security.md A9).
//!
//! The caller has already normalised the password to NFC; here its bytes count, all of them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;

use crate::constant_time;

/// 19 MiB, in KiB.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT: usize = 32;

/// Largest cost that an imported hash may ask for: 256 MiB. A stored row must not be able to exhaust memory.
const MEMORY_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;

/// Longest password in bytes, far above what a policy allows; it bounds the work for callers that forget to.
const PASSWORD_MAX: usize = 4096;

thread_local! {
    /// Argon2's working memory, kept per thread: getting 19 MiB of zeroed pages from the system for every
    /// hash costs about as much as a fifth of the hash.
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Hashes a password with today's parameters.
pub fn hash(password: &Secret<String>, salt: [u8; 16]) -> Outcome<String> {
    let params = todays_params()?;
    let output = derive(password, &salt, &params)?;
    encode(&params, &salt, &output)
}

/// Whether `password` is the one `phc` was made of. `phc` is Argon2id with whatever cost it names; a
/// stored text that is anything else is our fault and not a wrong password.
pub fn verify(password: &Secret<String>, phc: &str) -> Outcome<bool> {
    let stored = parse(phc)?;
    let output = derive(password, &stored.salt, &stored.params)?;
    Ok(constant_time::eq(&output, stored.output.as_bytes()))
}

/// Like [`verify`]; without a stored hash it does the same work and says no, so that nobody can measure
/// whether an account exists or has a password (security.md A69, U2).
pub fn verify_or_pretend(password: &Secret<String>, phc: Option<&str>) -> Outcome<bool> {
    let matches = verify(password, phc.unwrap_or(dummy()?))?;
    Ok(matches && phc.is_some())
}

/// Whether the hash is weaker than today's parameters and should be replaced at the next sign-in (A6).
pub fn needs_rehash(phc: &str) -> bool {
    parse(phc).map_or(true, |stored| {
        stored.params.m_cost() < MEMORY
            || stored.params.t_cost() < PASSES
            || stored.params.p_cost() != LANES
            || stored.output.as_bytes().len() < OUTPUT
    })
}

/// A hash that no password is known for, with today's parameters. Made once per process.
pub fn dummy() -> Outcome<&'static str> {
    static DUMMY: OnceLock<String> = OnceLock::new();
    if let Some(made) = DUMMY.get() {
        return Ok(made);
    }
    let made = encode(&todays_params()?, &crate::random::<16>(), &crate::random::<OUTPUT>())?;
    Ok(DUMMY.get_or_init(|| made))
}

fn todays_params() -> Outcome<Params> {
    Params::new(MEMORY, PASSES, LANES, Some(OUTPUT))
        .map_err(|error| Fault::ours(format!("bad Argon2 parameters: {error}")))
}

struct Stored {
    params: Params,
    salt: Salt,
    output: Output,
}

fn parse(phc: &str) -> Outcome<Stored> {
    let unusable = |why: &str| Fault::ours(format!("a stored password hash cannot be used: {why}"));
    let stored = PasswordHash::new(phc).map_err(|_| unusable("it is not a PHC string"))?;
    if stored.algorithm != ARGON2ID_IDENT || stored.version != Some(u32::from(Version::V0x13)) {
        return Err(unusable("it is not Argon2id version 19"));
    }
    let params = Params::try_from(&stored).map_err(|_| unusable("its parameters are not valid"))?;
    if params.m_cost() > MEMORY_MAX || params.t_cost() > PASSES_MAX {
        return Err(unusable("it costs too much"));
    }
    match (stored.salt, stored.hash) {
        (Some(salt), Some(output)) => Ok(Stored { params, salt, output }),
        _ => Err(unusable("salt or hash is missing")),
    }
}

fn encode(params: &Params, salt: &[u8], output: &[u8]) -> Outcome<String> {
    let broken = |_| Fault::ours("a password hash could not be encoded");
    let phc = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(u32::from(Version::V0x13)),
        params: ParamsString::try_from(params).map_err(|_| Fault::ours("bad Argon2 parameters"))?,
        salt: Some(Salt::new(salt).map_err(broken)?),
        hash: Some(Output::new(output).map_err(broken)?),
    };
    Ok(phc.to_string())
}

fn derive(password: &Secret<String>, salt: &[u8], params: &Params) -> Outcome<Vec<u8>> {
    if password.expose().len() > PASSWORD_MAX {
        return Err(Fault::malformed("password", "the password is too long to be hashed"));
    }
    let mut output = vec![0; params.output_len().unwrap_or(OUTPUT)];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    BLOCKS.with_borrow_mut(|blocks| {
        if blocks.len() < params.block_count() {
            blocks.resize(params.block_count(), Block::default());
        }
        argon2
            .hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, &mut *blocks)
            .map_err(|error| Fault::ours(format!("Argon2 failed: {error}")))?;
        // An imported, more expensive hash must not make this thread hold its memory for ever.
        let most = MEMORY as usize;
        if blocks.len() > most {
            blocks.truncate(most);
            blocks.shrink_to_fit();
        }
        Ok(output)
    })
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that do nothing but hash, with a bounded queue in front. A full queue is an answer ("try again")
/// and never a growing backlog. The threads end when the pool is dropped.
pub struct HashPool {
    queue: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    most: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl HashPool {
    /// What a caller is told to wait when the queue is full.
    const RETRY_AFTER: Span = Span::seconds(2);

    /// How long an idle thread keeps its working memory.
    const IDLE: Duration = Duration::from_secs(10);

    /// Starts `threads` threads, which should be the number of cores, with room for `queue` waiting jobs.
    pub fn new(threads: usize, queue: usize) -> Outcome<Self> {
        let queue =
            Arc::new(Queue { waiting: Mutex::default(), changed: Condvar::new(), most: queue.max(1) });
        let pool = Self { queue };
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&pool.queue);
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || queue.work())
                .map_err(|error| Fault::ours(format!("a hashing thread could not be started: {error}")))?;
        }
        Ok(pool)
    }

    /// Runs `job` on one of the threads. Nothing is computed for a caller that has gone away.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let job = move || {
            if !reply.is_closed() {
                // The receiver may have gone meanwhile; then nobody wants the result.
                let _ = reply.send(job());
            }
        };
        self.queue.push(Box::new(job))?;
        answer.await.map_err(|_| Fault::ours("a hashing job panicked"))
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    /// Nothing panics while the lock is held, so a poisoned lock still guards a good queue.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Outcome<()> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.most {
            return Err(Fault::throttled(HashPool::RETRY_AFTER));
        }
        waiting.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // A panic in one job must not take a thread from all later ones; its caller sees a fault.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Waits for a job; `None` when the pool is gone. A thread that has waited long gives its memory back.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            let (still, result) =
                self.changed.wait_timeout(waiting, HashPool::IDLE).unwrap_or_else(PoisonError::into_inner);
            waiting = still;
            if result.timed_out() {
                drop(waiting);
                BLOCKS.take();
                waiting = self.lock();
                waiting = self
                    .changed
                    .wait_while(waiting, |waiting| waiting.jobs.is_empty() && !waiting.closed)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_hash_names_argon2id_and_its_cost() {
        let phc = hash(&secret("correct horse battery staple"), [1; 16]).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(!needs_rehash(&phc));
        assert!(verify(&secret("correct horse battery staple"), &phc).unwrap());
        assert!(!verify(&secret("correct horse battery stapl"), &phc).unwrap());
        assert_ne!(phc, hash(&secret("correct horse battery staple"), [2; 16]).unwrap());
    }

    #[test]
    fn the_derivation_agrees_with_the_reference_implementation() {
        // test.c of the reference implementation: version 19, t=2, m=256, p=1, password, somesalt.
        let phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert!(verify(&secret("password"), phc).unwrap());
        assert!(needs_rehash(phc));
    }

    #[test]
    fn every_byte_counts() {
        let long = "x".repeat(100);
        for (one, other) in [
            (format!("{long}a"), format!("{long}b")),
            ("a\0b".to_owned(), "a\0c".to_owned()),
            ("a".to_owned(), "a\0".to_owned()),
            ("👩‍👩‍👧".to_owned(), "👩‍👩‍👦".to_owned()),
        ] {
            let phc = hash(&secret(&one), [9; 16]).unwrap();
            assert!(verify(&secret(&one), &phc).unwrap());
            assert!(!verify(&secret(&other), &phc).unwrap());
        }
        assert!(hash(&secret(&"x".repeat(4097)), [9; 16]).is_err());
    }

    #[test]
    fn an_absent_user_costs_the_same_and_never_matches() {
        let stored = PasswordHash::new(dummy().unwrap()).unwrap();
        assert_eq!(Params::try_from(&stored).unwrap().m_cost(), MEMORY);
        assert!(!needs_rehash(dummy().unwrap()));
        assert!(!verify_or_pretend(&secret("anything"), None).unwrap());
        let phc = hash(&secret("p"), [1; 16]).unwrap();
        assert!(verify_or_pretend(&secret("p"), Some(&phc)).unwrap());
        assert!(!verify_or_pretend(&secret("q"), Some(&phc)).unwrap());
    }

    #[test]
    fn a_stored_text_that_is_no_usable_hash_is_a_fault() {
        for phc in [
            "",
            "plain",
            "$2b$10$abcdefghijklmnopqrstuv",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
        ] {
            assert!(verify(&secret("password"), phc).is_err(), "{phc}");
            assert!(needs_rehash(phc));
        }
    }

    #[test]
    fn memory_of_an_earlier_hash_does_not_change_a_later_one() {
        let first = hash(&secret("one"), [1; 16]).unwrap();
        hash(&secret("two"), [2; 16]).unwrap();
        assert_eq!(first, hash(&secret("one"), [1; 16]).unwrap());
    }

    struct Unpark(std::thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let thread = std::thread::current();
        let waker = Arc::new(Unpark(thread)).into();
        let mut context = std::task::Context::from_waker(&waker);
        loop {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            std::thread::park();
        }
    }

    #[test]
    fn a_full_queue_is_an_answer() {
        let pool = Arc::new(HashPool::new(1, 1).unwrap());
        let (started, is_started) = channel();
        let (release, released) = channel::<()>();
        let busy = std::thread::spawn({
            let pool = Arc::clone(&pool);
            move || {
                block_on(pool.run(move || {
                    started.send(()).unwrap();
                    released.recv().unwrap();
                    1
                }))
            }
        });
        is_started.recv().unwrap();
        // The thread is busy: one job fits into the queue, the next does not.
        let mut waiting = Box::pin(pool.run(|| 2));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        let refused = block_on(pool.run(|| 3)).unwrap_err();
        assert!(matches!(refused.kind, vestibule_rules::fault::Kind::Throttled(_)));
        release.send(()).unwrap();
        assert_eq!(busy.join().unwrap().unwrap(), 1);
        assert_eq!(block_on(waiting).unwrap(), 2);
    }

    #[test]
    fn a_panic_costs_one_job_and_no_thread() {
        let pool = HashPool::new(1, 4).unwrap();
        assert!(block_on(pool.run(|| -> u8 { panic!("as the test wants") })).is_err());
        assert_eq!(block_on(pool.run(|| 7)).unwrap(), 7);
    }

    #[test]
    fn a_caller_that_left_costs_nothing() {
        let pool = Arc::new(HashPool::new(1, 4).unwrap());
        let (started, is_started) = channel();
        let (release, released) = channel::<()>();
        let busy = std::thread::spawn({
            let pool = Arc::clone(&pool);
            move || {
                block_on(pool.run(move || {
                    started.send(()).unwrap();
                    released.recv().unwrap();
                }))
            }
        });
        is_started.recv().unwrap();
        let (ran, has_run) = channel();
        let mut abandoned = Box::pin(pool.run(move || ran.send(()).unwrap()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(abandoned.as_mut().poll(&mut context).is_pending());
        drop(abandoned);
        release.send(()).unwrap();
        busy.join().unwrap().unwrap();
        block_on(pool.run(|| ())).unwrap();
        assert!(has_run.recv().is_err(), "the job of a caller that left must not run");
    }
}
