//! Whom a change hits before it is made (sign-up.md EXIST-06). Only what is lost is counted.

use std::fmt;

use vestibule_rules::directory::loss::{self, How, Loss};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::directory::user::ObjectIdentity;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::time::Timestamp;
use vestibule_store::ReadTx;
use vestibule_store::reach::{self, Accounts, Left};

/// Something that is lost, and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The tenant's short name.
    pub tenant_name: String,
    /// What is lost.
    pub loss: Loss,
    /// Whose it is.
    pub whose: Whose,
}

/// Who misses what is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Accounts that sign in with it.
    Accounts(Accounts),
    /// Living grants, and the sessions in which they were given.
    Grants {
        /// How many are alive.
        grants: i64,
        /// In how many sessions they were given.
        sessions: i64,
    },
    /// Everybody who comes.
    Everybody,
}

/// Counts what is lost from one form of a tenant to the other. `origin` is what `{origin}` in a provider's
/// issuer stands for. What nobody uses is left out.
pub(super) async fn count(
    tx: &mut ReadTx,
    (before, after): (&TenantConfig, &TenantConfig),
    now: Timestamp,
    origin: &str,
) -> Outcome<Vec<Hit>> {
    let tenant = before.tenant.id;
    let mut hits = Vec::new();
    for loss in loss::lost(before, after) {
        let whose = match &loss {
            Loss::Provider { issuer, left, .. } => {
                let issuer = issuer.replace("{origin}", origin);
                let left = Placed::new(tx, tenant, (left, origin)).await?;
                Whose::Accounts(of_issuer(tx, tenant, &issuer, &left).await?)
            }
            Loss::Local { left, .. } => {
                let left = Placed::new(tx, tenant, (left, origin)).await?;
                let codes = of_issuer(tx, tenant, ObjectIdentity::MAIL_ISSUER, &left).await?;
                let issuers = left.issuers();
                let left = Left { issuers: &issuers, local: left.local };
                let passwords = reach::with_password(tx, tenant, left).await?;
                Whose::Accounts(Accounts {
                    all: codes.all + passwords.all,
                    stranded: codes.stranded + passwords.stranded,
                })
            }
            Loss::Application { client, .. } => {
                let (grants, sessions) = reach::live_grants(tx, tenant, *client, now).await?;
                Whose::Grants { grants, sessions }
            }
            Loss::Unserved { .. } => Whose::Everybody,
        };
        if whose.is_somebody() {
            hits.push(Hit { tenant_name: before.tenant.short_name.clone(), loss, whose });
        }
    }
    Ok(hits)
}

/// What is left, with issuers as identities name them.
struct Placed {
    issuers: Vec<String>,
    local: bool,
}

impl Placed {
    async fn new(tx: &mut ReadTx, tenant: TenantId, (left, origin): (&loss::Left, &str)) -> Outcome<Self> {
        let mut issuers = Vec::new();
        for issuer in &left.issuers {
            issuers.extend(reach::issuers_of(tx, tenant, &issuer.replace("{origin}", origin)).await?);
        }
        Ok(Self { issuers, local: left.local })
    }

    fn issuers(&self) -> Vec<&str> {
        self.issuers.iter().map(String::as_str).collect()
    }
}

async fn of_issuer(tx: &mut ReadTx, tenant: TenantId, issuer: &str, left: &Placed) -> Outcome<Accounts> {
    let issuers = left.issuers();
    reach::of_issuer(tx, tenant, issuer, Left { issuers: &issuers, local: left.local }).await
}

impl Whose {
    const fn is_somebody(self) -> bool {
        match self {
            Self::Accounts(accounts) => accounts.all > 0,
            Self::Grants { grants, .. } => grants > 0,
            Self::Everybody => true,
        }
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.tenant_name)?;
        match &self.loss {
            Loss::Provider { name, how, .. } => {
                write!(f, "identity provider “{name}” ")?;
                match how {
                    How::Removed => f.write_str("is removed"),
                    How::SwitchedOff => f.write_str("is switched off"),
                    How::Replaced => f.write_str("gets another issuer"),
                    How::OffFlows(flows) => write!(f, "is no longer offered by {}", named(flows)),
                }
            }
            Loss::Local { flows, .. } if flows.is_empty() => {
                f.write_str("nobody can type an email address any more")
            }
            Loss::Local { flows, .. } => {
                write!(f, "nobody can type an email address any more in {}", named(flows))
            }
            Loss::Application { name, .. } => write!(f, "application “{name}” is removed"),
            Loss::Unserved { flow, applications, signs_in } => {
                let lost = if *signs_in { "sign up" } else { "sign up or sign in" };
                write!(f, "without “{flow}” nobody can {lost} for {}", named(applications))
            }
        }?;
        write!(f, "{}", self.whose)
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accounts(Accounts { all, stranded }) => {
                let sign = if *all == 1 { "account signs" } else { "accounts sign" };
                write!(f, "; {all} {sign} in that way, {stranded} of them in no other")
            }
            Self::Grants { grants, sessions } => {
                let one = |n: i64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
                write!(f, "; {} of {} to it end", one(*grants, "grant"), one(*sessions, "session"))
            }
            Self::Everybody => Ok(()),
        }
    }
}

fn named(names: &[String]) -> String {
    names.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ")
}
