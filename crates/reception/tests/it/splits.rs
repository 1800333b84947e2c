//! However the client's bytes are cut, the replies and the messages are the same.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{LOCAL, Relay, content, settings};

/// Everything that a session may meet, in one go.
const TRANSCRIPT: &[u8] = b"EHLO client.example\r\n\
    MAIL FROM:<a@client.example> SIZE=100\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<bad\r\nDATA\r\n\
    Received: by x.example; date\r\nSubject: one\r\n\r\n..dot\r\n.\r\n\
    NONSENSE\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nRCPT TO:<c@example.org>\r\n\
    BDAT 6\r\nchun\r\nBDAT 5 LAST\r\n.\r\n\r\n\
    MAIL FROM:<a@client.example>\r\nRSET\r\nDATA\r\nNOOP\r\n\
    MAIL FROM:<a@client.example> BODY=8BITMIME\r\nRCPT TO:<d@example.org>\r\nDATA\r\n\
    caf\xc3\xa9\r\n\r\n.\r\nQUIT\r\n";

/// The whole answer to `pieces`, and the contents that were kept; ids and times are made equal by
/// the fixed seed and the virtual clock.
fn answers(pieces: &[&[u8]]) -> (String, Vec<Vec<u8>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let relay = Relay::start(settings());
        let client = relay.connect_from(LOCAL).await;
        let (mut from, mut to) = tokio::io::split(client.stream);
        let write = async {
            for piece in pieces {
                to.write_all(piece).await.unwrap();
                // Let the relay see this piece alone.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let mut replies = String::new();
        let (_, read) = tokio::join!(write, from.read_to_string(&mut replies));
        read.unwrap();
        let kept = relay.store.messages().iter().map(content).collect();
        (replies, kept)
    })
}

#[test]
fn the_transcript_says_what_it_should() {
    let (replies, kept) = answers(&[TRANSCRIPT]);
    let codes: Vec<&str> = replies
        .lines()
        .filter(|line| line.as_bytes()[3] == b' ')
        .map(|line| &line[..3])
        .collect();
    let expected =
        "220 250 250 250 501 354 250 500 250 550 250 250 250 250 250 503 250 250 250 354 250 221";
    assert_eq!(codes.join(" "), expected, "{replies}");
    assert_eq!(kept.len(), 3);
}

#[test]
fn byte_by_byte_is_answered_as_all_at_once() {
    let single: Vec<&[u8]> = TRANSCRIPT.chunks(1).collect();
    assert_eq!(answers(&single), answers(&[TRANSCRIPT]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cut_gives_the_same_replies(mut cuts in prop::collection::vec(0..TRANSCRIPT.len(), 0..12)) {
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts {
            pieces.push(&TRANSCRIPT[start..cut]);
            start = cut;
        }
        pieces.push(&TRANSCRIPT[start..]);
        prop_assert_eq!(answers(&pieces), answers(&[TRANSCRIPT]));
    }
}
