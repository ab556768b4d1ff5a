//! Walks that are under way, each under an id that only its browser knows.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::Passage;

/// Most walks that are kept; the one that nobody has gone on with for longest makes room.
const MOST: usize = 256;

/// Walks in memory.
#[derive(Debug, Default)]
pub struct Passages(Mutex<VecDeque<(String, Passage)>>);

impl Passages {
    /// The walk as it stands.
    pub fn find(&self, id: &str) -> Option<Passage> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(known, _)| known == id).map(|(_, passage)| passage.clone())
    }

    /// Keeps a new walk.
    pub fn insert(&self, id: String, passage: Passage) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((id, passage));
    }

    /// Goes on with a walk; nothing comes back when it is not there any more.
    pub fn go_on<T>(&self, id: &str, step: impl FnOnce(&mut Passage) -> T) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(known, _)| known == id)?;
        let mut kept = all.remove(at)?;
        let result = step(&mut kept.1);
        all.push_back(kept);
        Some(result)
    }
}
