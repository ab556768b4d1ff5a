//! The stages of journeys that are over: one row each, moved here from the state of the journey. No row says
//! anything about the person beside the id of an account that was created.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, FlowId, JourneyId, TenantId, UserId};
use vestibule_rules::time::Timestamp;

use crate::db::{ReadTx, Row, Value, WriteTx};
use crate::{statements, values};

/// Rows that one statement inserts.
const BULK: usize = 16;
const COLUMNS: usize = 22;
const HEAD: &str =
    "INSERT INTO journey_stage (tenant_id, journey_id, sequence, started_at, at, stage, graph_stage,
    step, page, correlation_id, client_id, flow_id, flow_version, intent, method, language, chosen, user_id,
    error_code, message_id, field, left_out) VALUES ";

/// `($1, $2, …), ($23, …), …` after the head; built at compile time, for statements are constants. Every
/// parameter has three digits, so that the length is known beforehand: `$001` is `$1` to both engines.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a bad index is a build error")]
#[expect(clippy::cast_possible_truncation, reason = "a single digit")]
const fn with_rows<const N: usize>(rows: usize) -> [u8; N] {
    let mut text = [b' '; N];
    let mut at = 0;
    while at < HEAD.len() {
        text[at] = HEAD.as_bytes()[at];
        at += 1;
    }
    let mut n = 0;
    while n < rows * COLUMNS {
        text[at] = if n.is_multiple_of(COLUMNS) { b'(' } else { b',' };
        let number = n + 1;
        text[at + 1] = b'$';
        text[at + 2] = b'0' + (number / 100) as u8;
        text[at + 3] = b'0' + (number / 10 % 10) as u8;
        text[at + 4] = b'0' + (number % 10) as u8;
        at += 5;
        n += 1;
        if n.is_multiple_of(COLUMNS) {
            text[at] = b')';
            text[at + 1] = if n == rows * COLUMNS { b' ' } else { b',' };
            at += 2;
        }
    }
    text
}

const fn length(rows: usize) -> usize {
    HEAD.len() + rows * (COLUMNS * 5 + 2)
}

static ONE: [u8; length(1)] = with_rows(1);
static MANY: [u8; length(BULK)] = with_rows(BULK);

const fn text_of(bytes: &'static [u8]) -> &'static str {
    crate::db::as_text(bytes, HEAD)
}

statements! {
    INSERT = text_of(&ONE);
    INSERT_MANY = text_of(&MANY);
    LIST = "SELECT tenant_id, journey_id, sequence, started_at, at, stage, graph_stage, step, page,
                correlation_id, client_id, flow_id, flow_version, intent, method, language, chosen, user_id,
                error_code, message_id, field, left_out
            FROM journey_stage
            WHERE started_at >= $1 AND (CAST($7 AS TEXT) IS NULL OR tenant_id = $7)
              AND (started_at, tenant_id, journey_id, sequence) > ($2, $3, $4, $5)
            ORDER BY started_at, tenant_id, journey_id, sequence LIMIT $6";
    LIST_OF_JOURNEY = "SELECT tenant_id, journey_id, sequence, started_at, at, stage, graph_stage, step, page,
                           correlation_id, client_id, flow_id, flow_version, intent, method, language, chosen,
                           user_id, error_code, message_id, field, left_out
                       FROM journey_stage WHERE tenant_id = $1 AND journey_id = $2 ORDER BY sequence";
    FIND_BY_CORRELATION = "SELECT DISTINCT journey_id, started_at FROM journey_stage
                           WHERE tenant_id = $1 AND correlation_id >= $2 AND correlation_id < $3
                           ORDER BY started_at, journey_id LIMIT $4";
    REMOVE_OLD = "DELETE FROM journey_stage WHERE (tenant_id, journey_id, sequence) IN (
                      SELECT tenant_id, journey_id, sequence FROM journey_stage WHERE started_at <= $1
                      ORDER BY started_at LIMIT $2)
                  AND started_at <= $1";
}

