//! Agreement with the labelled collections must not fall.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends here")]

use judge::{Collection, Facet, Reasons, Score, bounces, flufl, report, score, sisimai};

fn scored(collection: &Collection) -> Score {
    score(collection, &Reasons::read().unwrap())
}

/// Fails with the whole report where a facet lies below its floor, in percent.
fn at_least(collection: &Collection, score: &Score, floors: &[(Facet, f64)]) {
    for (facet, floor) in floors {
        let reached = score.percent(*facet);
        assert!(
            reached >= *floor,
            "{} agrees to {reached:.1} %, less than {floor} %\n{}",
            facet.name(),
            report(collection, score)
        );
    }
}

#[test]
fn our_own_bounces_are_read_as_labelled() {
    let collection = bounces().unwrap();
    assert!(!collection.samples.is_empty());
    let score = scored(&collection);
    let floors = Facet::ALL.map(|facet| match facet {
        Facet::AddressDead => (facet, 100.0),
        _ => (facet, 90.0),
    });
    at_least(&collection, &score, &floors);
}

#[test]
fn recipients_in_the_test_data_of_flufl_bounce_are_found() {
    let collection = flufl()
        .unwrap()
        .unwrap_or_else(|gone| panic!("{} is not here: run {}", gone.name, gone.how));
    let score = scored(&collection);
    let floors = [(Facet::Recipient, FLUFL_RECIPIENTS), (Facet::GivenUp, 97.0)];
    at_least(&collection, &score, &floors);
}

/// Recipients missed and recipients too many both count against it.
const FLUFL_RECIPIENTS: f64 = 85.0;

/// Only where a checkout is at hand: the samples are not ours to keep.
#[test]
fn causes_in_the_samples_of_sisimai_agree_or_have_a_reason() {
    let Ok(collection) = sisimai().unwrap() else {
        return;
    };
    let score = scored(&collection);
    let floors = [
        (Facet::Cause, 95.0),
        (Facet::Status, 95.0),
        (Facet::AddressDead, 100.0),
    ];
    at_least(&collection, &score, &floors);
}
