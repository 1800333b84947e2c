//! Waits that the administrator set in place of the table's.

use std::collections::BTreeMap;
use std::sync::Arc;

use diagnosis::Cause;

use super::kinds::{Action, Causes, Retry, Rhythm, Row};
use super::table::TABLE;

/// Waits by cause, each in place of what the table's lines for the cause say; who waits, what a reply asks for and
/// the rest of a line stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnWaits(Arc<BTreeMap<Cause, Rhythm>>);

impl OwnWaits {
    /// These.
    #[must_use]
    pub fn new(waits: BTreeMap<Cause, Rhythm>) -> OwnWaits {
        OwnWaits(Arc::new(waits))
    }

    /// Whether all is as in the table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the catalog.
    pub fn iter(&self) -> impl Iterator<Item = (Cause, Rhythm)> + '_ {
        self.0.iter().map(|(cause, rhythm)| (*cause, *rhythm))
    }

    pub(super) fn of(&self, cause: Cause) -> Option<Rhythm> {
        self.0.get(&cause).copied()
    }

    /// The line with the wait that counts for the cause.
    pub(super) fn retry(&self, cause: Cause, retry: &Retry) -> Retry {
        Retry {
            rhythm: self.of(cause).unwrap_or(retry.rhythm),
            ..*retry
        }
    }

    /// The causes of a line, parted: those that wait as the table says, then each with a wait of its own.
    pub(super) fn part(&self, row: &Row) -> Parted {
        let (Causes::These(causes), Action::Retry(retry)) = (&row.causes, &row.action) else {
            return Parted::default();
        };
        let (own, table) = causes.iter().partition(|cause| self.of(**cause).is_some());
        let own: Vec<Cause> = own;
        Parted {
            own: own
                .into_iter()
                .map(|cause| (cause, self.retry(cause, retry)))
                .collect(),
            table,
        }
    }
}

/// What [`OwnWaits::part`] tells.
#[derive(Debug, Default)]
pub(super) struct Parted {
    pub(super) table: Vec<Cause>,
    pub(super) own: Vec<(Cause, Retry)>,
}

/// How the table lets mail wait for this cause where no circumstance makes a difference; `None`: it never comes back.
#[must_use]
pub fn table_wait(cause: Cause) -> Option<Rhythm> {
    let named = |row: &&Row| matches!(row.causes, Causes::These(causes) if causes.contains(&cause));
    match TABLE.iter().rfind(named)?.action {
        Action::Retry(retry) => Some(retry.rhythm),
        Action::Fail | Action::NextTransaction | Action::OtherHost | Action::Convert => None,
    }
}
