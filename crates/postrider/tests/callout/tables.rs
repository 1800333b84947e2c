//! Who is there stands in PostgreSQL.

use std::path::Path;

use peers::{Postgres, Relay, Slapd, wait_until};

use crate::{PATIENCE, rcpt, refused};

#[test]
fn a_table_in_postgresql_says_who_is_there_and_makes_nobody_unknown_while_it_is_down() {
    let mut postgres = Postgres::start().unwrap();
    postgres
        .sql(
            "mail",
            "CREATE TABLE users (address text PRIMARY KEY);
             INSERT INTO users VALUES ('bert@dest.example'), ('dora@dest.example');
             CREATE ROLE reader LOGIN; GRANT SELECT ON users TO reader;",
        )
        .unwrap();
    let directory = postgres.socket.parent().unwrap().display().to_string();
    let port = postgres.port;
    let config = format!(
        "[relay]\nnetworks = []\n[domains.\"dest.example\"]\nclass = \"relay\"\n\
         recipients = [\"postgresql://reader@:{port}/mail?socket={directory}&query=SELECT 1 FROM users WHERE address = $1\"]\n\
         [routes]\n\"dest.example\" = \"smtp://127.0.0.1:9\"\n[log]\nformat = \"json\"\n"
    );
    let relay = Relay::start(Path::new(env!("CARGO_BIN_EXE_postrider")), &config).unwrap();
    let known = rcpt(&relay, "Bert@dest.example");
    assert!(known.starts_with("250 "), "{known}\n{}", relay.log());
    let unknown = rcpt(&relay, "nobody@dest.example");
    assert!(
        unknown.starts_with("550 5.1.1 no such recipient here"),
        "{unknown}"
    );
    postgres.kill();
    let while_down = rcpt(&relay, "dora@dest.example");
    let told = "451 4.3.0 our table of recipients cannot be asked; that is our fault; try again in 300 seconds";
    assert_eq!(while_down, told, "{}", relay.log());
    let event = refused(&relay, "dora@dest.example");
    assert_eq!(event["reason"], "table-failed");
    let detail = event["detail"].as_str().unwrap();
    let name = format!("the table postgresql://reader@:{port}/mail cannot be asked: ");
    assert!(detail.starts_with(&name), "{detail}");
    postgres.run().unwrap();
    let back = wait_until(PATIENCE, || {
        let reply = rcpt(&relay, "dora@dest.example");
        reply.starts_with("250 ").then_some(())
    });
    assert!(back.is_some(), "{}", relay.log());
}

#[test]
fn a_directory_says_who_is_there() {
    let slapd = Slapd::start(
        "dn: uid=bert,dc=example\nobjectClass: inetOrgPerson\nuid: bert\ncn: Bert\nsn: B\nmail: bert@dest.example\n",
    )
    .unwrap();
    let directory = slapd.socket.parent().unwrap().to_owned();
    let password = directory.join("password");
    std::fs::write(&password, "secret\n").unwrap();
    let (socket, password) = (slapd.socket.display(), password.display());
    let config = format!(
        "[relay]\nnetworks = []\n[domains.\"dest.example\"]\nclass = \"relay\"\n\
         recipients = [\"ldap:///dc=example?socket={socket}&bind=cn=reader,dc=example&password_file={password}&filter=(mail={{key}})\"]\n\
         [routes]\n\"dest.example\" = \"smtp://127.0.0.1:9\"\n[log]\nformat = \"json\"\n"
    );
    let relay = Relay::start(Path::new(env!("CARGO_BIN_EXE_postrider")), &config).unwrap();
    let known = rcpt(&relay, "bert@dest.example");
    assert!(known.starts_with("250 "), "{known}\n{}", relay.log());
    let unknown = rcpt(&relay, "nobody@dest.example");
    assert!(
        unknown.starts_with("550 5.1.1 no such recipient here"),
        "{unknown}"
    );
}
