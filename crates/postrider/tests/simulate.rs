//! `postrider simulate` as a program.
#![allow(clippy::unwrap_used, reason = "a test that cannot run fails")]

use std::process::{Command, Output};

fn postrider(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
    command.arg("simulate").args(arguments);
    command.output().unwrap()
}

#[test]
fn it_tells_each_run_as_json_and_draws_it() {
    let dir = tempfile::tempdir().unwrap();
    let plot = dir.path().join("plot.svg");
    let plot = plot.to_str().unwrap();
    let output = postrider(&[
        "--workload",
        "greylisting",
        "--messages",
        "300",
        "--json",
        "--seed",
        "4",
        "--svg",
        plot,
    ]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 6);
    let ours = &rows[0];
    assert_eq!(
        (&ours["policy"], &ours["seed"]),
        (&"postrider".into(), &4.into())
    );
    assert_eq!(ours["delivered"], 300);
    assert!(ours["p95_seconds"].as_f64().unwrap() >= 300.0);
    let plot = std::fs::read_to_string(plot).unwrap();
    assert!(plot.starts_with("<svg ") && plot.contains(">kumomta<"));
}

#[test]
fn a_file_of_ones_own_is_run_and_what_is_wrong_in_it_is_shown_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("w.toml");
    let path = file.to_str().unwrap();
    std::fs::write(
        &file,
        "[workload]\nmessages = 50\n[[failure]]\nkind = \"flapping\"\n",
    )
    .unwrap();
    let output = postrider(&[
        "--workload",
        path,
        "--policy",
        "postrider",
        "--policy",
        "exim",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("| exim "),
        "{text}"
    );
    std::fs::write(&file, "[[failure]]\nkind = \"flaping\"\n").unwrap();
    let output = postrider(&["--workload", path]);
    assert_eq!(output.status.code(), Some(1));
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(
        problem.contains("w.toml:2:8") && problem.contains("^^^"),
        "{problem}"
    );
}

#[test]
fn names_that_there_are_not_are_wrong_use_and_files_that_come_along_can_be_written() {
    assert_eq!(postrider(&["--policy", "qmail"]).status.code(), Some(2));
    assert_eq!(postrider(&["--show", "nothing"]).status.code(), Some(2));
    let shown = String::from_utf8(postrider(&["--show", "exim"]).stdout).unwrap();
    assert!(shown.contains("rule = \"F,2h,15m; G,16h,1h,1.5; F,4d,6h\""));
    let listed = String::from_utf8(postrider(&["--list"]).stdout).unwrap();
    assert!(listed.contains("workload  greylisting ") && listed.contains("policy    postrider "));
}

#[test]
fn waits_of_ones_own_are_tried_beside_the_tables_and_several_workloads_are_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("postrider.toml");
    std::fs::write(
        &config,
        "[retry.\"server.connection-refused\"]\nfirst = \"5m\"\ngrowth = 1\nlongest = \"5m\"\n",
    )
    .unwrap();
    let config = config.to_str().unwrap();
    let two = ["--workload", "outage-minutes", "--messages", "2000"];
    let run = |more: &[&str]| {
        let output = postrider(&[&["--config", config], &two[..], more].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let both = ["--policy", "postrider", "--policy", "configured"];
    let text = run(&[&both[..], &["--json"]].concat());
    let rows: Vec<serde_json::Value> = (text.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&rows[0]["policy"], &rows[1]["policy"]),
        (&"postrider".into(), &"configured".into())
    );
    let of = |row: usize, key: &str| rows[row][key].as_f64().unwrap();
    assert!(
        of(1, "median_seconds") < of(0, "median_seconds") / 2.0,
        "{text}"
    );
    assert!(of(1, "wasted_each") > of(0, "wasted_each"), "{text}");

    let alone = run(&both);
    assert!(!alone.contains("Of 1 pairs"), "{alone}");
    let text = run(&[
        &both[..],
        &["--workload", "healthy", "--workload", "greylisting"],
    ]
    .concat());
    assert!(
        text.contains("| ours is better in | configured |"),
        "{text}"
    );
    assert!(
        text.contains("Of 2 pairs ours is better in both in"),
        "{text}"
    );
}
