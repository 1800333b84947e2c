//! The checks of the property tests, for the fuzz targets.

#[path = "../crates/smtp/tests/support/checks.rs"]
mod of_smtp;

pub use of_smtp::*;

/// Takes places to cut at from the start of the data: their number, then one byte for each.
pub fn cuts(data: &[u8]) -> (Vec<usize>, &[u8]) {
    let Some((count, rest)) = data.split_first() else {
        return (Vec::new(), data);
    };
    let (cuts, rest) = rest.split_at((*count as usize % 8).min(rest.len()));
    (cuts.iter().map(|cut| *cut as usize).collect(), rest)
}
