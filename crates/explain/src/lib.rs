//! A diagnosis, a message's story and a report to its sender, in words: English and Dutch.
//!
//! This is the one place where failures become language. Nothing is decided here: the words follow
//! from the diagnosis and from the decision. The texts lie in `locales/`, in Fluent's format.

mod explanation;
mod json;
mod lang;
mod layout;
mod report;
mod step;
mod story;
mod time;
mod words;

pub use explanation::{Explanation, Next, explain};
pub use json::story_json;
pub use lang::{Lang, UnknownLang};
pub use report::{FailedRecipient, report, report_subject};
pub use story::story;
