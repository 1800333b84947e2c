//! Who hands in mail says who it is: swaks, msmtp, curl and Python, with users in a file and in Dovecot.

use std::process::Command;

use peers::{DovecotAuth, run, tool, wait_until};

use crate::stage::{Stage, swaks, user};

const FILE: &str = "[auth]\nusers = \"{dir}/users\"\n[submission]\ndomain = \"client.example\"";

fn login<'a>(mechanism: &'a str, password: &'a str) -> Vec<&'a str> {
    let of = [
        "--auth-user",
        "anna@client.example",
        "--auth-password",
        password,
    ];
    [["--auth", mechanism].as_slice(), &of].concat()
}

#[test]
fn swaks_hands_in_mail_by_plain_and_login() {
    let stage = Stage::start(FILE);
    let server = format!("127.0.0.1:{}", stage.submission);
    for (count, mechanism) in ["PLAIN", "LOGIN"].into_iter().enumerate() {
        let said = swaks(&server, &login(mechanism, "secret")).unwrap();
        assert!(said.contains("235 2.7.0 authenticated"), "{said}");
        let text = stage.arrived(count + 1);
        assert!(text.contains(" with ESMTPA id "), "{text}");
    }
    stage.logs("\"user\":\"anna@client.example\"");
    let said = swaks(&server, &login("PLAIN", "wrong")).unwrap_err();
    assert!(said.contains("535 5.7.8 authentication failed"), "{said}");
    stage.logs("anna@client.example: wrong password; failures within the hour: 1");
    let said = swaks(&server, &[]).unwrap_err();
    assert!(said.contains("530 5.7.0 authentication required"), "{said}");
}

#[test]
fn msmtp_hands_in_mail_by_every_mechanism() {
    let stage = Stage::start(FILE);
    let message = stage.relay.directory().join("message");
    std::fs::write(&message, "Subject: hello\n\nhello\n").unwrap();
    for (count, mechanism) in ["scram-sha-256", "plain", "login"].into_iter().enumerate() {
        let mut command = Command::new(tool("msmtp").unwrap());
        command.args([
            "--host=127.0.0.1",
            "--tls=off",
            "--user=anna@client.example",
            "--from=anna@client.example",
        ]);
        command
            .arg(format!("--port={}", stage.submission))
            .arg(format!("--auth={mechanism}"));
        command.args(["--passwordeval=echo secret", "bert@dest.example"]);
        command.stdin(std::fs::File::open(&message).unwrap());
        run(&mut command).unwrap();
        let text = stage.arrived(count + 1);
        assert!(
            text.contains("\nMessage-ID: <") && text.contains("\nDate: "),
            "{text}"
        );
    }
}

#[test]
fn a_message_without_a_header_of_its_own_is_completed() {
    let stage = Stage::start(FILE);
    let script = "import smtplib, sys\n\
        with smtplib.SMTP('127.0.0.1', int(sys.argv[1]), 'client.example') as s:\n    \
        s.login('anna@client.example', 'secret')\n    \
        s.sendmail('anna', ['bert'], 'Subject: bare\\r\\n\\r\\nhello\\r\\n')\n";
    let mut command = Command::new(tool("python3").unwrap());
    run(command
        .args(["-c", script])
        .arg(stage.submission.to_string()))
    .unwrap();
    let text = stage.arrived(1).replace("\r\n", "\n");
    for field in [
        "\nFrom: <anna@client.example>\n",
        "\nDate: ",
        "\nMessage-ID: <",
        "\nSubject: bare\n\nhello\n",
    ] {
        assert!(text.contains(field), "no {field:?} in {text}");
    }
    let all = stage.relay.recipients().unwrap();
    assert_eq!(all[0]["recipient"], "bert@client.example");
}