/// One stage of one journey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StageRow {
    /// Whose journey it was.
    pub tenant: TenantId,
    /// The journey.
    pub journey: JourneyId,
    /// The place among the journey's stages, counted from 1.
    pub sequence: i64,
    /// When the journey began.
    pub started_at: Timestamp,
    /// When the stage was reached.
    pub at: Timestamp,
    /// The name of the stage.
    pub stage: String,
    /// The word of Graph's sign-up log (FLOW-26).
    pub graph_stage: String,
    /// The name of the step at which the journey stood.
    pub step: String,
    /// The page of questions, counted from 1, when the flow has several.
    pub page: Option<i64>,
    /// The request that brought it about, in lower case; nothing when none did.
    pub correlation: Option<String>,
    /// The application that the person came from.
    pub client: ClientId,
    /// The flow and the version that the journey kept.
    pub flow: FlowId,
    /// See [`StageRow::flow`].
    pub flow_version: i64,
    /// What the journey counts as; the same in all of its rows.
    pub intent: String,
    /// The method that was chosen last; the same in all of its rows.
    pub method: Option<String>,
    /// The language of the pages.
    pub language: String,
    /// The method that was chosen at this stage.
    pub chosen: Option<String>,
    /// The account that was created at this stage.
    pub user: Option<UserId>,
    /// The number that apps know a refusal by; 0 when there is none.
    pub error_code: i64,
    /// The id of the message that the person was told.
    pub message: Option<String>,
    /// The field that was to blame.
    pub field: Option<String>,
    /// How many stages there was no room for; in the last row.
    pub left_out: i64,
}

fn read(row: &Row) -> Outcome<StageRow> {
    Ok(StageRow {
        tenant: row.get(0)?,
        journey: row.get(1)?,
        sequence: row.get(2)?,
        started_at: row.get(3)?,
        at: row.get(4)?,
        stage: row.get(5)?,
        graph_stage: row.get(6)?,
        step: row.get(7)?,
        page: row.get(8)?,
        correlation: row.get(9)?,
        client: row.get(10)?,
        flow: row.get(11)?,
        flow_version: row.get(12)?,
        intent: row.get(13)?,
        method: row.get(14)?,
        language: row.get(15)?,
        chosen: row.get(16)?,
        user: row.get(17)?,
        error_code: row.get(18)?,
        message: row.get(19)?,
        field: row.get(20)?,
        left_out: row.get(21)?,
    })
}

fn write(row: &StageRow) -> [Value; COLUMNS] {
    values![
        row.tenant,
        row.journey,
        row.sequence,
        row.started_at,
        row.at,
        &row.stage,
        &row.graph_stage,
        &row.step,
        row.page,
        row.correlation.as_deref(),
        row.client,
        &row.flow,
        row.flow_version,
        &row.intent,
        row.method.as_deref(),
        &row.language,
        row.chosen.as_deref(),
        row.user,
        row.error_code,
        row.message.as_deref(),
        row.field.as_deref(),
        row.left_out,
    ]
}

/// Adds the stages of any number of journeys, many at once.
pub async fn insert(tx: &mut WriteTx, rows: &[StageRow]) -> Outcome<()> {
    let (many, rest) = rows.as_chunks::<BULK>();
    for chunk in many {
        let all: Vec<Value> = chunk.iter().flat_map(write).collect();
        tx.run(&INSERT_MANY, &all).await?;
    }
    for row in rest {
        tx.run(&INSERT, &write(row)).await?;
    }
    Ok(())
}

/// A page of the stages of journeys that began at an instant or later, in one tenant or in all, journey by
/// journey and each in order; the next page begins after the last one of these.
pub async fn list(
    tx: &mut ReadTx,
    (since, of): (Timestamp, Option<TenantId>),
    after: Option<&StageRow>,
    limit: u32,
) -> Outcome<Vec<StageRow>> {
    let (at, tenant, journey, sequence) = match after {
        Some(row) => (row.started_at, row.tenant.to_string(), row.journey.to_string(), row.sequence),
        None => (Timestamp(i64::MIN), String::new(), String::new(), 0),
    };
    let row = values![since, at, tenant, journey, sequence, limit, of];
    tx.all(&LIST, &row).await?.iter().map(read).collect()
}

/// The stages of one journey, in order.
pub async fn list_of_journey(
    tx: &mut ReadTx,
    tenant: TenantId,
    journey: JourneyId,
) -> Outcome<Vec<StageRow>> {
    tx.all(&LIST_OF_JOURNEY, &values![tenant, journey]).await?.iter().map(read).collect()
}

/// At most `limit` journeys of which a request's id begins with `start`, oldest first.
pub async fn find_by_correlation(
    tx: &mut ReadTx,
    tenant: TenantId,
    start: &str,
    limit: u32,
) -> Outcome<Vec<JourneyId>> {
    // Ids are digits, letters and hyphens; all of them come before this.
    let end = format!("{start}~");
    let found = tx.all(&FIND_BY_CORRELATION, &values![tenant, start, end, limit]).await?;
    found.iter().map(|row| row.get(0)).collect()
}

/// Removes at most `limit` stages of journeys that began at `before` or earlier, oldest first; says how many.
/// Housekeeping, all tenants.
pub async fn remove_old(tx: &mut WriteTx, before: Timestamp, limit: u32) -> Outcome<u64> {
    tx.run(&REMOVE_OLD, &values![before, limit]).await
}
