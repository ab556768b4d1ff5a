//! What the server acknowledged, and whether the database agrees.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};
use vestibule_bench::mailbox::PostOffice;
use vestibule_bench::tenant::{self, Tenant};
use vestibule_bench::visitor::Visitor;
use vestibule_bench::{Tried, Trouble};

/// Every account with what belongs to it.
const ACCOUNTS: &str = "
    SELECT u.tenant_id, u.mail, u.attributes || coalesce(u.display_name, ''),
        (SELECT count(*) FROM user_identity i WHERE i.tenant_id = u.tenant_id AND i.user_id = u.id),
        (SELECT count(*) FROM user_password p WHERE p.tenant_id = u.tenant_id AND p.user_id = u.id),
        (SELECT count(*) FROM audit_entry a WHERE a.tenant_id = u.tenant_id AND a.target_id = u.id
            AND a.action = 'userCreation')
    FROM user_account u";
/// Letters that have not left, or of which nobody knows.
const WAITING: &str = "SELECT count(*) FROM outbox_mail WHERE done_at IS NULL";

/// The test's own books.
pub(super) struct Ledger {
    database: Mutex<Connection>,
    acknowledged: Mutex<BTreeMap<String, Account>>,
    /// Who waited for a letter that was on its way when the server died.
    stranded: Mutex<Vec<String>>,
    finished: AtomicUsize,
    checked: AtomicUsize,
    closed: AtomicBool,
}

/// An account as it must be.
#[derive(Clone)]
struct Account {
    tenant: &'static Tenant,
    said: String,
}

/// An account as it is.
struct Found {
    tenant: String,
    /// Everything that was said when it was made.
    said: String,
    identities: i64,
    passwords: i64,
    creations: i64,
}

impl Ledger {
    /// Books about a database that exists.
    pub(super) fn new(path: &Path) -> Self {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        database.execute_batch("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000").unwrap();
        Self {
            database: Mutex::new(database),
            acknowledged: Mutex::default(),
            stranded: Mutex::default(),
            finished: AtomicUsize::new(0),
            checked: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn acknowledge(&self, visitor: &Visitor) {
        let account = Account { tenant: visitor.tenant, said: visitor.said() };
        lock(&self.acknowledged).insert(visitor.address.clone(), account);
    }

    pub(super) fn stranded(&self, address: &str) {
        lock(&self.stranded).push(address.to_owned());
    }

    pub(super) fn finish(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn acknowledged(&self) -> usize {
        lock(&self.acknowledged).len()
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "{} checks, {} sign-ups acknowledged, {} finished, {} waited for a letter in vain",
            self.checked.load(Ordering::Relaxed),
            self.acknowledged(),
            self.finished.load(Ordering::Relaxed),
            lock(&self.stranded).len()
        )
    }

    /// Whether the database is whole, and has what was acknowledged so far, once.
    pub(super) fn check(&self, office: &PostOffice) -> Tried<()> {
        // Taken before the database is read: what is acknowledged meanwhile need not be seen.
        let acknowledged = lock(&self.acknowledged).clone();
        let stranded = lock(&self.stranded).clone();
        let database = lock(&self.database);
        whole(&database).map_err(Trouble::wrong)?;
        let mut found = BTreeMap::new();
        for (address, account) in accounts(&database).map_err(Trouble::wrong)? {
            account.judge().map_err(|why| Trouble::wrong(format!("{address}: {why}")))?;
            if found.insert(address.clone(), account).is_some() {
                return Err(Trouble::wrong(format!("{address} has two accounts")));
            }
        }
        for (address, expected) in &acknowledged {
            let found = found.get(address);
            let found = found.ok_or_else(|| Trouble::wrong(format!("the account of {address} is lost")))?;
            if found.tenant != expected.tenant.id || !found.said.contains(&expected.said) {
                return Err(Trouble::wrong(format!("{address} is not as it was acknowledged")));
            }
        }
        if let Some(address) = stranded.iter().find(|address| found.contains_key(*address)) {
            return Err(Trouble::wrong(format!("{address} has an account without a proven mailbox")));
        }
        let waiting: i64 = database.query_row(WAITING, (), |row| row.get(0)).map_err(Trouble::wrong)?;
        // A letter that a dead process had claimed leaves when the claim runs out: late, but it came.
        let missing = stranded.iter().filter(|address| !office.came_late(address)).count();
        let lost = missing.saturating_sub(usize::try_from(waiting).unwrap_or(0));
        if lost > 0 {
            return Err(Trouble::wrong(format!("{lost} letters are lost")));
        }
        self.checked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Found {
    /// An account is there with everything that belongs to it or not at all, whoever acknowledged it.
    fn judge(&self) -> Result<(), String> {
        // A customer has a name of the directory beside the address (DIR-02), and the password.
        let (identities, passwords) = if self.tenant == tenant::WITH_PASSWORD.id { (2, 1) } else { (1, 0) };
        let (is, must) = ((self.identities, self.passwords, self.creations), (identities, passwords, 1));
        if is == must {
            Ok(())
        } else {
            Err(format!("identities, passwords, audit entries: {is:?}, not {must:?}"))
        }
    }
}

fn accounts(database: &Connection) -> rusqlite::Result<Vec<(String, Found)>> {
    let mut statement = database.prepare_cached(ACCOUNTS)?;
    let rows = statement.query_map((), |row| {
        let found = Found {
            tenant: row.get(0)?,
            said: row.get(2)?,
            identities: row.get(3)?,
            passwords: row.get(4)?,
            creations: row.get(5)?,
        };
        Ok((row.get(1)?, found))
    })?;
    rows.collect()
}

fn whole(database: &Connection) -> Result<(), String> {
    let said: String = database
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))
        .map_err(|error| error.to_string())?;
    if said != "ok" {
        return Err(format!("the database is damaged: {said}"));
    }
    let mut orphans = database.prepare("PRAGMA foreign_key_check").map_err(|error| error.to_string())?;
    match orphans.exists(()) {
        Ok(false) => Ok(()),
        Ok(true) => Err("a row refers to one that is not there".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
