//! Scoring a collection: each labelled recipient is paired with a case, and compared with it.

use diagnosis::{AddressDead, Cause, Diagnosis, Finality, Responsible};
use readers::{Case, Intake};
use serde::Deserialize;

use crate::{Collection, Reasons, Sample, StatusLabel, Truth};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Facet {
    /// The failed recipients: none missing, none too many, the address as labelled.
    Recipient,
    /// The enhanced status code.
    Status,
    /// The reply code.
    Reply,
    /// The cause.
    Cause,
    /// Whether nobody tries any more.
    GivenUp,
    /// No address is called dead where the label blames the sending side.
    AddressDead,
}

impl Facet {
    /// All of them.
    pub const ALL: [Facet; 6] = [
        Facet::Recipient,
        Facet::Status,
        Facet::Reply,
        Facet::Cause,
        Facet::GivenUp,
        Facet::AddressDead,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Facet::Recipient => "recipient",
            Facet::Status => "status",
            Facet::Reply => "reply",
            Facet::Cause => "cause",
            Facet::GivenUp => "given up",
            Facet::AddressDead => "address dead",
        }
    }
}

/// A label and a reading that differ.
#[derive(Clone, Debug)]
pub struct Disagreement {
    /// The sample.
    pub sample: String,
    /// Which of its recipients, from 1.
    pub recipient: usize,
    /// In what.
    pub facet: Facet,
    /// What the label says.
    pub label: String,
    /// What was read.
    pub read: String,
    /// The words that were read.
    pub words: String,
    /// The written reason, if there is one.
    pub why: Option<String>,
}

/// How a collection was read.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Mails.
    pub mails: usize,
    /// For each facet: how many were judged, and how many agreed.
    pub facets: [(usize, usize); 6],
    /// All disagreements.
    pub disagreements: Vec<Disagreement>,
    /// For each tenth of confidence, highest first.
    pub calibration: [Tenth; 10],
}

/// The causes given with a certain confidence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tenth {
    /// How many.
    pub judged: usize,
    /// How many agree with the label.
    pub agreed: usize,
    /// How many more have a written reason why the label is not right.
    pub reasoned: usize,
}

impl Score {
    /// Judged, agreeing, and disagreeing with a reason.
    #[must_use]
    pub fn of(&self, facet: Facet) -> (usize, usize, usize) {
        let (judged, agreed) = self.facets[facet as usize];
        let reasoned = self.disagreements.iter();
        let reasoned = reasoned.filter(|d| d.facet == facet && d.why.is_some());
        (judged, agreed, reasoned.count())
    }

    /// The share that agrees or has a reason, in percent.
    #[must_use]
    pub fn percent(&self, facet: Facet) -> f64 {
        let (judged, agreed, reasoned) = self.of(facet);
        if judged == 0 {
            return 100.0;
        }
        100.0 * (agreed + reasoned) as f64 / judged as f64
    }
}

/// The cases of a mail, with what they mean.
pub(crate) fn cases(mail: &[u8]) -> Vec<(Case, Diagnosis)> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    intake.push(mail, &mut cases);
    intake.finish(&mut cases);
    cases
        .into_iter()
        .map(|case| {
            let diagnosis = case.diagnose();
            (case, diagnosis)
        })
        .collect()
}

/// Scores a collection.
#[must_use]
pub fn score(collection: &Collection, reasons: &Reasons) -> Score {
    let mut score = Score {
        mails: collection.samples.len(),
        ..Score::default()
    };
    for sample in &collection.samples {
        judge(sample, reasons, &mut score);
    }
    score
}

fn judge(sample: &Sample, reasons: &Reasons, score: &mut Score) {
    let cases = cases(&sample.mail);
    let pairs = pairs(&cases, &sample.truths);
    for (index, truth) in sample.truths.iter().enumerate() {
        let found = pairs[index].map(|at| &cases[at]);
        let words = found.map(|(case, _)| case.words.text().to_owned());
        let mut bench = Bench {
            sample: &sample.id,
            recipient: index + 1,
            words: words.unwrap_or_default(),
            reasons,
            score,
        };
        match found {
            None if truth.no_failure => {
                bench.note(Facet::Recipient, true, String::new, String::new);
            }
            None => {
                let label = || truth.recipient.clone().unwrap_or(truth.name.clone());
                bench.note(Facet::Recipient, false, label, || "nothing".to_owned());
            }
            Some((case, _)) if truth.no_failure => {
                let read = || "a failure".to_owned();
                let label = || truth.name.clone();
                bench.note(Facet::Recipient, is_success(case), label, read);
            }
            Some((case, diagnosis)) => compare(&mut bench, truth, case, diagnosis),
        }
    }
    for (at, (case, _)) in cases.iter().enumerate() {
        if pairs.contains(&Some(at)) || is_success(case) {
            continue;
        }
        let mut bench = Bench {
            sample: &sample.id,
            recipient: 0,
            words: case.words.text().to_owned(),
            reasons,
            score,
        };
        let read = || case.recipient.clone().unwrap_or("somebody".to_owned());
        let label = || "nobody else".to_owned();
        bench.note(Facet::Recipient, false, label, read);
    }
}

fn is_success(case: &Case) -> bool {
    case.status
        .is_some_and(|s| s.value.class == smtp::Class::Success)
}

