//! What a server has put into a Maildir.

use std::fs;
use std::path::{Path, PathBuf};

use crate::message::with_lf;
use crate::{Doing, Result};

/// Where a server delivers into: one Maildir for all, or one for each recipient.
#[derive(Clone, Debug)]
pub struct Maildir {
    path: PathBuf,
    per_user: bool,
}

/// A message that was delivered.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The recipient, as the Maildir's name, `Delivered-To` or `Envelope-to` tells.
    pub recipient: String,
    /// The file, with LF lines.
    pub content: Vec<u8>,
}

impl Maildir {
    /// The Maildir at this path, which need not exist yet.
    #[must_use]
    pub fn at(path: &Path) -> Maildir {
        Maildir {
            path: path.to_owned(),
            per_user: false,
        }
    }

    /// The Maildirs in this directory, each with its recipient's name.
    #[must_use]
    pub fn per_user(path: &Path) -> Maildir {
        Maildir {
            path: path.to_owned(),
            per_user: true,
        }
    }

    /// How many messages have arrived.
    #[must_use]
    pub fn count(&self) -> usize {
        let places = self.places().into_iter();
        places
            .map(|(_, new)| fs::read_dir(new).map_or(0, Iterator::count))
            .sum()
    }

    /// What has arrived.
    pub fn messages(&self) -> Result<Vec<Arrived>> {
        let mut messages = Vec::new();
        for (user, new) in self.places() {
            let Ok(entries) = fs::read_dir(new) else {
                continue;
            };
            for entry in entries {
                let path = entry.doing("reading a Maildir")?.path();
                let content = with_lf(&fs::read(&path).doing("reading a message")?);
                messages.push(Arrived {
                    recipient: user.clone().unwrap_or_else(|| recipient(&content)),
                    content,
                });
            }
        }
        Ok(messages)
    }

    /// Recipients, where the names tell them, and the directories of new mail.
    fn places(&self) -> Vec<(Option<String>, PathBuf)> {
        if !self.per_user {
            return vec![(None, self.path.join("new"))];
        }
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries
            .map(|entry| {
                let user = entry.file_name().to_string_lossy().into_owned();
                (Some(user), entry.path().join("new"))
            })
            .collect()
    }
}

fn recipient(content: &[u8]) -> String {
    let head = String::from_utf8_lossy(&content[..content.len().min(4096)]).into_owned();
    let line = head
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let tells = ["delivered-to", "envelope-to"]
                .iter()
                .any(|t| name.eq_ignore_ascii_case(t));
            tells.then(|| value.trim().trim_matches(['<', '>']).to_owned())
        });
    line.unwrap_or_default()
}
