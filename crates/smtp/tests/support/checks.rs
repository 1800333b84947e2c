//! What must hold for any bytes at all: used by the property tests and by the fuzz targets.

use bytes::BytesMut;
use smtp::client::{Connection, Envelope, Event as ClientEvent, Protocol, Settings};
use smtp::command::{self, Command};
use smtp::content::{ContentProblem, DataReader, DotStuffer, Received};
use smtp::envelope::BodyKind;
use smtp::server::{Config, Event, Session};
use smtp::{Address, Extensions, OutgoingReply, Reply, ReplyParser};

/// Cuts bytes into pieces at these places; places beyond the end count for nothing.
pub fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
    cuts.sort_unstable();
    let mut from = 0;
    let mut pieces = Vec::new();
    for cut in cuts.into_iter().chain([bytes.len()]) {
        pieces.push(&bytes[from..cut]);
        from = cut;
    }
    pieces
}

/// One piece for each byte, and one with nothing.
pub fn bytewise(bytes: &[u8]) -> Vec<&[u8]> {
    std::iter::once(&[][..]).chain(bytes.chunks(1)).collect()
}

/// All that a server session makes of some input. How the content is cut into pieces is left out,
/// and content that is not taken in the end is left out too: how much of it is handed on before the
/// problem is found depends on the pieces.
pub fn served(pieces: &[&[u8]]) -> (Vec<Event>, Vec<u8>, bool) {
    let config = Config {
        max_size: 300,
        max_recipients: 3,
        max_line: 100,
        max_errors: 5,
        dsn: true,
        binary_mime: true,
        deliver_by: true,
        priority: true,
        ..Config::new("s")
    };
    let mut session = Session::new(config);
    session.accept();
    let (mut events, mut output) = (Vec::new(), Vec::new());
    let mut content = BytesMut::new();
    let mut binary = false;
    for piece in pieces {
        session.input().extend_from_slice(piece);
        while let Some(event) = session.poll() {
            match &event {
                Event::Rcpt { to, .. } if to.local().starts_with('n') => {
                    session.answer(OutgoingReply::plain(550, "no"));
                }
                Event::Data { .. } if events.len() % 7 == 6 => {
                    session.answer(OutgoingReply::plain(451, "no"));
                }
                event if event.needs_answer() => session.accept(),
                _ => {}
            }
            match event {
                Event::Content(piece) => {
                    content.extend_from_slice(&piece);
                    continue;
                }
                Event::EndOfContent { size } => {
                    assert_eq!(size, content.len() as u64);
                    if !binary {
                        assert_canonical(&content);
                    }
                    events.push(Event::Content(content.split().freeze()));
                }
                Event::Mail { ref params, .. } => binary = params.body == BodyKind::Binary,
                Event::Data { .. } => content.clear(),
                _ => {}
            }
            events.push(event);
        }
        assert!(!session.awaits_answer());
        output.extend_from_slice(&session.take_output());
    }
    (events, output, session.is_closed())
}

/// No CR, LF or NUL but in CRLF. The last CR may lack its LF only where it is refused.
fn assert_canonical(content: &[u8]) {
    for (at, byte) in content.iter().enumerate() {
        match byte {
            0 => panic!("a NUL was taken"),
            b'\n' => assert!(at > 0 && content[at - 1] == b'\r', "a bare LF was taken"),
            b'\r' => assert_eq!(content.get(at + 1), Some(&b'\n'), "a bare CR was taken"),
            _ => {}
        }
    }
}

/// A server session makes the same of the input however it is cut, and its output is replies.
pub fn server(input: &[u8], cuts: &[usize]) {
    let whole = served(&[input]);
    assert_eq!(served(&cut(input, cuts)), whole);
    assert_eq!(served(&bytewise(input)), whole);
    let mut parser = ReplyParser::new("us");
    parser.receive(&whole.1);
    while parser.next_reply().unwrap().is_some() {}
    assert!(parser.is_empty(), "half a reply was written");
}

