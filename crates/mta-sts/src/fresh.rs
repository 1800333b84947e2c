//! Looking for a policy without keeping it: for those who only want to know.

use std::sync::Arc;

use async_trait::async_trait;
use dns::{AskError, RecordData, RecordKind};

use crate::{Failed, Fetcher, Found, Held, Policies, Record};

impl Fetcher {
    /// What the DNS announces; `None`: nothing, or nobody can say.
    pub(crate) async fn announced(&self, domain: &str) -> Option<Record> {
        let name = format!("_mta-sts.{domain}");
        let answer = self.resolver.ask(&name, RecordKind::Txt).await;
        let records = match answer {
            Ok(records) => records,
            Err(AskError::NoSuchName | AskError::NotAName { .. }) => return None,
            Err(error) => {
                tracing::debug!(domain, %error, "whether there is a policy of MTA-STS cannot be found out");
                return None;
            }
        };
        let texts = records.iter().filter_map(|record| match &record.data {
            RecordData::Txt(text) => Some(text.as_str()),
            _ => None,
        });
        Record::find(texts).ok()
    }
}

#[async_trait]
impl Policies for Fetcher {
    async fn of(&self, domain: &str) -> Found {
        let Some(Record { id }) = self.announced(domain).await else {
            return Found::default();
        };
        match self.fetch(domain).await {
            Ok(policy) => {
                let fetched = self.world.clock.now();
                let held = Held {
                    id,
                    fetched,
                    policy,
                };
                Found {
                    held: Some(Arc::new(held)),
                    trouble: None,
                }
            }
            Err(trouble) => Found {
                held: None,
                trouble: Some(Failed { id, trouble }),
            },
        }
    }
}
