//! Whom a removal would hit (sign-up.md EXIST-06). Each count is keyed by what is removed, and nothing is
//! counted that stays.

use vestibule_rules::directory::user::ObjectIdentity;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, TenantId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row};
use crate::{statements, values};

// What remains is one text, ` issuer issuer `, as neither engine takes a list; an issuer has no spaces. An
// issuer that is in the text is found by what happens when it is taken out of it.
statements! {
    OF_ISSUER = "SELECT COUNT(DISTINCT i.user_id) FROM user_identity AS i
                 JOIN user_account AS u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
                 WHERE i.tenant_id = $1 AND u.deleted_at IS NULL
                   AND (i.issuer = $2 OR i.issuer LIKE CAST($3 AS TEXT) ESCAPE '!')";
    ISSUERS_LIKE = "SELECT DISTINCT issuer FROM user_identity
                    WHERE tenant_id = $1 AND issuer LIKE CAST($2 AS TEXT) ESCAPE '!' ORDER BY issuer";
    STRANDED = "SELECT COUNT(DISTINCT i.user_id) FROM user_identity AS i
                JOIN user_account AS u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
                WHERE i.tenant_id = $1 AND u.deleted_at IS NULL
                  AND (i.issuer = $2 OR i.issuer LIKE CAST($5 AS TEXT) ESCAPE '!')
                  AND NOT EXISTS (
                      SELECT 1 FROM user_identity AS o
                      WHERE o.tenant_id = i.tenant_id AND o.user_id = i.user_id
                        AND REPLACE(CAST($3 AS TEXT), ' ' || o.issuer || ' ', '') <> CAST($3 AS TEXT))
                  AND NOT EXISTS (
                      SELECT 1 FROM user_password AS p
                      WHERE p.tenant_id = i.tenant_id AND p.user_id = i.user_id AND CAST($4 AS BIGINT) = 1)";
    OF_PASSWORD = "SELECT COUNT(*) FROM user_password AS p
                   JOIN user_account AS u ON u.tenant_id = p.tenant_id AND u.id = p.user_id
                   WHERE p.tenant_id = $1 AND u.deleted_at IS NULL";
    STRANDED_PASSWORD = "SELECT COUNT(*) FROM user_password AS p
                         JOIN user_account AS u ON u.tenant_id = p.tenant_id AND u.id = p.user_id
                         WHERE p.tenant_id = $1 AND u.deleted_at IS NULL
                           AND NOT EXISTS (
                               SELECT 1 FROM user_identity AS o
                               WHERE o.tenant_id = p.tenant_id AND o.user_id = p.user_id
                                 AND REPLACE(CAST($2 AS TEXT), ' ' || o.issuer || ' ', '')
                                     <> CAST($2 AS TEXT))";
    LIVE_GRANTS = "SELECT COUNT(*), COUNT(DISTINCT sid) FROM grant_family
                   WHERE tenant_id = $1 AND client_id = $2 AND revoked_at IS NULL AND expires_at > $3";
}

/// Accounts that a removal would hit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accounts {
    /// How many have used what is removed.
    pub all: i64,
    /// How many of them have no other way in.
    pub stranded: i64,
}

/// What is left to sign in with.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    /// Issuers of the providers that are still offered.
    pub issuers: &'a [&'a str],
    /// Whether addresses can still be typed: then passwords and codes go on (FLOW-09).
    pub local: bool,
}

impl Left<'_> {
    fn text(self) -> String {
        let mail = self.local.then_some(ObjectIdentity::MAIL_ISSUER);
        let mut text = " ".to_owned();
        for issuer in self.issuers.iter().copied().chain(mail) {
            text.push_str(issuer);
            text.push(' ');
        }
        text
    }
}

/// What stands for an organisation in the issuer of a provider that serves several.
const ORGANISATION: &str = "{tenantid}";

/// The pattern of the issuers that a template stands for; none when it is an issuer.
fn pattern(issuer: &str) -> Option<String> {
    let plain = |text: &str| text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let (before, after) = issuer.split_once(ORGANISATION)?;
    Some(format!("{}%{}", plain(before), plain(after)))
}

/// The issuers of identities that an issuer stands for: itself, or those of every organisation that people came from.
pub async fn issuers_of(tx: &mut ReadTx, tenant: TenantId, issuer: &str) -> Outcome<Vec<String>> {
    let Some(pattern) = pattern(issuer) else { return Ok(vec![issuer.to_owned()]) };
    tx.all(&ISSUERS_LIKE, &values![tenant, pattern]).await?.iter().map(|row| row.get(0)).collect()
}

/// Accounts with an identity of `issuer`, or of any organisation that it stands for.
pub async fn of_issuer(tx: &mut ReadTx, tenant: TenantId, issuer: &str, left: Left<'_>) -> Outcome<Accounts> {
    let pattern = pattern(issuer);
    let all = count(tx.one(&OF_ISSUER, &values![tenant, issuer, pattern.clone()]).await?.as_ref())?;
    if all == 0 {
        return Ok(Accounts::default());
    }
    let row = values![tenant, issuer, left.text(), i64::from(left.local), pattern];
    Ok(Accounts { all, stranded: count(tx.one(&STRANDED, &row).await?.as_ref())? })
}

/// Accounts with a password.
pub async fn with_password(tx: &mut ReadTx, tenant: TenantId, left: Left<'_>) -> Outcome<Accounts> {
    let all = count(tx.one(&OF_PASSWORD, &values![tenant]).await?.as_ref())?;
    if all == 0 {
        return Ok(Accounts::default());
    }
    let stranded = tx.one(&STRANDED_PASSWORD, &values![tenant, left.text()]).await?;
    Ok(Accounts { all, stranded: count(stranded.as_ref())? })
}

/// How many grants to an application are alive, and in how many sessions they were given.
pub async fn live_grants(
    tx: &mut ReadTx,
    tenant: TenantId,
    client: ClientId,
    now: Timestamp,
) -> Outcome<(i64, i64)> {
    match tx.one(&LIVE_GRANTS, &values![tenant, client, now]).await? {
        Some(row) => Ok((row.get(0)?, row.get(1)?)),
        None => Ok((0, 0)),
    }
}

fn count(row: Option<&Row>) -> Outcome<i64> {
    row.map_or(Ok(0), |row| row.get(0))
}
