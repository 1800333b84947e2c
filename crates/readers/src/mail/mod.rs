//! Mail: bounces in every form, complaints, and mailboxes of them.

use crate::Case;

/// Reads one mail, which begins at `at` in the input: a case for each recipient that failed.
pub(crate) fn read(_message: &[u8], _at: usize, _cases: &mut Vec<Case>) {}

/// Where the first message of a mailbox ends, if its end is there.
pub(crate) fn message_end(buffer: &[u8], last: bool) -> Option<usize> {
    (last && !buffer.is_empty()).then_some(buffer.len())
}
