//! Searches in a real OpenLDAP.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dns::TableResolver;
use peers::Slapd;
use recipients::Table;
use tables::{LdapTable, Place, Search};
use world::World;

/// So long after a failure nobody tries again, and a little more.
const PAUSE: Duration = Duration::from_millis(1_100);

const ENTRIES: &str = "\
dn: uid=anna,dc=example
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: A
mail: anna@ours.example

dn: uid=list,dc=example
objectClass: inetOrgPerson
uid: list
cn: List
sn: L
mail: anna@ours.example
mail: bert@ours.example
";

struct Stage {
    slapd: Slapd,
    password: tempfile::NamedTempFile,
}

impl Stage {
    fn new() -> Stage {
        let password = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(password.path(), "secret\n").unwrap();
        let slapd = Slapd::start(ENTRIES).unwrap();
        Stage { slapd, password }
    }

    fn search(&self) -> Search {
        let password: PathBuf = self.password.path().to_owned();
        Search {
            server: Place::Socket(self.slapd.socket.clone()),
            bind: Some(("cn=reader,dc=example".into(), password)),
            base: "dc=example".into(),
            filter: "(uid={key})".into(),
            value: Some("MAIL".into()),
        }
    }
}

fn table(search: Search, keep: Duration) -> LdapTable {
    let resolver = Arc::new(TableResolver::default());
    LdapTable::new("people", search, keep, World::real(), resolver)
}

async fn value(table: &LdapTable, key: &str) -> Option<String> {
    table.look_up(key).await.unwrap().map(|entry| entry.value)
}

#[tokio::test]
async fn a_search_answers_with_all_values_of_its_attribute_over_socket_and_tcp() {
    let stage = Stage::new();
    let by_tcp = Search {
        server: Place::Host("127.0.0.1".into(), stage.slapd.port),
        ..stage.search()
    };
    for search in [stage.search(), by_tcp] {
        let people = table(search, Duration::ZERO);
        assert_eq!(
            value(&people, "anna").await.as_deref(),
            Some("anna@ours.example")
        );
        let list = value(&people, "list").await.unwrap();
        assert_eq!(list, "anna@ours.example, bert@ours.example");
        assert_eq!(value(&people, "nobody").await, None);
        for star in ["*", "an*", "anna)(uid=*", "x)(|(uid=*"] {
            assert_eq!(value(&people, star).await, None, "{star}");
        }
    }
    let there = Search {
        value: None,
        ..stage.search()
    };
    let there = table(there, Duration::ZERO);
    assert_eq!(value(&there, "anna").await.as_deref(), Some(""));
}

#[tokio::test]
async fn who_is_not_let_in_and_a_base_that_is_not_there_fail_and_make_nobody_unknown() {
    let stage = Stage::new();
    std::fs::write(stage.password.path(), "wrong\n").unwrap();
    let people = table(stage.search(), Duration::ZERO);
    let error = people.look_up("anna").await.unwrap_err();
    assert!(error.0.contains("invalidCredentials"), "{error}");
    std::fs::write(stage.password.path(), "\n").unwrap();
    tokio::time::sleep(PAUSE).await;
    let error = people.look_up("anna").await.unwrap_err();
    assert!(error.0.contains("its first line is empty"), "{error}");
    std::fs::write(stage.password.path(), "secret\n").unwrap();
    tokio::time::sleep(PAUSE).await;
    assert!(value(&people, "anna").await.is_some());
    let nowhere = Search {
        base: "ou=gone,dc=example".into(),
        ..stage.search()
    };
    let error = table(nowhere, Duration::ZERO).look_up("anna").await;
    assert!(error.unwrap_err().0.contains("noSuchObject"));
}

#[tokio::test]
async fn a_server_that_is_gone_fails_but_for_what_it_has_answered_and_is_asked_when_it_is_back() {
    let mut stage = Stage::new();
    let people = table(stage.search(), Duration::from_secs(60));
    assert!(value(&people, "anna").await.is_some());
    stage.slapd.kill();
    assert!(people.look_up("list").await.is_err());
    assert!(value(&people, "anna").await.is_some(), "it still holds");
    stage.slapd.run().unwrap();
    tokio::time::sleep(PAUSE).await;
    assert!(value(&people, "list").await.is_some());
}
