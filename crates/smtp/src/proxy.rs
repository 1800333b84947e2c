//! The PROXY protocol (HAProxy's proxy-protocol.txt, versions 1 and 2): for whom a proxy connects.
//!
//! The header stands before everything else on the connection. [`read`] says how many bytes are still
//! needed at least, so that a driver never takes more than the header: what follows it may be TLS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The proxy speaks for this client.
    For {
        /// The client.
        source: SocketAddr,
        /// Where it connected to.
        destination: SocketAddr,
    },
    /// The proxy speaks for itself (a health check), or for a client without an IP address.
    Local,
}

/// How far reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes more belong to the header, and perhaps others after them.
    More(usize),
    /// This is the header.
    Done(Header),
}

/// What is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It begins with neither version's signature.
    #[error("no PROXY header")]
    NoHeader,
    /// A line of version 1 that is too long or wrong.
    #[error("a wrong PROXY line")]
    Line,
    /// A version, command or family that there is not.
    #[error("a PROXY header of version 2 with an unknown version, command or family")]
    Unknown,
    /// The addresses do not fit into what is announced.
    #[error("a PROXY header of version 2 that is too short for its addresses")]
    Short,
    /// More than is taken.
    #[error("a PROXY header of {0} bytes")]
    Long(usize),
}

/// §2.2: how version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// §2.1: the longest line of version 1, CRLF included.
const LONGEST_LINE: usize = 107;
/// The longest header of version 2 that is taken. §2.2 allows 65,535 bytes of vectors; what proxies send
/// (names, certificates) is far shorter.
const LONGEST: usize = 4096;

/// Reads a header.
pub fn read(bytes: &[u8]) -> Result<Progress, ProxyError> {
    const FIRST: usize = SIGNATURE.len();
    let start = bytes.len().min(FIRST);
    let line = b"PROXY ".len().min(start);
    let is_first = bytes[..line] == b"PROXY "[..line];
    let is_second = bytes[..start] == SIGNATURE[..start];
    match (is_first, is_second) {
        (false, false) => Err(ProxyError::NoHeader),
        // Both versions have so many.
        _ if bytes.len() < FIRST => Ok(Progress::More(FIRST - bytes.len())),
        (true, _) => first(bytes),
        (false, true) => second(bytes),
    }
}

/// §2.1.
fn first(bytes: &[u8]) -> Result<Progress, ProxyError> {
    if bytes.last() != Some(&b'\n') {
        return match bytes.len() < LONGEST_LINE {
            true => Ok(Progress::More(1)),
            false => Err(ProxyError::Line),
        };
    }
    let line = bytes.strip_suffix(b"\r\n").ok_or(ProxyError::Line)?;
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::Line)?;
    let words: Vec<&str> = line.split(' ').collect();
    let header = match words[..] {
        // What follows UNKNOWN is to be ignored.
        ["PROXY", "UNKNOWN", ..] => Some(Header::Local),
        ["PROXY", family, source, destination, from, to] => {
            let is_v4 = match family {
                "TCP4" => true,
                "TCP6" => false,
                _ => return Err(ProxyError::Line),
            };
            let address = |text: &str| {
                let ip: IpAddr = text.parse().ok()?;
                (ip.is_ipv4() == is_v4).then_some(ip)
            };
            let side = |ip: &str, number: &str| Some(SocketAddr::new(address(ip)?, port(number)?));
            side(source, from)
                .zip(side(destination, to))
                .map(|(source, destination)| Header::For {
                    source,
                    destination,
                })
        }
        _ => None,
    };
    header.map(Progress::Done).ok_or(ProxyError::Line)
}

/// §2.1: a decimal number without leading zeros.
fn port(text: &str) -> Option<u16> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// §2.2.
fn second(bytes: &[u8]) -> Result<Progress, ProxyError> {
    const FIXED: usize = 16;
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else {
        return Ok(Progress::More(FIXED - bytes.len()));
    };
    let (version, command) = (fixed[12] >> 4, fixed[12] & 0x0f);
    if version != 2 || command > 1 {
        return Err(ProxyError::Unknown);
    }
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if length > LONGEST {
        return Err(ProxyError::Long(length));
    }
    if rest.len() < length {
        return Ok(Progress::More(length - rest.len()));
    }
    // LOCAL: whatever addresses come with it are to be ignored.
    if command == 0 {
        return Ok(Progress::Done(Header::Local));
    }
    let header = match fixed[13] {
        // TCP over IPv4 and IPv6; what follows the addresses are vectors, which are passed over.
        0x11 => {
            let (source, rest) = v4(rest)?;
            let (destination, rest) = v4(rest)?;
            sides(source, destination, rest)?
        }
        0x21 => {
            let (source, rest) = v6(rest)?;
            let (destination, rest) = v6(rest)?;
            sides(source, destination, rest)?
        }
        // Unspecified, datagrams and Unix sockets: accepted, and the connection's own address is used.
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => Header::Local,
        _ => return Err(ProxyError::Unknown),
    };
    Ok(Progress::Done(header))
}

