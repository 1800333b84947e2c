//! Whether packets of full size get through: small mail passes and large mail hangs where they do not
//! (RFC 2923 §2.1).

use std::time::Duration;

use callout::{Ended, Talk};
use diagnosis::Remedy;
use diagnosis::facts::BreakKind;
use diagnosis::finding::{Conclusion, Fact, Finding};
use smtp::Stage;

/// In so long a lost packet is sent again five times or more.
const PATIENCE: Duration = Duration::from_secs(15);
/// Of a connection whose sizes are not known: that of Ethernet over IPv4.
const USUAL_SEGMENT: u32 = 1460;
/// Larger ones are of loopback: there is no way to be looked at.
const LARGEST_SEGMENT: u32 = 9000;

/// Says one line that fills a packet, on a connection on which small ones were answered. `None`: there
/// is no network between us.
///
/// Deviation: RFC 5321 §4.5.3.1.4 gives command lines 512 octets. A server that refuses the line, or
/// closes the connection, has received it, and that is all that is asked.
pub(crate) async fn check(talk: &mut Talk, subject: &str) -> Option<Finding> {
    talk.facts.clear();
    let before = talk.path().await;
    let segment = before.segment.unwrap_or(USUAL_SEGMENT);
    if segment > LARGEST_SEGMENT {
        return None;
    }
    let line = format!("NOOP {}", "x".repeat(segment as usize));
    talk.patience(PATIENCE);
    let said = talk.say(Stage::Reset, Some(&line)).await;
    let after = talk.path().await;
    let conclusion = match said {
        Ok(_) | Err(Ended::NotSmtp | Ended::Broke(BreakKind::Closed | BreakKind::Reset)) => {
            Conclusion::LargeGetsThrough
        }
        // It was received, and the server is slow.
        Err(Ended::Broke(BreakKind::TimedOut)) if after.unconfirmed == Some(0) => {
            Conclusion::LargeGetsThrough
        }
        Err(Ended::Broke(BreakKind::TimedOut)) => Conclusion::LargeGetsLost,
    };
    let mut finding = Finding::new(conclusion, subject).object(line.len().to_string());
    finding.facts = std::mem::take(&mut talk.facts);
    if conclusion == Conclusion::LargeGetsLost {
        finding.remedies = vec![Remedy::MendPathMtu, Remedy::AskReceiver];
    } else if !finding
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Path(_)))
    {
        finding.facts.push(Fact::Path(before));
    }
    Some(finding)
}