#[test]
fn curl_is_refused_in_another_name() {
    let stage = Stage::start(FILE);
    let message = stage.relay.directory().join("message");
    std::fs::write(&message, "From: carla@client.example\r\n\r\nhello\r\n").unwrap();
    let send = |from: &str| {
        let mut command = Command::new(tool("curl").unwrap());
        command.args([
            "--silent",
            "--show-error",
            "--verbose",
            "--user",
            "anna@client.example:secret",
        ]);
        command.args(["--mail-from", from, "--mail-rcpt", "bert@dest.example"]);
        command.arg("--upload-file").arg(&message);
        run(command.arg(format!(
            "smtp://127.0.0.1:{}/client.example",
            stage.submission
        )))
    };
    let said = send("carla@client.example").unwrap_err().to_string();
    assert!(
        said.contains("550 5.7.1 user anna@client.example may not send as carla@client.example"),
        "{said}"
    );
    let said = send("anna@client.example").unwrap_err().to_string();
    assert!(
        said.contains("550 5.7.1 user anna@client.example may not send a message from carla"),
        "{said}"
    );
    stage.logs("from-not-allowed");
}

#[test]
fn users_are_kept_by_a_command_and_change_while_the_relay_runs() {
    let stage = Stage::start(FILE);
    let server = format!("127.0.0.1:{}", stage.submission);
    let with = |password: &str| swaks(&server, &login("PLAIN", password));
    let ask = |arguments: &[&str], input: &str| user(&stage.relay, arguments, input);
    with("secret").unwrap();
    assert_eq!(ask(&["list"], "").unwrap(), "anna@client.example\n");
    assert!(
        ask(&["add", "ANNA@client.example"], "x\n")
            .unwrap_err()
            .contains("there is a user")
    );
    assert!(
        ask(&["passwd", "ghost"], "x\n")
            .unwrap_err()
            .contains("there is no user ghost")
    );
    assert!(
        ask(&["add", "carla"], "\n")
            .unwrap_err()
            .contains("the password is empty")
    );
    ask(&["passwd", "anna@client.example"], "changed\n").unwrap();
    let changed = wait_until(std::time::Duration::from_secs(20), || with("changed").ok());
    assert!(changed.is_some(), "{}", stage.relay.log());
    assert!(with("secret").is_err());
    ask(&["remove", "anna@client.example"], "").unwrap();
    let gone = wait_until(std::time::Duration::from_secs(20), || with("changed").err());
    assert!(gone.is_some());
    let file = std::fs::metadata(stage.relay.directory().join("users")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777,
        0o600
    );
}

#[test]
fn dovecot_is_asked_for_its_users_and_missed_when_it_is_gone() {
    let dovecot = DovecotAuth::start(&[("anna@client.example", "secret")]).unwrap();
    let stage = Stage::start(&format!(
        "[auth]\ndovecot = \"{}\"",
        dovecot.socket.display()
    ));
    let server = format!("127.0.0.1:{}", stage.submission);
    for (count, mechanism) in ["PLAIN", "LOGIN"].into_iter().enumerate() {
        let said = swaks(&server, &login(mechanism, "secret")).unwrap();
        assert!(
            said.contains("SCRAM-SHA-256"),
            "it offers what Dovecot does: {said}"
        );
        stage.arrived(count + 1);
    }
    let mut command = Command::new(tool("msmtp").unwrap());
    let message = stage.relay.directory().join("message");
    std::fs::write(&message, "Subject: hello\n\nhello\n").unwrap();
    command.args([
        "--host=127.0.0.1",
        "--tls=off",
        "--user=anna@client.example",
        "--auth=scram-sha-256",
    ]);
    command
        .arg(format!("--port={}", stage.submission))
        .arg("--from=anna@client.example");
    command.args(["--passwordeval=echo secret", "bert@dest.example"]);
    run(command.stdin(std::fs::File::open(&message).unwrap())).unwrap();
    stage.arrived(3);
    let said = swaks(&server, &login("PLAIN", "wrong")).unwrap_err();
    assert!(said.contains("535 5.7.8 authentication failed"), "{said}");
    dovecot.stop().unwrap();
    let said = swaks(&server, &login("PLAIN", "secret")).unwrap_err();
    assert!(
        said.contains(
            "454 4.7.0 authentication is not possible at the moment; try again in 300 seconds"
        ),
        "{said}"
    );
    stage.logs("login-unavailable");
}
