//! Who an address stands for.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use queue::route::{NextHop, Routes, Target};
use queue::{Directory, Expansion, Found, NotFound, Resolved, TablePlace};
use recipients::{Book, Class, Domain, Entry, Fixed, Settings, Srs, Table, TableFailed, Template};
use smtp::Address;

const ALIASES: &str = "\
info@virtual.example: anna@ours.example, bert@ours.example, ANNA@ours.example
@virtual.example: carla@ours.example
shop: anna
anna@two.example: anna@ours.example, \\anna
team: anna, team-b, outside@other.example
team-b: bert, anna, gone
owner-team: bert
out: anna@home.example, x@partner.example
circle-a: circle-b
circle-b: circle-a@ours.example
list: :include:/lists/all
nested: :include:/lists/nested
pipe: |/bin/vacation
ghosts: ghost-one, ghost-two
many: :include:/lists/many
keeper: keeper, anna@home.example
";
const MAILBOXES: &str = "\
anna quota=10MiB
bert
carla forward=carla@home.example keep
dora forward=dora@home.example
keeper
../up
";

fn table(name: &str, text: &str) -> Arc<dyn Table> {
    Arc::new(Fixed::new(name, recipients::entries(text).unwrap()))
}

/// A table that cannot be asked.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Table for Broken {
    fn name(&self) -> &str {
        "sqlite:/gone"
    }

    async fn look_up(&self, _: &str) -> Result<Option<Entry>, TableFailed> {
        Err(TableFailed("unable to open the database file".into()))
    }
}

fn domain(name: &str, class: Class) -> Domain {
    Domain {
        name: name.to_owned(),
        class,
        aliases: Vec::new(),
    }
}

fn local(mailboxes: Arc<dyn Table>) -> Class {
    Class::Local {
        mailbox: Template::parse("maildir:/mail/{domain}/{user}").unwrap(),
        mailboxes: vec![mailboxes],
    }
}

fn book() -> Book {
    let many: Vec<String> = (0..10_001).map(|n| format!("m{n}@other.example")).collect();
    let includes = [
        ("/lists/all", "anna, outside@other.example".to_owned()),
        ("/lists/nested", ":include:/lists/all".to_owned()),
        ("/lists/many", many.join(",")),
    ];
    let includes = includes.map(|(path, value)| (path.to_owned(), Entry { value, line: None }));
    let mut routes = Routes::default();
    routes.insert("partner.example", "smtp://127.0.0.1:2600".parse().unwrap());
    routes.insert("relay.example", "smtp://127.0.0.1:2601".parse().unwrap());
    let relay = |recipients, verify| Class::Relay { recipients, verify };
    let domains = [
        domain("ours.example", local(table("users", MAILBOXES))),
        domain("two.example", local(table("users", MAILBOXES))),
        domain("broken.example", local(Arc::new(Broken))),
        domain("virtual.example", Class::Virtual),
        domain("relay.example", relay(Vec::new(), Some(Arc::default()))),
        domain(
            "listed.example",
            relay(vec![table("known", "anna\n")], None),
        ),
    ];
    let settings = Settings {
        postmaster: Some(address("bert@ours.example")),
        ..Settings::default()
    };
    let srs = Srs::new("ours.example", vec![b"secret".to_vec()], 21);
    Book::new(
        settings,
        domains,
        vec![table("aliases", ALIASES)],
        Arc::new(Fixed::new("includes", includes)),
        Some(srs),
        Arc::new(routes),
    )
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T02:00:00Z".parse().unwrap()
}

async fn find_for(text: &str, sender: &str) -> Result<Found, NotFound> {
    let (address, sender) = (address(text), address(sender));
    book().find(&address, &sender, now()).await
}

async fn resolved(text: &str) -> Resolved {
    match find_for(text, "someone@far.example").await {
        Ok(Found::Here(resolved)) => resolved,
        other => panic!("{text}: {other:?}"),
    }
}

async fn names(text: &str) -> Vec<String> {
    let resolved = resolved(text).await;
    resolved
        .recipients
        .iter()
        .map(|r| r.address.to_string())
        .collect()
}

async fn refused(text: &str) -> NotFound {
    find_for(text, "someone@far.example").await.unwrap_err()
}

fn maildir(path: &str) -> Target {
    Target::Hop(NextHop::Maildir(path.into()))
}

#[tokio::test]
async fn a_mailbox_is_found_whatever_the_case_of_its_name() {
    for text in [
        "anna@ours.example",
        "ANNA@Ours.Example",
        "\"anna\"@ours.example",
    ] {
        let found = resolved(text).await;
        assert_eq!(found.recipients.len(), 1);
        let anna = &found.recipients[0];
        assert_eq!(anna.target, maildir("/mail/ours.example/anna"), "{text}");
        assert_eq!(anna.quota.unwrap().bytes, 10 << 20);
        assert!(anna.sender.is_none() && found.steps.is_empty());
    }
}

