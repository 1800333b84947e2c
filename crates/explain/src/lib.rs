//! A diagnosis, a message's story and a report to its sender, in words: English and Dutch.
//!
//! This is the one place where failures become language. Nothing is decided here: the words follow
//! from the diagnosis and from the decision. The texts lie in `locales/`, in Fluent's format.

mod case;
mod case_json;
mod case_text;
mod certificates;
mod checked;
mod checked_json;
mod expansion;
mod explanation;
mod incident;
mod json;
mod lang;
mod layout;
mod notice;
mod page;
mod quarantine;
mod report;
mod returned;
mod secure;
mod step;
mod story;
mod suppressed;
mod time;
mod tls_ledger;
mod tls_report;
mod verified;
mod way;
mod words;

pub use case::{explain_case, nothing_found};
pub use case_json::{SCHEMA, case_json};
pub use case_text::{Style, case_text};
pub use certificates::{AcmeAdvice, OwnCertificate, acme_advice, certificates_text};
pub use checked::checked_text;
pub use checked_json::{CHECK_SCHEMA, checked_json};
pub use explanation::{Explanation, Next, explain};
pub use incident::{incident_json, incidents_text};
pub use json::story_json;
pub use lang::{Lang, UnknownLang};
pub use notice::{
    ArrivedRecipient, DelayedRecipient, arrival, arrival_subject, delay, delay_subject, expanded,
    expanded_subject,
};
pub use page::{Page, index, pages};
pub use report::{FailedRecipient, report, report_subject};
pub use returned::{
    ReturnedRecipient, came_back, nothing_returned, returned, returned_headline, returned_subject,
};
pub use story::story;
pub use suppressed::{suppressed, suppressed_details, suppressed_times};
pub use tls_ledger::{kept_tls_report, no_tls_reports, tls_reports_hastened};
pub use tls_report::{tls_report_json, tls_report_text, tls_report_unreadable};