/// For each label the case that it is about: by address where the label gives one, else those that fit
/// best together first.
fn pairs(cases: &[(Case, Diagnosis)], truths: &[Truth]) -> Vec<Option<usize>> {
    let mut all: Vec<(usize, usize, usize)> = Vec::new();
    for (label, truth) in truths.iter().enumerate() {
        for (at, (case, diagnosis)) in cases.iter().enumerate() {
            let fit = fit(truth, case, diagnosis, label == at);
            if fit > 0 {
                all.push((fit, label, at));
            }
        }
    }
    all.sort_by_key(|(fit, label, at)| (std::cmp::Reverse(*fit), *label, *at));
    let mut pairs = vec![None; truths.len()];
    for (_, label, at) in all {
        if pairs[label].is_none() && !pairs.contains(&Some(at)) {
            pairs[label] = Some(at);
        }
    }
    // A label that counts the address written to beside the one that it was expanded to: our one case
    // names both.
    for (label, truth) in truths.iter().enumerate() {
        let Some(address) = truth.recipient.as_ref().filter(|_| pairs[label].is_none()) else {
            continue;
        };
        pairs[label] = cases.iter().position(|(case, _)| is_for(case, address));
    }
    pairs
}

fn fit(truth: &Truth, case: &Case, diagnosis: &Diagnosis, same_place: bool) -> usize {
    if let Some(address) = &truth.recipient {
        return usize::from(is_for(case, address));
    }
    let status = match truth.status {
        StatusLabel::Is(status) => case.status.map(|s| s.value) == Some(status),
        StatusLabel::None => case.status.is_none(),
        StatusLabel::NotJudged => false,
    };
    let reply = truth.reply == Some(case.reply.map(|r| r.value));
    let cause = truth.causes.contains(&diagnosis.cause);
    1 + usize::from(status) * 8
        + usize::from(reply) * 4
        + usize::from(cause) * 4
        + usize::from(same_place) * 2
}

fn is_for(case: &Case, address: &str) -> bool {
    let same = |written: &Option<String>| {
        written
            .as_ref()
            .is_some_and(|a| a.eq_ignore_ascii_case(address))
    };
    same(&case.recipient) || same(&case.original_recipient)
}

fn compare(bench: &mut Bench<'_>, truth: &Truth, case: &Case, diagnosis: &Diagnosis) {
    bench.note(Facet::Recipient, true, String::new, String::new);
    let status = case.status.map(|s| s.value);
    let shown = || status.map_or("none".to_owned(), |s| s.to_string());
    match truth.status {
        StatusLabel::NotJudged => {}
        StatusLabel::None => {
            bench.note(Facet::Status, status.is_none(), || "none".to_owned(), shown);
        }
        StatusLabel::Is(label) => {
            bench.note(
                Facet::Status,
                status == Some(label),
                || label.to_string(),
                shown,
            );
        }
    }
    if let Some(label) = truth.reply {
        let show = |reply: Option<u16>| reply.map_or("none".to_owned(), |r| r.to_string());
        let reply = case.reply.map(|r| r.value);
        bench.note(Facet::Reply, reply == label, || show(label), || show(reply));
    }
    if let Some(label) = truth.given_up {
        let given_up = diagnosis.finality != Finality::Transient;
        let show = |given_up: bool| if given_up { "for good" } else { "for now" }.to_owned();
        bench.note(
            Facet::GivenUp,
            given_up == label,
            || show(label),
            || show(given_up),
        );
    }
    if !truth.causes.is_empty() {
        let agrees = truth.causes.contains(&diagnosis.cause);
        let read = || format!("{} ({:.2})", diagnosis.cause, diagnosis.confidence);
        bench.note(Facet::Cause, agrees, || truth.name.clone(), read);
        let reason = bench
            .reasons
            .find(bench.sample, bench.recipient, Facet::Cause);
        if diagnosis.cause != Cause::CannotTell {
            let tenth = (diagnosis.confidence * 10.0).clamp(0.0, 9.0) as usize;
            let slot = &mut bench.score.calibration[9 - tenth];
            slot.judged += 1;
            slot.agreed += usize::from(agrees);
            slot.reasoned += usize::from(!agrees && reason.is_some());
        }
        let sending_side = truth.causes.iter().all(|cause| blames_the_sender(*cause));
        if sending_side {
            let dead = diagnosis.address_dead == AddressDead::True;
            bench.note(Facet::AddressDead, !dead, || truth.name.clone(), read);
        }
    }
}

fn blames_the_sender(cause: Cause) -> bool {
    cause.blocks_sender()
        || (matches!(cause.responsible(), Responsible::Us | Responsible::Sender)
            && cause.address_dead(true) == AddressDead::False)
}

/// Where findings about one recipient are written down.
struct Bench<'a> {
    sample: &'a str,
    recipient: usize,
    words: String,
    reasons: &'a Reasons,
    score: &'a mut Score,
}

impl Bench<'_> {
    fn note(
        &mut self,
        facet: Facet,
        agrees: bool,
        label: impl Fn() -> String,
        read: impl Fn() -> String,
    ) {
        let (judged, agreed) = &mut self.score.facets[facet as usize];
        *judged += 1;
        *agreed += usize::from(agrees);
        if !agrees {
            let why = self.reasons.find(self.sample, self.recipient, facet);
            self.score.disagreements.push(Disagreement {
                sample: self.sample.to_owned(),
                recipient: self.recipient,
                facet,
                label: label(),
                read: read(),
                words: self.words.clone(),
                why: why.map(|reason| reason.why.clone()),
            });
        }
    }
}