#[tokio::test]
async fn a_detail_stays_with_the_address_and_leads_to_the_same_mailbox() {
    let found = resolved("Anna+Shop@ours.example").await;
    assert_eq!(
        found.recipients[0].address,
        address("Anna+Shop@ours.example")
    );
    assert_eq!(
        found.recipients[0].target,
        maildir("/mail/ours.example/anna")
    );
    // It goes on with an alias.
    assert_eq!(
        names("shop+black@ours.example").await,
        ["anna+black@ours.example"]
    );
}

#[tokio::test]
async fn an_alias_becomes_its_targets_each_once_and_says_by_which_line() {
    let found = resolved("Info@virtual.example").await;
    let to: Vec<_> = found
        .recipients
        .iter()
        .map(|r| r.address.to_string())
        .collect();
    assert_eq!(to, ["anna@ours.example", "bert@ours.example"]);
    let [
        Expansion::Became {
            into, more: 0, by, ..
        },
    ] = &found.steps[..]
    else {
        panic!("{:?}", found.steps)
    };
    assert_eq!(into.len(), 3);
    assert_eq!(by.to_string(), "aliases line 1");
}

#[tokio::test]
async fn names_without_a_domain_are_for_local_domains_alone() {
    assert_eq!(names("shop@ours.example").await, ["anna@ours.example"]);
    let both = names("shop@two.example").await;
    assert_eq!(both, ["anna@ours.example", "anna@two.example"]);
    // In the virtual domain nobody is called shop: all others are carla's.
    let carla = resolved("shop@virtual.example").await;
    assert_eq!(carla.recipients[0].address, address("carla@ours.example"));
}

#[tokio::test]
async fn lists_nest_and_members_that_are_nobody_are_left_out() {
    let found = resolved("team@ours.example").await;
    let to: Vec<_> = found
        .recipients
        .iter()
        .map(|r| r.address.to_string())
        .collect();
    assert_eq!(
        to,
        [
            "anna@ours.example",
            "bert@ours.example",
            "outside@other.example"
        ]
    );
    let left_out = found.steps.iter().find_map(|step| match step {
        Expansion::LeftOut { address, by } => Some((address.to_string(), by.clone())),
        _ => None,
    });
    let by = TablePlace {
        table: "aliases".into(),
        line: Some(6),
    };
    assert_eq!(left_out, Some(("gone@ours.example".into(), by)));
    assert!(matches!(
        refused("ghosts@ours.example").await,
        NotFound::Unknown { .. }
    ));
}

#[tokio::test]
async fn copies_for_a_list_with_an_owner_come_from_its_owner() {
    let found = resolved("team@ours.example").await;
    let owner = Some(address("owner-team@ours.example"));
    assert!(
        found.recipients.iter().all(|r| r.sender == owner),
        "{found:?}"
    );
    // And the owner is somebody.
    assert_eq!(
        names("owner-team@ours.example").await,
        ["bert@ours.example"]
    );
}

#[tokio::test]
async fn what_goes_on_to_elsewhere_has_a_sender_of_ours_unless_it_has_one_or_none() {
    let found = resolved("out@ours.example").await;
    let rewritten = found.recipients[0].sender.clone().unwrap();
    assert!(rewritten.to_string().starts_with("SRS0="), "{rewritten}");
    assert_eq!(rewritten.domain(), Some("ours.example"));
    assert_eq!(found.recipients[1].sender, Some(rewritten.clone()));
    assert_eq!(
        found.recipients[1].target,
        Target::Hop("smtp://127.0.0.1:2600".parse().unwrap())
    );
    for sender in ["<>", "anna@ours.example", "x@virtual.example"] {
        let Ok(Found::Here(found)) = find_for("out@ours.example", sender).await else {
            panic!("{sender}")
        };
        assert_eq!(found.recipients[0].sender, None, "{sender}");
    }
    // A report comes back to whom it is for, and nobody else can use the address.
    let Ok(Found::Here(back)) = find_for(&rewritten.to_string(), "<>").await else {
        panic!()
    };
    assert_eq!(back.recipients[0].address, address("someone@far.example"));
    assert!(matches!(back.steps[..], [Expansion::Returned { .. }]));
    let other = find_for(&rewritten.to_string(), "spammer@far.example").await;
    assert!(matches!(other, Err(NotFound::NotReturned { .. })));
    let forged = find_for("SRS0=AAAA=AA=far.example=someone@ours.example", "<>").await;
    assert!(matches!(forged, Err(NotFound::NotReturned { .. })));
}