/// All that a client connection makes of a server's words, and what it sends.
pub fn talked(pieces: &[&[u8]], protocol: Protocol, chunking: bool) -> (Vec<String>, Vec<u8>) {
    let settings = Settings {
        chunking,
        ..Settings::new("me", "peer", protocol)
    };
    let mut connection = Connection::new(settings);
    let recipients = ["c@d", "e@f", "g@h"]
        .map(|to| to.parse::<Address>().unwrap().into())
        .to_vec();
    let sender = Address::null();
    let envelope = Envelope {
        sender,
        recipients,
        size: 9,
        params: smtp::envelope::MailParams {
            ret: Some(smtp::envelope::Return::Full),
            priority: smtp::envelope::Priority::new(2),
            ..Default::default()
        },
    };
    let (mut events, mut output) = (Vec::new(), Vec::new());
    for piece in pieces {
        connection.receive(piece);
        loop {
            let event = match connection.poll() {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(connection.poll(), Err(error.clone()));
                    events.push(format!("{error:?}"));
                    output.extend_from_slice(connection.output());
                    return (events, output);
                }
            };
            events.push(format!("{event:?}"));
            match event {
                ClientEvent::Ready(_) | ClientEvent::Over { usable: true } => {
                    if let Err(unfit) = connection.begin(envelope.clone()) {
                        events.push(format!("{unfit:?}"));
                    }
                }
                ClientEvent::SendContent => {
                    connection.content(b".text\r\n.");
                    connection.content(b"\r\n");
                    connection.content_end();
                }
                _ => {}
            }
        }
        output.extend_from_slice(connection.output());
        connection.sent();
    }
    (events, output)
}

/// A client makes the same of the input however it is cut.
pub fn client(input: &[u8], cuts: &[usize]) {
    for (protocol, chunking) in [
        (Protocol::Smtp, false),
        (Protocol::Smtp, true),
        (Protocol::Lmtp, false),
    ] {
        let whole = talked(&[input], protocol, chunking);
        assert_eq!(talked(&cut(input, cuts), protocol, chunking), whole);
        assert_eq!(talked(&bytewise(input), protocol, chunking), whole);
    }
}

fn replies(pieces: &[&[u8]]) -> (Vec<Reply>, bool) {
    let mut parser = ReplyParser::new("peer");
    let mut replies = Vec::new();
    for piece in pieces {
        parser.receive(piece);
        loop {
            match parser.next_reply() {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(_) => return (replies, true),
            }
        }
    }
    (replies, false)
}

/// Replies keep every byte, are the same however the bytes are cut, and survive being written down.
pub fn reply(input: &[u8], cuts: &[usize]) {
    let whole = replies(&[input]);
    assert_eq!(replies(&cut(input, cuts)), whole);
    assert_eq!(replies(&bytewise(input)), whole);
    let kept: Vec<u8> = whole
        .0
        .iter()
        .flat_map(|reply| reply.raw())
        .copied()
        .collect();
    assert!(input.starts_with(&kept));
    for reply in whole.0 {
        assert!((100..600).contains(&reply.code()));
        assert_eq!(Reply::parse("peer", reply.raw()).as_ref(), Ok(&reply));
        let json = serde_json::to_string(&reply).unwrap();
        assert_eq!(serde_json::from_str::<Reply>(&json).unwrap(), reply);
        let lines: usize = reply.lines().map(<[u8]>::len).sum();
        assert!(lines + 4 * (reply.lines().count() - 1) < reply.raw().len());
        assert!(reply.text().len() <= 3 * reply.raw().len());
        let _ = (reply.status(), reply.severity());
    }
}

/// What an EHLO reply announces can be written down, whatever it is.
pub fn extensions(input: &[u8]) {
    let Ok(reply) = Reply::parse("peer", input) else {
        return;
    };
    let extensions = Extensions::of(&reply);
    let json = serde_json::to_string(&extensions).unwrap();
    assert_eq!(
        serde_json::from_str::<Extensions>(&json).unwrap(),
        extensions
    );
}

/// An address that is taken is written as it came, and means the same when read again.
pub fn address(text: &str) {
    let Ok(address) = text.parse::<Address>() else {
        return;
    };
    assert_eq!(address.to_string().parse(), Ok(address.clone()));
    assert!(address.is_null() || address.as_str() == text);
    if let Some(domain) = address.domain() {
        assert_eq!(format!("{}@{domain}", address.local()), text);
        assert!(!domain.is_empty());
    }
    // Nothing in it can end a line or a path.
    assert!(!text.bytes().any(|byte| byte.is_ascii_control()));
    assert_eq!(Address::parse(text, false).is_ok(), text.is_ascii());
    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
}

