//! The report on the terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Collection, Facet, Score};

/// Everything about a collection, in text.
#[must_use]
pub fn report(collection: &Collection, score: &Score) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {} ({} mails)",
        collection.name, collection.about, score.mails
    );
    for facet in Facet::ALL {
        let (judged, agreed, reasoned) = score.of(facet);
        if judged > 0 {
            let _ = writeln!(
                out,
                "  {:<12} {agreed:>4} of {judged:>4} agree, {reasoned:>3} more with a reason: {:.1} %",
                facet.name(),
                score.percent(facet),
            );
        }
    }
    calibration(&mut out, score);
    confusions(&mut out, score);
    for reasoned in [false, true] {
        let some = score
            .disagreements
            .iter()
            .filter(|d| d.why.is_some() == reasoned);
        for d in some {
            let words: String = d.words.chars().take(220).collect();
            let _ = writeln!(
                out,
                "  {} {}#{} {}: {} | {} | {}",
                if reasoned { "reason" } else { "FAULT" },
                d.sample,
                d.recipient,
                d.facet.name(),
                d.label,
                d.read,
                d.why.as_ref().unwrap_or(&words),
            );
        }
    }
    out
}

fn calibration(out: &mut String, score: &Score) {
    for (at, tenth) in score.calibration.iter().enumerate() {
        if tenth.judged > 0 {
            let from = (9 - at) as f64 / 10.0;
            let _ = writeln!(
                out,
                "  confidence from {from:.1}: {} of {} agree, {} more with a reason",
                tenth.agreed, tenth.judged, tenth.reasoned
            );
        }
    }
}

fn confusions(out: &mut String, score: &Score) {
    let mut pairs: BTreeMap<(String, String), usize> = BTreeMap::new();
    for d in score
        .disagreements
        .iter()
        .filter(|d| d.facet == Facet::Cause)
    {
        let cause = d.read.split(' ').next().unwrap_or_default().to_owned();
        *pairs.entry((d.label.clone(), cause)).or_default() += 1;
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for ((label, cause), count) in pairs {
        let _ = writeln!(
            out,
            "  {count:>3} times the label says {label} and we say {cause}"
        );
    }
}
