//! Tables: from a key to a line of text.

use std::collections::HashMap;
use std::fmt::Debug;

use async_trait::async_trait;

/// What a table says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The text beside the key.
    pub value: String,
    /// The line, in a table that has lines.
    pub line: Option<u32>,
}

/// A table could not be asked; what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TableFailed(pub String);

/// A table that is asked by keys in lower case.
#[async_trait]
pub trait Table: Send + Sync + Debug {
    /// Its name, as configured.
    fn name(&self) -> &str;
    /// What it says of a key.
    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed>;
}

/// A table in memory.
#[derive(Clone, Debug)]
pub struct Fixed {
    name: String,
    entries: HashMap<String, Entry>,
}

impl Fixed {
    /// A table of these entries.
    #[must_use]
    pub fn new(name: &str, entries: impl IntoIterator<Item = (String, Entry)>) -> Fixed {
        let folded = |(key, entry): (String, Entry)| (key.to_lowercase(), entry);
        Fixed {
            name: name.to_owned(),
            entries: entries.into_iter().map(folded).collect(),
        }
    }
}

#[async_trait]
impl Table for Fixed {
    fn name(&self) -> &str {
        &self.name
    }

    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        Ok(self.entries.get(key).cloned())
    }
}