/// The paths of a command line that is taken can be written into a command line again.
pub fn command(line: &[u8]) {
    let (path, again) = match command::parse(line) {
        Ok(Command::Mail { from, .. }) => {
            let again = command::parse(format!("MAIL FROM:<{}>", from.as_str()).as_bytes());
            (from, again)
        }
        Ok(Command::Rcpt { to, .. }) => {
            let again = command::parse(format!("RCPT TO:<{}>", to.as_str()).as_bytes());
            (to, again)
        }
        _ => return,
    };
    let read = match again {
        Ok(Command::Mail { from, .. }) => from,
        Ok(Command::Rcpt { to, .. }) => to,
        other => panic!("{path:?} was read as {other:?}"),
    };
    assert_eq!(read, path);
    address(path.as_str());
}

/// Adding dots and taking them out again gives the same content with CRLF for each line end, whatever is
/// cut where. Content that has a NUL is refused.
pub fn stuffing(content: &[u8], cuts: &[usize], wire_cuts: &[usize]) {
    let (mut stuffer, mut wire) = (DotStuffer::default(), Vec::new());
    for piece in cut(content, cuts) {
        stuffer.stuff(piece, &mut wire);
    }
    stuffer.end(&mut wire);
    let mut expected = Vec::new();
    let mut rest = content;
    while let Some(first) = rest.first() {
        match first {
            b'\r' | b'\n' => expected.extend_from_slice(b"\r\n"),
            byte => expected.push(*byte),
        }
        rest = rest.strip_prefix(b"\r\n").unwrap_or(&rest[1..]);
    }
    if !expected.is_empty() && !expected.ends_with(b"\r\n") {
        expected.extend_from_slice(b"\r\n");
    }
    let (received, problem) = received(&cut(&wire, wire_cuts));
    match problem {
        None => assert_eq!(received, expected),
        Some(_) => assert!(content.contains(&0), "refused for nothing"),
    }
}

fn received(pieces: &[&[u8]]) -> (Vec<u8>, Option<ContentProblem>) {
    let mut reader = DataReader::new(u64::MAX);
    let (mut input, mut content, mut problem) = (BytesMut::new(), Vec::new(), None);
    for (index, piece) in pieces.iter().enumerate() {
        input.extend_from_slice(piece);
        loop {
            match reader.receive(&mut input) {
                Received::Piece(piece) => content.extend_from_slice(&piece),
                Received::Problem(found) => problem = Some(found),
                Received::More => break,
                Received::End => {
                    assert!(input.is_empty(), "the end came early");
                    assert!(pieces[index + 1..].iter().all(|rest| rest.is_empty()));
                    return (content, problem);
                }
            }
        }
    }
    panic!("the end was not found");
}

/// What a parameter's value means is written so that it means the same when it is read again.
pub fn parameters(text: &str) {
    use smtp::envelope::{
        DeliverBy, EnvelopeId, Hold, Notify, OriginalRecipient, Priority, parse_submitter,
        submitter, xtext,
    };
    if let Some(notify) = Notify::parse(text) {
        assert_eq!(Notify::parse(&notify.to_string()), Some(notify));
    }
    if let Some(to) = OriginalRecipient::parse(text) {
        let written = to.to_xtext();
        assert!(written.is_ascii() && !written.contains(char::is_whitespace));
        if written.len() <= 500 {
            assert_eq!(OriginalRecipient::parse(&written), Some(to));
        }
    }
    if let Some(id) = EnvelopeId::parse(text) {
        assert!(id.to_xtext().len() <= 100);
        assert_eq!(EnvelopeId::parse(&id.to_xtext()), Some(id));
    }
    if let Some(priority) = Priority::parse(text) {
        assert_eq!(Priority::parse(&priority.to_string()), Some(priority));
    }
    if let Some(by) = DeliverBy::parse(text) {
        assert_eq!(DeliverBy::parse(&by.to_string()), Some(by));
    }
    if let Some(from) = parse_submitter(text) {
        assert_eq!(parse_submitter(&submitter(&from)), Some(from));
    }
    let _ = (Hold::parse_for(text), Hold::parse_until(text));
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    assert_eq!(xtext::decode(&xtext::encode(&clean)), Some(clean.clone()));
    assert_eq!(xtext::decode_utf8(&xtext::encode_utf8(&clean)), Some(clean));
}