#[tokio::test]
async fn a_mailbox_may_forward_and_may_keep_a_copy() {
    let found = resolved("carla@ours.example").await;
    let to: Vec<_> = found
        .recipients
        .iter()
        .map(|r| r.address.to_string())
        .collect();
    assert_eq!(to, ["carla@ours.example", "carla@home.example"]);
    assert!(found.recipients[0].sender.is_none() && found.recipients[1].sender.is_some());
    assert_eq!(names("dora@ours.example").await, ["dora@home.example"]);
    // An alias that names itself keeps a copy, too.
    let keeper = names("keeper@ours.example").await;
    assert_eq!(keeper, ["keeper@ours.example", "anna@home.example"]);
    let both = names("anna@two.example").await;
    assert_eq!(both, ["anna@ours.example", "anna@two.example"]);
}

#[tokio::test]
async fn circles_and_depth_are_found() {
    let NotFound::Circle { chain } = refused("circle-a@ours.example").await else {
        panic!()
    };
    let chain: Vec<_> = chain.iter().map(ToString::to_string).collect();
    assert_eq!(
        chain,
        [
            "circle-a@ours.example",
            "circle-b@ours.example",
            "circle-a@ours.example"
        ]
    );
    let deep: String = (0..40).map(|n| format!("d{n}: d{}\n", n + 1)).collect();
    let deep = Book::new(
        Settings::default(),
        [domain("ours.example", local(table("users", "d40\n")))],
        vec![table("aliases", &deep)],
        Arc::new(Fixed::new("includes", [])),
        None,
        Arc::default(),
    );
    let found = |name: &str| address(&format!("{name}@ours.example"));
    let sender = Address::null();
    let too_deep = deep.find(&found("d0"), &sender, now()).await;
    assert!(matches!(too_deep, Err(NotFound::Circle { .. })));
    assert!(deep.find(&found("d25"), &sender, now()).await.is_ok());
}

#[tokio::test]
async fn an_expansion_is_bounded() {
    let refused = refused("many@ours.example").await;
    assert!(matches!(refused, NotFound::TooMany { limit: 10_000, .. }));
}

#[tokio::test]
async fn included_lists_are_read_and_do_not_include_others() {
    let all = names("list@ours.example").await;
    assert_eq!(all, ["anna@ours.example", "outside@other.example"]);
    assert!(matches!(
        refused("nested@ours.example").await,
        NotFound::BadEntry { .. }
    ));
}

#[tokio::test]
async fn postmaster_and_abuse_reach_somebody_in_every_domain() {
    for text in [
        "postmaster",
        "Postmaster@ours.example",
        "abuse@ours.example",
        "POSTMASTER@two.example",
    ] {
        assert_eq!(names(text).await, ["bert@ours.example"], "{text}");
    }
    // Where a table takes them, that counts.
    let carla = names("postmaster@virtual.example").await;
    assert_eq!(carla[0], "carla@ours.example");
    assert!(matches!(
        refused("hostmaster@ours.example").await,
        NotFound::Unknown { .. }
    ));
}

#[tokio::test]
async fn unknown_names_are_nobody_and_other_domains_are_elsewhere() {
    for text in [
        "nobody@ours.example",
        "anna+x+y@listed.example2",
        "x@listed.example",
    ] {
        let found = find_for(text, "someone@far.example").await;
        match text.ends_with("2") {
            true => assert_eq!(found, Ok(Found::Elsewhere)),
            false => assert!(matches!(found, Err(NotFound::Unknown { .. })), "{text}"),
        }
    }
    assert_eq!(names("anna@listed.example").await, ["anna@listed.example"]);
}

#[tokio::test]
async fn a_relayed_domain_asks_its_next_hop_and_takes_no_routed_names() {
    let found = resolved("Someone@relay.example").await;
    assert!(found.recipients[0].verify.is_some());
    assert_eq!(
        found.recipients[0].address,
        address("Someone@relay.example")
    );
    assert_eq!(
        found.recipients[0].target,
        Target::Hop("smtp://127.0.0.1:2601".parse().unwrap())
    );
    for text in [
        "a%other.example@relay.example",
        "other.example!a@relay.example",
        "\"a@other.example\"@relay.example",
    ] {
        assert!(
            matches!(refused(text).await, NotFound::Routed { .. }),
            "{text}"
        );
    }
}

#[tokio::test]
async fn no_name_leads_out_of_the_directory_of_mailboxes() {
    for text in [
        "../up@ours.example",
        "\"../up\"@ours.example",
        "\"..\\/up\"@ours.example",
    ] {
        let Ok(asked) = text.parse::<Address>() else {
            continue;
        };
        let found = book().find(&asked, &Address::null(), now()).await;
        assert!(
            matches!(
                found,
                Err(NotFound::BadEntry { .. } | NotFound::Unknown { .. })
            ),
            "{text}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_table_that_fails_makes_nobody_unknown() {
    let failed = refused("anna@broken.example").await;
    let NotFound::TableFailed { table, .. } = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(table, "sqlite:/gone");
    assert!(matches!(
        refused("pipe@ours.example").await,
        NotFound::BadEntry { .. }
    ));
}
