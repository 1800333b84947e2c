//! The causes, each with its stable id, and what is true of each whoever reports it: what shares its
//! fate, who must act, what mends it. They are data: `catalog/causes/`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smtp::Stage;

use crate::{AddressDead, Check, Remedy, Responsible, Scope};

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)+) => {
        /// Why mail did not get through. The id (`area.what`) is stable: scripts rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause { $($(#[doc = $doc])+ $name,)+ }

        impl Cause {
            /// Every cause, in catalog order.
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)+];

            /// The stable id, like `mailbox.full`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Cause::$name => $id,)+ }
            }

            /// The cause with this id.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Cause> {
                match id { $($id => Some(Cause::$name),)+ _ => None }
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/causes.rs"));

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Cause::from_id(&id).ok_or_else(|| {
            serde::de::Error::custom(format!("`{id}` is no cause this version knows"))
        })
    }
}

/// What is true of a cause by itself.
#[derive(Debug)]
pub(crate) struct Traits {
    pub(crate) scope: Scope,
    /// Before MAIL the peer knows nothing of the message: what it says may hold for more.
    pub(crate) early_scope: Scope,
    pub(crate) responsible: Responsible,
    /// Whether the address is of no more use, where the failure is final.
    pub(crate) dead: AddressDead,
    pub(crate) dead_while_transient: AddressDead,
    pub(crate) blocks_sender: bool,
    pub(crate) ends_the_message: bool,
    pub(crate) status: (u16, u16),
    pub(crate) checks: &'static [Check],
    pub(crate) remedies: &'static [Remedy],
    pub(crate) standards: &'static [&'static str],
}

impl Cause {
    /// What shares its fate, met at this stage. The stage matters where the same words mean the
    /// whole server before MAIL and one message or mailbox after it.
    #[must_use]
    pub fn scope(self, stage: Option<Stage>) -> Scope {
        let traits = traits(self);
        match stage {
            Some(
                Stage::Route
                | Stage::Connect
                | Stage::Greeting
                | Stage::Hello
                | Stage::StartTls
                | Stage::Auth,
            ) => traits.early_scope,
            Some(
                Stage::Mail
                | Stage::Rcpt
                | Stage::Data
                | Stage::Content
                | Stage::EndOfData
                | Stage::Reset
                | Stage::Quit,
            )
            | None => traits.scope,
        }
    }

    /// Who must act.
    #[must_use]
    pub fn responsible(self) -> Responsible {
        traits(self).responsible
    }

    /// Whether the address is of no more use. Only what the receiver's side says for good about the
    /// mailbox or domain itself makes it so; never a cause on the sender's side.
    #[must_use]
    pub fn address_dead(self, permanent: bool) -> AddressDead {
        let traits = traits(self);
        if permanent {
            traits.dead
        } else {
            traits.dead_while_transient
        }
    }

    /// Whether it is the sending side that is turned away, whatever the recipient.
    #[must_use]
    pub fn blocks_sender(self) -> bool {
        traits(self).blocks_sender
    }

    /// Whether trying further cannot help, whatever class the codes are of: a loop stays a loop.
    #[must_use]
    pub fn ends_the_message(self) -> bool {
        traits(self).ends_the_message
    }

    /// Subject and detail of the enhanced status code that says it (RFC 3463).
    #[must_use]
    pub fn status(self) -> (u16, u16) {
        traits(self).status
    }

    /// What could be checked to be surer.
    #[must_use]
    pub fn checks(self) -> &'static [Check] {
        traits(self).checks
    }

    /// What would mend it, most useful first.
    #[must_use]
    pub fn remedies(self) -> &'static [Remedy] {
        traits(self).remedies
    }

    /// Where the standards speak of it.
    #[must_use]
    pub fn standards(self) -> &'static [&'static str] {
        traits(self).standards
    }
}
