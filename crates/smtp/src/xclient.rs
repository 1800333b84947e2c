//! XCLIENT: for whom a trusted client speaks (Postfix's XCLIENT_README).

use std::net::IpAddr;

use crate::envelope::xtext;

/// The attributes as they are announced at EHLO.
pub const ANNOUNCEMENT: &str = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

/// What is said about one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attribute<T> {
    /// Nothing: as it was.
    #[default]
    Unsaid,
    /// It is not known: `[UNAVAILABLE]` or `[TEMPUNAVAIL]`.
    Unavailable,
    /// This.
    Is(T),
}

impl<T> Attribute<T> {
    /// Puts what is said into `into`.
    pub fn put(self, into: &mut Option<T>) {
        match self {
            Attribute::Unsaid => {}
            Attribute::Unavailable => *into = None,
            Attribute::Is(value) => *into = Some(value),
        }
    }
}

/// What XCLIENT says about a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XClient {
    /// Its name in the DNS.
    pub name: Attribute<String>,
    /// Its address.
    pub address: Attribute<IpAddr>,
    /// Its port.
    pub port: Attribute<u16>,
    /// Whether it speaks ESMTP, and not SMTP.
    pub extended: Attribute<bool>,
    /// The name it gave at EHLO or HELO.
    pub helo: Attribute<String>,
    /// Who it is, after AUTH.
    pub login: Attribute<String>,
    /// The address it connected to.
    pub destination: Attribute<IpAddr>,
    /// The port it connected to.
    pub destination_port: Attribute<u16>,
}

/// Reads the attributes; an error has the one that is wrong.
pub(crate) fn parse(rest: &str) -> Result<XClient, String> {
    let mut told = XClient::default();
    let mut words = rest.split_ascii_whitespace().peekable();
    if words.peek().is_none() {
        return Err("XCLIENT".to_owned());
    }
    for word in words {
        read(word, &mut told).ok_or_else(|| word.to_owned())?;
    }
    Ok(told)
}

fn read(word: &str, told: &mut XClient) -> Option<()> {
    let (name, value) = word.split_once('=')?;
    let value = xtext::decode(value)?;
    let is_unavailable = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"]
        .iter()
        .any(|mark| value.eq_ignore_ascii_case(mark));
    let value = (!is_unavailable).then_some(value.as_str());
    match name.to_ascii_uppercase().as_str() {
        "NAME" => told.name = attribute(value, text)?,
        "ADDR" => told.address = attribute(value, address)?,
        "PORT" => told.port = attribute(value, number)?,
        "PROTO" => told.extended = attribute(value, protocol)?,
        "HELO" => told.helo = attribute(value, text)?,
        "LOGIN" => told.login = attribute(value, text)?,
        "DESTADDR" => told.destination = attribute(value, address)?,
        "DESTPORT" => told.destination_port = attribute(value, number)?,
        _ => return None,
    }
    Some(())
}

fn attribute<T>(value: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Option<Attribute<T>> {
    match value {
        None => Some(Attribute::Unavailable),
        Some(value) => read(value).map(Attribute::Is),
    }
}

fn text(value: &str) -> Option<String> {
    let plain = !value.is_empty() && !value.chars().any(char::is_control);
    plain.then(|| value.to_owned())
}

fn address(value: &str) -> Option<IpAddr> {
    match value.get(..5) {
        Some(mark) if mark.eq_ignore_ascii_case("IPV6:") => value[5..].parse().ok(),
        _ => value.parse().ok(),
    }
}

fn number(value: &str) -> Option<u16> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| digits)
}

fn protocol(value: &str) -> Option<bool> {
    match value.to_ascii_uppercase().as_str() {
        "ESMTP" => Some(true),
        "SMTP" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_postfix_writes_them() {
        let told = parse(
            "NAME=spike.porcupine.org addr=168.100.189.2 PORT=4711 PROTO=ESMTP HELO=a+2Bb \
             LOGIN=[UNAVAILABLE] DESTADDR=IPV6:2001:db8::25 DESTPORT=25",
        );
        let expected = XClient {
            name: Attribute::Is("spike.porcupine.org".into()),
            address: Attribute::Is("168.100.189.2".parse().unwrap()),
            port: Attribute::Is(4711),
            extended: Attribute::Is(true),
            helo: Attribute::Is("a+b".into()),
            login: Attribute::Unavailable,
            destination: Attribute::Is("2001:db8::25".parse().unwrap()),
            destination_port: Attribute::Is(25),
        };
        assert_eq!(told, Ok(expected));
    }

    #[test]
    fn what_is_no_attribute_is_named() {
        for (rest, wrong) in [
            ("", "XCLIENT"),
            ("NAME", "NAME"),
            ("ADDR=host.example", "ADDR=host.example"),
            ("PORT=65536", "PORT=65536"),
            ("PORT=+2B1", "PORT=+2B1"),
            ("PROTO=LMTP", "PROTO=LMTP"),
            ("HELO=", "HELO="),
            ("HELO=a+0D", "HELO=a+0D"),
            ("HELO=a+0", "HELO=a+0"),
            ("HELO=a+é", "HELO=a+é"),
            ("NAME=a COLOUR=red", "COLOUR=red"),
        ] {
            assert_eq!(parse(rest), Err(wrong.to_owned()), "{rest}");
        }
    }

    #[test]
    fn what_is_unsaid_stays_and_what_is_unavailable_goes() {
        let mut name = Some(1);
        Attribute::Unsaid.put(&mut name);
        assert_eq!(name, Some(1));
        Attribute::Is(2).put(&mut name);
        assert_eq!(name, Some(2));
        Attribute::Unavailable.put(&mut name);
        assert_eq!(name, None);
    }
}
