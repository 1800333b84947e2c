//! Compression, with a bound: a few bytes can claim to be a terabyte.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::Problem;

/// A report is never larger than this, however it comes. The largest senders' are of some kilobytes.
pub const LIMIT: usize = 16 << 20;

/// RFC 1952 §2.3.1.
pub(crate) const MAGIC: &[u8] = &[0x1f, 0x8b];

/// The report as it was before it was compressed.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut plain = Vec::new();
    let mut limited = MultiGzDecoder::new(packed).take(LIMIT as u64 + 1);
    let read = limited.read_to_end(&mut plain);
    if plain.len() > LIMIT {
        return Err(Problem::TooLarge { limit: LIMIT });
    }
    read.map_err(|error| Problem::Gzip {
        reported: error.to_string(),
    })?;
    Ok(plain)
}

/// The first of what something was before it was compressed; as far as it can be told.
pub(crate) fn unpack_beginning(packed: &[u8], most: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut limited = MultiGzDecoder::new(packed).take(most as u64);
    // Where the beginning ends in the middle, what came before it is there.
    let _ = limited.read_to_end(&mut plain);
    plain
}

/// Compresses (RFC 8460 §5.2); what comes of it is an `application/tlsrpt+gzip`. No time of day is put
/// in, so that the same report is the same bytes.
#[must_use]
pub fn pack(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}
