//! What is to be done with each part.

use encoding_rs::Encoding as Charset;

use crate::encode::Encoding;
use crate::entity::Declared;

/// What the [`Writer`](crate::Writer) does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(crate) parts: Vec<PartPlan>,
    /// Bytes beyond ASCII that belong to no part are masked; nobody reads them (RFC 2046 §5.1.1).
    pub(crate) mask: bool,
}

impl Plan {
    /// Whether the message stays as it is.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let same = |part: &PartPlan| part.header.is_none() && part.body == BodyPlan::AsIs;
        !self.mask && self.parts.iter().all(same)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PartPlan {
    /// The header in its place; `None`: as it is.
    pub(crate) header: Option<Vec<u8>>,
    pub(crate) body: BodyPlan,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BodyPlan {
    AsIs,
    Encode(Encoding),
    /// Text that becomes UTF-8 in quoted-printable.
    Transcode {
        from: &'static Charset,
        encoded: Declared,
    },
}
