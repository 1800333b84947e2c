//! Whole exchanges: those of the RFCs, and ours with ourselves.

#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use sasl::{Client, ClientError, Keys, Mechanism, Password, Refused, Secret, Server, Step, choose};

const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const SALT: [u8; 16] = [
    0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81,
];

fn pencil() -> Keys {
    Keys::derive(&Password::new("pencil"), &SALT, 4096).unwrap()
}

fn scram() -> Server {
    Server::new(Mechanism::ScramSha256, NONCE)
}

fn said(step: Result<Step, Refused>) -> String {
    match step.unwrap() {
        Step::Challenge(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// RFC 7677 §3.
#[test]
fn the_exchange_of_the_rfc_goes_as_it_stands_there() {
    let mut server = scram();
    let mut client = Client::new(
        Mechanism::ScramSha256,
        "user",
        Password::new("pencil"),
        "rOprNGfwEbeRWgbNEkqO",
    )
    .unwrap();
    let first = client.initial().unwrap().unwrap();
    assert_eq!(first, b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let name = "user".to_owned();
    assert_eq!(
        server.respond(Some(&first)),
        Ok(Step::Keys { name: name.clone() })
    );
    let challenge = said(server.keys(pencil()));
    assert_eq!(
        challenge,
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let last = client.respond(challenge.as_bytes()).unwrap();
    assert_eq!(
        String::from_utf8(last.clone()).unwrap(),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    let proved = said(server.respond(Some(&last)));
    assert_eq!(proved, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assert_eq!(client.finish(), Err(ClientError::ServerUnproven), "not yet");
    assert_eq!(client.respond(proved.as_bytes()), Ok(Vec::new()));
    assert_eq!(server.respond(Some(b"")), Ok(Step::Done { name }));
    assert_eq!(client.finish(), Ok(()));
}

/// RFC 4616 §4, and §2 on who acts as whom.
#[test]
fn plain_is_read_as_the_rfc_has_it() {
    let respond = |text: &str| Server::new(Mechanism::Plain, "").respond(Some(text.as_bytes()));
    let check = |name: &str, password| {
        let (name, password) = (name.to_owned(), Password::new(password));
        Ok(Step::Check { name, password })
    };
    assert_eq!(
        respond("\0tim\0tanstaaftanstaaf"),
        check("tim", "tanstaaftanstaaf")
    );
    assert_eq!(respond("tim\0tim\0secret"), check("tim", "secret"));
    assert_eq!(respond("Ursel\0Kurt\0xipj3plmq"), Err(Refused::ActsAsOther));
    assert_eq!(
        respond("\0\u{aa}\0x"),
        check("a", "x"),
        "RFC 4013 §3, example 4"
    );
    for wrong in ["", "tim", "\0tim", "\0tim\0", "\0tim\0a\0b"] {
        assert_eq!(respond(wrong), Err(Refused::Malformed), "{wrong:?}");
    }
    assert_eq!(respond("\0\0secret"), Err(Refused::Unprepared));
    assert_eq!(respond("\0a\u{7}\0x"), Err(Refused::Unprepared));
    assert_eq!(
        Server::new(Mechanism::Plain, "").respond(Some(b"\0\xff\0x")),
        Err(Refused::Malformed)
    );
}

#[test]
fn a_server_asks_where_the_client_does_not_speak_first() {
    for (mechanism, first) in [
        (Mechanism::Plain, ""),
        (Mechanism::ScramSha256, ""),
        (Mechanism::Login, "Username:"),
    ] {
        assert_eq!(said(Server::new(mechanism, "n").respond(None)), first);
    }
}

#[test]
fn login_asks_for_name_and_password() {
    let mut server = Server::new(Mechanism::Login, "");
    let mut client = Client::new(Mechanism::Login, "anna", Password::new("secret"), "").unwrap();
    assert_eq!(client.initial(), Ok(None));
    let mut step = server.respond(None).unwrap();
    while let Step::Challenge(challenge) = &step {
        step = server
            .respond(Some(&client.respond(challenge).unwrap()))
            .unwrap();
    }
    let (name, password) = ("anna".to_owned(), Password::new("secret"));
    assert_eq!(step, Step::Check { name, password });
    assert_eq!(client.finish(), Ok(()));
    assert!(client.respond(b"more?").is_err());
}

#[test]
fn a_first_message_of_scram_that_is_not_as_it_must_be_is_refused() {
    for (first, why) in [
        ("", Refused::Malformed),
        ("n,,", Refused::Malformed),
        ("n,,n=user", Refused::Malformed),
        ("n,,n=user,r=", Refused::Malformed),
        ("n,,n=us=er,r=x", Refused::Malformed),
        ("n,,m=ext,n=user,r=x", Refused::Malformed),
        ("x,,n=user,r=x", Refused::Malformed),
        ("n,b=other,n=user,r=x", Refused::Malformed),
        ("n,,n=a\u{7},r=x", Refused::Unprepared),
        ("n,a=other,n=user,r=x", Refused::ActsAsOther),
        ("p=tls-unique,,n=user,r=x", Refused::ChannelBinding),
    ] {
        assert_eq!(scram().respond(Some(first.as_bytes())), Err(why), "{first}");
    }
    for fine in [
        "y,,n=user,r=x",
        "n,a=user,n=user,r=x",
        "n,,n=user,r=x,f=later",
    ] {
        assert!(scram().respond(Some(fine.as_bytes())).is_ok(), "{fine}");
    }
}

#[test]
fn a_final_message_of_scram_must_fit_the_first_in_all_its_parts() {
    let nonce = format!("x{NONCE}");
    let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    for (last, why) in [
        (format!("c=biws,r={nonce},p={proof}"), Refused::WrongProof),
        (format!("c=eSws,r={nonce},p={proof}"), Refused::Malformed),
        (format!("c=biws,r=x,p={proof}"), Refused::Malformed),
        (format!("c=biws,r={nonce},p=AAAA"), Refused::Malformed),
        (format!("c=biws,r={nonce}"), Refused::Malformed),
        (String::new(), Refused::Malformed),
    ] {
        let mut server = scram();
        server.respond(Some(b"n,,n=user,r=x")).unwrap();
        server.keys(pencil()).unwrap();
        assert_eq!(server.respond(Some(last.as_bytes())), Err(why), "{last}");
        assert_eq!(
            server.respond(Some(last.as_bytes())),
            Err(Refused::Malformed),
            "it is over"
        );
    }
}

#[test]
fn nobody_can_tell_a_pretended_user_from_a_real_one_by_the_challenge() {
    let secret = Secret::new([1; 32]);
    let ask = |name: &str| {
        let mut server = scram();
        server
            .respond(Some(format!("n,,n={name},r=x").as_bytes()))
            .unwrap();
        said(server.keys(secret.keys_for(name)))
    };
    assert_eq!(ask("ghost"), ask("ghost"));
    let real = Keys::derive(&Password::new("x"), &SALT, sasl::ITERATIONS).unwrap();
    let mut server = scram();
    server.respond(Some(b"n,,n=user,r=x")).unwrap();
    assert_eq!(said(server.keys(real)).len(), ask("ghost").len());
}

#[test]
fn a_client_of_scram_does_not_go_on_with_a_server_that_plays_false() {
    let client = || {
        let mut client = Client::new(
            Mechanism::ScramSha256,
            "user",
            Password::new("pencil"),
            "abc",
        )
        .unwrap();
        client.initial().unwrap();
        client
    };
    for (challenge, why) in [
        ("r=abc,s=QQ==,i=4096", ClientError::Malformed),
        ("r=xyz123,s=QQ==,i=4096", ClientError::Malformed),
        ("r=abcd,s=?,i=4096", ClientError::Malformed),
        ("m=x,r=abcd,s=QQ==,i=4096", ClientError::Malformed),
        ("r=abcd,s=QQ==,i=4095", ClientError::Iterations),
        ("r=abcd,s=QQ==,i=999999999", ClientError::Iterations),
        ("", ClientError::Malformed),
    ] {
        assert_eq!(
            client().respond(challenge.as_bytes()),
            Err(why),
            "{challenge}"
        );
    }
    for (last, why) in [
        ("e=invalid-proof", ClientError::Refused),
        ("v=AAAA", ClientError::ServerUnproven),
        ("", ClientError::Malformed),
    ] {
        let mut client = client();
        client.respond(b"r=abcd,s=QQ==,i=4096").unwrap();
        assert_eq!(client.finish(), Err(ClientError::ServerUnproven));
        assert_eq!(client.respond(last.as_bytes()), Err(why), "{last}");
    }
}

#[test]
fn the_best_mechanism_is_chosen_and_a_password_goes_over_no_open_line() {
    let all = ["LOGIN", "PLAIN", "scram-sha-256", "GSSAPI"];
    assert_eq!(choose(all, false), Some(Mechanism::ScramSha256));
    assert_eq!(choose(["LOGIN", "PLAIN"], true), Some(Mechanism::Plain));
    assert_eq!(choose(["LOGIN", "PLAIN"], false), None);
    assert_eq!(choose(["XOAUTH2"], true), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_and_password_prove_themselves_and_no_other_password_does(
        name in "[a-zé,=@. ]{1,12}", password in "[!-~é]{1,12}", other in "[!-~]{1,12}",
    ) {
        let keys = || Keys::derive(&Password::new(&*password), b"salt", 4096).unwrap();
        for (tried, right) in [(&password, true), (&other, other == password)] {
            let mut client = Client::new(Mechanism::ScramSha256, &name, Password::new(tried.as_str()), "c").unwrap();
            let mut server = scram();
            let first = client.initial().unwrap().unwrap();
            prop_assert_eq!(server.respond(Some(&first)), Ok(Step::Keys { name: name.clone() }));
            let challenge = said(server.keys(keys()));
            let last = client.respond(challenge.as_bytes()).unwrap();
            prop_assert_eq!(server.respond(Some(&last)).is_ok(), right);
        }
    }

    #[test]
    fn no_bytes_break_either_side(pieces in proptest::collection::vec(any::<Vec<u8>>(), 1..4)) {
        for mechanism in Mechanism::ALL {
            let mut server = Server::new(mechanism, "n");
            let mut client = Client::new(mechanism, "u", Password::new("p"), "n").unwrap();
            for piece in &pieces {
                let _ = server.respond(Some(piece));
                let _ = client.respond(piece);
            }
        }
    }
}
