//! The record in the DNS that announces a policy (RFC 8461 §3.1).

/// `v=STSv1; id=…;` at `_mta-sts.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Changes with the policy: 1 to 32 letters and digits.
    pub id: String,
}

/// Why a domain's TXT records announce no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// None of them is of MTA-STS.
    #[error("no record begins with `v=STSv1;`")]
    None,
    /// More than one is.
    #[error("{count} records begin with `v=STSv1;`: there must be one")]
    Several {
        /// How many.
        count: usize,
    },
    /// There is no `id` of letters and digits.
    #[error("`{text}` has no `id` of 1 to 32 letters and digits")]
    NoId {
        /// The record.
        text: String,
    },
}

const VERSION: &str = "v=STSv1";

impl Record {
    /// The one among a name's TXT records.
    pub fn find<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Record, RecordError> {
        let is_ours = |text: &&str| {
            let rest = text.strip_prefix(VERSION);
            rest.is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with(';'))
        };
        let ours: Vec<&str> = texts.into_iter().filter(is_ours).collect();
        match &ours[..] {
            [] => Err(RecordError::None),
            [text] => Record::parse(text),
            several => Err(RecordError::Several {
                count: several.len(),
            }),
        }
    }

    fn parse(text: &str) -> Result<Record, RecordError> {
        let fields = text.split(';').skip(1);
        let mut pairs = fields.filter_map(|field| field.trim_matches([' ', '\t']).split_once('='));
        let id = pairs.find(|(name, _)| *name == "id").map(|(_, id)| id);
        let fits = |id: &&str| {
            (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        match id.filter(fits) {
            Some(id) => Ok(Record { id: id.to_owned() }),
            None => Err(RecordError::NoId {
                text: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_among_other_records_and_fields() {
        for text in [
            "v=STSv1; id=20160831085700Z;",
            "v=STSv1;id=20160831085700Z",
            "v=STSv1 ; x=1; id=20160831085700Z; y=2",
        ] {
            let found = Record::find(["v=spf1 -all", text]);
            let id = "20160831085700Z".to_owned();
            assert_eq!(found, Ok(Record { id }), "{text}");
        }
    }

    #[test]
    fn what_is_no_record_or_more_than_one_announces_nothing() {
        assert_eq!(Record::find([]), Err(RecordError::None));
        for text in [
            "v=STSv12; id=1",
            "v=stsv1; id=1",
            "id=1; v=STSv1",
            "v=STSv1",
        ] {
            assert_eq!(Record::find([text]), Err(RecordError::None), "{text}");
        }
        let two = Record::find(["v=STSv1; id=1", "v=STSv1; id=1"]);
        assert_eq!(two, Err(RecordError::Several { count: 2 }));
        let long = format!("v=STSv1; id={}", "a".repeat(33));
        for text in [
            "v=STSv1;",
            "v=STSv1; id=",
            "v=STSv1; id=a-b",
            "v=STSv1; ID=1",
            &long,
        ] {
            let found = Record::find([text]);
            assert!(matches!(found, Err(RecordError::NoId { .. })), "{text}");
        }
    }
}
