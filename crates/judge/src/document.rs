//! `docs/calibration.md`, written from the scores.

use std::fmt::Write;

use crate::{Collection, Facet, Missing, Score};

/// The page.
#[must_use]
pub fn document(scored: &[(&Collection, &Score)], missing: &[Missing]) -> String {
    let mut out = String::from(HEAD);
    for (collection, score) in scored {
        let _ = writeln!(
            out,
            "\n## {}\n\n{} mails: {}.\n",
            collection.name, score.mails, collection.about
        );
        out.push_str(
            "| | judged | agree | disagree with a reason | sum |\n|---|---|---|---|---|\n",
        );
        for facet in Facet::ALL {
            let (judged, agreed, reasoned) = score.of(facet);
            if judged > 0 {
                let _ = writeln!(
                    out,
                    "| {} | {judged} | {agreed} | {reasoned} | {:.1} % |",
                    facet.name(),
                    score.percent(facet)
                );
            }
        }
        if score.calibration.iter().any(|tenth| tenth.judged > 0) {
            calibration(&mut out, score);
        }
        faults(&mut out, score);
    }
    for missing in missing {
        let _ = writeln!(
            out,
            "\n## {}\n\nNot measured here: {}.",
            missing.name, missing.how
        );
    }
    out
}

fn calibration(out: &mut String, score: &Score) {
    out.push_str(
        "\n| confidence | causes | agree | with a reason | sum |\n|---|---|---|---|---|\n",
    );
    for (at, tenth) in score.calibration.iter().enumerate() {
        if tenth.judged > 0 {
            let from = (9 - at) as f64 / 10.0;
            let right = tenth.agreed + tenth.reasoned;
            let share = 100.0 * right as f64 / tenth.judged as f64;
            let _ = writeln!(
                out,
                "| from {from:.1} | {} | {} | {} | {share:.0} % |",
                tenth.judged, tenth.agreed, tenth.reasoned
            );
        }
    }
}

fn faults(out: &mut String, score: &Score) {
    for (title, reasoned) in [("Disagreements with a reason", true), ("Faults", false)] {
        let some: Vec<_> = score
            .disagreements
            .iter()
            .filter(|d| d.why.is_some() == reasoned)
            .collect();
        if some.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{title}:\n");
        for d in some {
            let _ = write!(
                out,
                "- `{}`, recipient {}, {}: the label says {}, we say {}",
                d.sample,
                d.recipient,
                d.facet.name(),
                d.label,
                d.read
            );
            match &d.why {
                Some(why) => {
                    let _ = writeln!(out, ". {why}");
                }
                None => out.push_str(".\n"),
            }
        }
    }
}

const HEAD: &str = "\
# How often is the diagnosis right?

Written by `cargo run -p judge -- --write-docs`; do not edit. Each collection below holds bounces with labels
that somebody else gave them, or that we gave them ourselves. The judge reads every mail, pairs what it finds
with the labels, and counts. A disagreement may have a written reason (`crates/judge/reasons.toml`), where the
mail itself shows that the label is wrong, or that both fit; all others are faults and listed as such.

| command | does |
|---|---|
| `cargo run -p judge` | scores what is on this machine, with every disagreement |
| `SISIMAI=… cargo run -p judge` | also Sisimai's samples, from a checkout of its Perl distribution |
| `cargo test -p judge` | fails where agreement falls below its floor |
| `bench/explain` | speed, beside Sisimai in the same run |

**How to read the calibration.** A confidence is a claim: of the causes given with 0.9 or more, at least nine in
ten should be right. The phrases (`crates/diagnosis/catalog/`) were written knowing these collections, so the
numbers say how well known ways of failing are told apart, not how unknown ones will fare. Half of Sisimai's samples
were kept out of sight until the phrases stood: when they were first read, four in five of their causes agreed
(of the half in sight, six in seven), with a first version of the reader. Expect that of words never seen before.

**Recipient** counts every labelled recipient and every one that was found and should not have been. Where a label
gives no address (Sisimai's tests) their number is compared. **Address dead** counts labels that blame the sending
side: none of those addresses may be called dead.
";
