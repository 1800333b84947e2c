//! `[[rewrite]]`, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use config::Config;

use common::good;

#[test]
fn rules_are_read_in_order_and_shown() {
    let config = good(
        r#"
[[rewrite]]
name = "masquerade"
sender = [".internal.example", "<>"]
recipient = ["dest.example"]
route = ["mx", "smtp://127.0.0.1:2600"]
map = { "@b.example" = "@a.example", "root@b.example" = "admin@a.example" }
in = ["from", "envelope"]
signed = "break"
[[rewrite]]
remove = ["X-Internal"]
set = { "Organization" = "Example \"Ltd\"" }
add = { "X-One" = "1", "X-Two" = "2" }
"#,
    );
    let rules = &config.rewrite.0;
    assert_eq!(rules[0].places.len(), 2);
    assert!(rules[0].break_signatures && !rules[1].break_signatures);
    assert_eq!(
        (rules[1].name.as_str(), rules[1].add.len()),
        ("rewrite 2", 2)
    );
    assert_eq!(good(&config.to_toml()), config);
}

#[test]
fn what_is_wrong_with_a_rule_is_shown_at_its_place() {
    for (line, place, what) in [
        ("", ":1:", "does nothing"),
        (
            "in = [\"To\"]\nremove = [\"X-A\"]",
            ":2:6",
            "nothing says to what",
        ),
        ("remove = [\"Received\"]", ":2:11", "tell the way"),
        ("set = { \"From\" = \"x\" }", ":2:9", "changed by `map`"),
        ("remove = [\"X A\"]", ":2:11", "no header field"),
        ("add = { \"X-A\" = \"a\\nb\" }", ":2:17", "encoded words"),
        (
            "map = { \"b.example\" = \"@a.example\" }",
            ":2:9",
            "no @domain",
        ),
        (
            "map = { \"@b.example\" = \"a.example\" }",
            ":2:24",
            "no @domain",
        ),
        (
            "map = { \"a@b.example\" = \"@a.example\" }",
            ":2:25",
            "becomes an address",
        ),
        (
            "map = { \"@b.example\" = \"@a.example\" }\nin = [\"Bcc\"]",
            ":3:7",
            "envelope",
        ),
        (
            "remove = [\"X-A\"]\nsigned = \"maybe\"",
            ":3:10",
            "\"break\"",
        ),
        ("remove = [\"X-A\"]\nroute = [\"out\"]", ":3:10", "out"),
        (
            "remove = [\"X-A\"]\nsender = [\"a b\"]",
            ":3:11",
            "no address and no domain",
        ),
        ("drop = [\"X-A\"]", ":2:1", "the keys are"),
    ] {
        let text = format!("[[rewrite]]\n{line}\n");
        let errors = Config::parse(&text).expect_err(&text);
        let said = errors.render("postrider.toml", &text, false);
        assert!(said.contains(&format!("postrider.toml{place}")), "{said}");
        assert!(said.contains(what) && said.contains('^'), "{what}: {said}");
    }
}
