//! The stages of a journey as rows, made of what stands in its state (FLOW-26, LOG-01).

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::TenantId;
use vestibule_rules::journey::engine;
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::journey::step::StepName;
use vestibule_rules::journey::trail::{Mark, Trail};
use vestibule_rules::time::Timestamp;
use vestibule_store::journeys::JourneyRow;
use vestibule_store::stages::StageRow;
use vestibule_store::{ReadTx, grants};

use super::finish::SECOND_CLICK;
use super::{State, read_state};

/// What a journey has come to so far.
pub(crate) struct Way {
    /// Its stages in order; none if it began before stages were kept.
    pub(crate) rows: Vec<StageRow>,
    /// Where it stands, if somebody can still go on with it.
    pub(crate) stands_at: Option<StepName>,
}

/// The stages of a journey as of `now`. The application's tokens are the last of them, found by the codes that
/// the journey ended in; once these are dead it stays at that.
pub(crate) async fn way(tx: &mut ReadTx, tenant: TenantId, row: &JourneyRow, now: Timestamp) -> Outcome<Way> {
    let state = match read_state(row) {
        Ok(state) => state,
        // One that cannot be read must not keep the others from being moved and counted.
        Err(fault) => {
            tracing::error!(%fault, "the stages of a journey are lost");
            return Ok(Way { rows: Vec::new(), stands_at: None });
        }
    };
    let is_open = !row.ended && row.expires_at > now;
    let mut rows = Rows { tenant, row, trail: &state.trail, all: Vec::new() };
    for noted in &state.trail.requests {
        for mark in &noted.marks {
            rows.add(mark, noted.at, Some(noted.correlation.to_string()));
        }
    }
    let has_trail = !rows.all.is_empty();
    if let (true, Some(at), Some(mark)) =
        (has_trail, token(tx, tenant, row, &state).await?, state.trail.token())
    {
        rows.add(&mark, at, None);
    }
    if has_trail && !row.ended && !is_open {
        rows.add(&state.trail.abandoned(&state.facts), row.expires_at, None);
    }
    if let Some(last) = rows.all.last_mut() {
        last.left_out = state.trail.left_out.into();
    }
    Ok(Way { rows: rows.all, stands_at: is_open.then(|| engine::next(&state.facts).name()) })
}

/// When the application got tokens for a code of this journey. A second click on its last button made a second
/// code, in the same session.
async fn token(
    tx: &mut ReadTx,
    tenant: TenantId,
    row: &JourneyRow,
    state: &State,
) -> Outcome<Option<Timestamp>> {
    let (Some(sid), Some(ended_at)) = (state.sid, state.ended_at) else { return Ok(None) };
    grants::first_token(tx, tenant, (sid, row.client_id), (ended_at, ended_at + SECOND_CLICK)).await
}

/// Rows of one journey.
struct Rows<'a> {
    tenant: TenantId,
    row: &'a JourneyRow,
    trail: &'a Trail,
    all: Vec<StageRow>,
}

impl Rows<'_> {
    fn add(&mut self, mark: &Mark, at: Timestamp, correlation: Option<String>) {
        let Self { tenant, row, trail, all } = self;
        let sequence = i64::try_from(all.len() + 1).unwrap_or(i64::MAX);
        all.push(StageRow {
            tenant: *tenant,
            journey: row.id,
            sequence,
            started_at: row.created_at,
            at,
            stage: mark.stage.as_str().to_owned(),
            graph_stage: mark.graph().as_str().to_owned(),
            step: mark.step.as_str().to_owned(),
            page: mark.page.map(i64::from),
            correlation,
            client: row.client_id,
            flow: row.flow_id.clone(),
            flow_version: row.flow_version,
            intent: intent_word(trail.intent.unwrap_or(Intent::SignIn)).to_owned(),
            method: trail.method.clone(),
            language: trail.language.clone(),
            chosen: mark.chosen.clone(),
            user: mark.user,
            error_code: mark.code.into(),
            message: mark.message.clone(),
            field: mark.field.clone(),
            left_out: 0,
        });
    }
}

/// How an intent is called in rows.
pub(crate) const fn intent_word(intent: Intent) -> &'static str {
    match intent {
        Intent::SignIn => "signIn",
        Intent::SignUp => "signUp",
        Intent::Reset => "reset",
    }
}
