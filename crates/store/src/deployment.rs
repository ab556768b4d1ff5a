//! Facts about the deployment as a whole, such as the check value of the key that seals everything.

use vestibule_rules::fault::Outcome;

use crate::db::{ReadTx, WriteTx};
use crate::{statements, values};

statements! {
    GET = "SELECT value FROM deployment WHERE name = $1";
    PUT_IF_ABSENT = "INSERT INTO deployment (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    PUT = "INSERT INTO deployment (name, value) VALUES ($1, $2)
           ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// The value under a name.
pub async fn get(tx: &mut ReadTx, name: &str) -> Outcome<Option<String>> {
    tx.one(&GET, &values![name]).await?.map(|row| row.get(0)).transpose()
}

/// Writes a value unless there is one; returns the value that stands. Of two nodes that start together both
/// get the same answer.
pub async fn put_if_absent(tx: &mut WriteTx, name: &str, value: &str) -> Outcome<String> {
    tx.run(&PUT_IF_ABSENT, &values![name, value]).await?;
    Ok(get(tx, name).await?.unwrap_or_else(|| value.to_owned()))
}

/// Writes a value in place of what was there.
pub async fn put(tx: &mut WriteTx, name: &str, value: &str) -> Outcome<()> {
    tx.run(&PUT, &values![name, value]).await.map(drop)
}
