//! Whether mail is from whom it says: SPF, DKIM, DMARC and ARC, and the field that tells.
//!
//! SPF is our own ([`spf`]), which `postrider check` explains term by term; signatures and DMARC are
//! `mail-auth`'s. What has to be asked in the DNS goes through [`dns::Resolver`]: `mail-auth` is run on
//! what is known, says what it lacks, and is run again (`known`), so that it never asks by itself. No
//! more than the header of a message is in memory; its body goes by in pieces.

mod field;
mod known;
pub mod spf;
mod verify;

pub use field::{NAME as RESULTS, claims_to_be_from};
pub use verify::{
    Arc, BodyDigest, Dkim, Dmarc, Input, Policy, Seal, Spf, Verdict, Verified, Verifier,
    VerifyError,
};
