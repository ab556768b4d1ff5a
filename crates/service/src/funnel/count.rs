//! The counting: one journey after the other, in memory that does not grow with their number.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_rules::journey::trail::Stage;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::stages::StageRow;

/// How exactly a median is told: to a tenth of a second.
const EXACTNESS: Span = Span(100_000);

/// How many journeys came how far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// What its journeys have in common: a method, the name of an application, a language; empty for all.
    pub name: String,
    /// Journeys that began.
    pub started: u64,
    /// Those of them that ended with somebody signed in.
    pub completed: u64,
    /// The median time from the beginning to that end.
    pub median: Option<Span>,
    /// Every stage that one of them reached, in order.
    pub stages: Vec<StageCount>,
}

/// How many journeys reached a stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StageCount {
    /// The stage.
    pub stage: Stage,
    /// The page of questions, when the flow has several.
    pub page: Option<i64>,
    /// Journeys that reached it.
    pub reached: u64,
    /// Those of them that reached no later one.
    pub dropped: u64,
    /// The median time since the stage that each of them had reached before.
    pub median: Option<Span>,
}

/// Why journeys stopped, or were held up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reason {
    /// `Refused`, `Cancelled` or `Abandoned`.
    pub stage: Stage,
    /// The step at which that was.
    pub step: String,
    /// The page of questions, when the flow has several.
    pub page: Option<i64>,
    /// The number that apps know it by; 0 when it has none.
    pub code: i64,
    /// The id of the message that people were told.
    pub message: Option<String>,
    /// The field that was to blame.
    pub field: Option<String>,
}

/// Spans by how often they occurred. Journeys live for hours at most, so there are few different ones.
#[derive(Default)]
struct Spans(BTreeMap<i64, u64>);

impl Spans {
    fn add(&mut self, span: Span) {
        let tenths = (span.0.max(0) + EXACTNESS.0 / 2) / EXACTNESS.0;
        *self.0.entry(tenths).or_default() += 1;
    }

    /// The middle one; of an even number the mean of the two in the middle.
    fn median(&self) -> Option<Span> {
        let count: u64 = self.0.values().sum();
        let at = |place: u64| {
            let mut before = 0;
            self.0.iter().find_map(|(tenths, times)| {
                before += times;
                (before > place).then_some(*tenths)
            })
        };
        let (low, high) = (at(count.checked_sub(1)? / 2)?, at(count / 2)?);
        Some(Span((low + high) * EXACTNESS.0 / 2))
    }
}

#[derive(Default)]
struct Counter {
    reached: u64,
    dropped: u64,
    since_before: Spans,
}

/// Journeys of one group.
#[derive(Default)]
pub(super) struct Tally {
    started: u64,
    completed: u64,
    whole: Spans,
    stages: BTreeMap<(Stage, Option<i64>), Counter>,
}

impl Tally {
    /// Counts a journey by its stages.
    pub(super) fn add(&mut self, rows: &[StageRow]) {
        let reached = first_times(rows);
        self.started += 1;
        let mut before: Option<Timestamp> = None;
        for (stage, at) in &reached {
            let counter = self.stages.entry(*stage).or_default();
            counter.reached += 1;
            if let Some(before) = before {
                counter.since_before.add(at.since(before));
            }
            before = Some(*at);
        }
        // Whoever's app fetched the tokens has nothing left to reach.
        if let Some(last) = reached.last_key_value().map(|(stage, _)| *stage).filter(|s| s.0 != Stage::Token)
        {
            self.stages.entry(last).or_default().dropped += 1;
        }
        if let (Some(start), Some(end)) = (rows.first(), reached.get(&(Stage::SignedIn, None))) {
            self.completed += 1;
            self.whole.add(end.since(start.started_at));
        }
    }

    pub(super) fn into_group(self, name: String) -> Group {
        let stages = self.stages.into_iter().map(|((stage, page), counter)| StageCount {
            stage,
            page,
            reached: counter.reached,
            dropped: counter.dropped,
            median: counter.since_before.median(),
        });
        Group {
            name,
            started: self.started,
            completed: self.completed,
            median: self.whole.median(),
            stages: stages.collect(),
        }
    }
}

/// When a journey first reached each stage.
fn first_times(rows: &[StageRow]) -> BTreeMap<(Stage, Option<i64>), Timestamp> {
    let mut reached = BTreeMap::new();
    for row in rows {
        if let Some(stage) = Stage::parse(&row.stage).filter(|stage| stage.is_progress()) {
            reached.entry((stage, row.page)).or_insert(row.at);
        }
    }
    reached
}

/// Every reason that a journey met, each once.
pub(super) fn reasons(rows: &[StageRow]) -> BTreeSet<Reason> {
    let reason = |row: &StageRow| {
        let stage = Stage::parse(&row.stage).filter(|stage| !stage.is_progress())?;
        Some(Reason {
            stage,
            step: row.step.clone(),
            page: row.page,
            code: row.error_code,
            message: row.message.clone(),
            field: row.field.clone(),
        })
    };
    rows.iter().filter_map(reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        let median = |seconds: &[i64]| {
            let mut spans = Spans::default();
            for s in seconds {
                spans.add(Span::seconds(*s));
            }
            spans.median()
        };
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7]), Some(Span::seconds(7)));
        assert_eq!(median(&[9, 1, 5]), Some(Span::seconds(5)));
        assert_eq!(median(&[1, 1, 1, 1000]), Some(Span::seconds(1)));
        assert_eq!(median(&[4, 1]), Some(Span(2_500_000)));
        assert_eq!(median(&[-3]), Some(Span(0)));
    }
}