fn v4(bytes: &[u8]) -> Result<(IpAddr, &[u8]), ProxyError> {
    let (address, rest) = bytes.split_first_chunk::<4>().ok_or(ProxyError::Short)?;
    Ok((Ipv4Addr::from(*address).into(), rest))
}

fn v6(bytes: &[u8]) -> Result<(IpAddr, &[u8]), ProxyError> {
    let (address, rest) = bytes.split_first_chunk::<16>().ok_or(ProxyError::Short)?;
    Ok((Ipv6Addr::from(*address).into(), rest))
}

fn sides(source: IpAddr, destination: IpAddr, ports: &[u8]) -> Result<Header, ProxyError> {
    let (ports, _) = ports.split_first_chunk::<4>().ok_or(ProxyError::Short)?;
    let [a, b, c, d] = *ports;
    Ok(Header::For {
        source: SocketAddr::new(source, u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([c, d])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as a driver does, and checks that it is never asked for more than the header.
    fn driven(stream: &[u8]) -> Result<(Header, usize), ProxyError> {
        let mut have = 0;
        loop {
            match read(&stream[..have])? {
                Progress::Done(header) => return Ok((header, have)),
                Progress::More(more) => {
                    assert!(more > 0);
                    have += more;
                    assert!(have <= stream.len(), "more than there is");
                }
            }
        }
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0x20 | command, family]);
        bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    fn client(source: &str, destination: &str) -> Header {
        Header::For {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
        }
    }

    #[test]
    fn a_line_of_version_1_is_read_to_its_end_and_no_further() {
        for (line, header) in [
            (
                "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n",
                client("192.0.2.1:4711", "198.51.100.2:25"),
            ),
            (
                "PROXY TCP6 2001:db8::1 2001:db8::2 1 465\r\n",
                client("[2001:db8::1]:1", "[2001:db8::2]:465"),
            ),
            ("PROXY UNKNOWN\r\n", Header::Local),
            (
                "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
                Header::Local,
            ),
        ] {
            let stream = format!("{line}EHLO me\r\n");
            assert_eq!(
                driven(stream.as_bytes()),
                Ok((header, line.len())),
                "{line}"
            );
        }
    }

    #[test]
    fn a_header_of_version_2_is_read_with_its_vectors_and_no_further() {
        let mut four = vec![192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 0, 25];
        let mut six = [Ipv6Addr::LOCALHOST.octets(), Ipv6Addr::UNSPECIFIED.octets()].concat();
        six.extend([0, 1, 0, 2]);
        let plain = v2(1, 0x11, &four);
        four.extend(b"\x02\x00\x03foo");
        for (header, bytes) in [
            (client("192.0.2.1:4711", "198.51.100.2:25"), plain),
            (
                client("192.0.2.1:4711", "198.51.100.2:25"),
                v2(1, 0x11, &four),
            ),
            (client("[::1]:1", "[::]:2"), v2(1, 0x21, &six)),
            (Header::Local, v2(0, 0x00, &[])),
            (Header::Local, v2(0, 0x11, &four)),
            (Header::Local, v2(1, 0x31, &[0; 216])),
        ] {
            let stream = [&bytes[..], b"\x16\x03\x01 the client's hello"].concat();
            assert_eq!(driven(&stream), Ok((header, bytes.len())));
        }
    }

    #[test]
    fn anything_else_is_no_header() {
        use ProxyError as E;
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        let mut version_3 = v2(1, 0x11, &[0; 12]);
        version_3[12] = 0x31;
        let table: [(&[u8], ProxyError); 11] = [
            (b"EHLO client.example\r\n", E::NoHeader),
            (b"PROXIMATE TCP4 1", E::NoHeader),
            (b"\r\n\r\n\0\r\nQUIX\n", E::NoHeader),
            (b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\n", E::Line),
            (b"PROXY TCP4 192.0.2.1 2001:db8::1 4711 25\r\n", E::Line),
            (b"PROXY TCP4 192.0.2.1 198.51.100.2 04711 25\r\n", E::Line),
            (b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n", E::Line),
            (b"PROXY TCP5 192.0.2.1 198.51.100.2 4711 25\r\n", E::Line),
            (long.as_bytes(), E::Line),
            (&v2(1, 0x11, &[0; 11]), E::Short),
            (&version_3, E::Unknown),
        ];
        for (bytes, error) in table {
            assert_eq!(driven(bytes), Err(error), "{}", bytes.escape_ascii());
        }
        assert_eq!(driven(&v2(2, 0x11, &[0; 12])), Err(E::Unknown));
        assert_eq!(driven(&v2(1, 0x55, &[0; 12])), Err(E::Unknown));
        assert_eq!(driven(&v2(1, 0x11, &[0; 4097])), Err(E::Long(4097)));
    }
}
