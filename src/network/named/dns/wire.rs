//! DNS messages (RFC 1035), as far as a companion reads and writes them: one question, and answers that are addresses or names.
//!
//! Of a question the name is read and everything else passed on as it came. A name is never compressed in one, so a pointer is
//! refused, and with it every loop.

use std::net::IpAddr;

/// The header, in bytes.
const HEADER: usize = 12;
/// A name is no longer, in bytes with the lengths of its labels.
const NAME: usize = 255;
/// How long others may keep an answer, in seconds: containers come and go.
const TTL: u32 = 0;
/// What every client takes over UDP, in bytes.
pub const DATAGRAM: usize = 512;

pub const A: u16 = 1;
pub const PTR: u16 = 12;
pub const AAAA: u16 = 28;
const INTERNET: u16 = 1;
const ANY_CLASS: u16 = 255;

/// How an answer ends that has none (RFC 1035, 4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Success = 0,
    Malformed = 1,
    Failed = 2,
    NoName = 3,
    NotImplemented = 4,
}

/// A question as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Question<'a> {
    packet: &'a [u8],
    /// Where the question ends.
    end: usize,
    /// In small letters, without the last dot.
    pub name: String,
    pub kind: u16,
    class: u16,
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Data {
    Address(IpAddr),
    Name(String),
}

/// Reads a packet that asks. `Err`: what to answer, if anything.
pub fn parse(packet: &[u8]) -> Result<Question<'_>, Option<Vec<u8>>> {
    let header = packet.get(..HEADER).ok_or(None)?;
    // Whoever answers an answer may never end.
    if header[2] & 0x80 != 0 {
        return Err(None);
    }
    if header[2] & 0x78 != 0 {
        return Err(Some(refusal(packet, HEADER, Code::NotImplemented)));
    }
    let malformed = || Some(refusal(packet, HEADER, Code::Malformed));
    if number(packet, 4) != Some(1) {
        return Err(malformed());
    }
    let (name, at) = name(packet).ok_or_else(malformed)?;
    let (kind, class) = number(packet, at).zip(number(packet, at + 2)).ok_or_else(malformed)?;
    Ok(Question { packet, end: at + 4, name, kind, class })
}

fn number(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?))
}

/// The name behind the header, and where it ends.
fn name(packet: &[u8]) -> Option<(String, usize)> {
    let (mut name, mut at) = (String::new(), HEADER);
    loop {
        let length = usize::from(*packet.get(at)?);
        let label = packet.get(at + 1..at + 1 + length).filter(|_| length < 64)?;
        at += 1 + length;
        if at - HEADER > NAME {
            return None;
        }
        if length == 0 {
            return Some((name, at));
        }
        if !name.is_empty() {
            name.push('.');
        }
        // What is no letter of a name of ours equals none of ours.
        name.extend(
            label
                .iter()
                .map(|byte| if byte.is_ascii_graphic() { byte.to_ascii_lowercase() as char } else { '\u{fffd}' }),
        );
    }
}

/// An answer without any.
fn refusal(packet: &[u8], end: usize, code: Code) -> Vec<u8> {
    let mut answer = packet.get(..end).unwrap_or_default().to_vec();
    let asked = u8::from(end > HEADER);
    // An answer, and whether recursion was wanted; that there is recursion; one question, or none.
    answer[2] = answer[2] & 0x79 | 0x80;
    answer[3] = 0x80 | code as u8;
    answer[4..HEADER].copy_from_slice(&[0, asked, 0, 0, 0, 0, 0, 0]);
    answer
}

impl Question<'_> {
    /// Whether it is about the Internet's names, as all are.
    pub fn is_of_internet(&self) -> bool {
        matches!(self.class, INTERNET | ANY_CLASS)
    }

    /// The packet.
    pub fn packet(&self) -> &[u8] {
        self.packet
    }

    pub fn refuse(&self, code: Code) -> Vec<u8> {
        refusal(self.packet, self.end, code)
    }

    /// An answer of at most `limit` bytes: one that has no room for all says so, and has none.
    pub fn answer(&self, data: &[Data], limit: usize) -> Vec<u8> {
        let mut answer = self.refuse(Code::Success);
        // With the authority of who knows all names of the network.
        answer[2] |= 0x04;
        for datum in data {
            let (kind, bytes) = match datum {
                Data::Address(IpAddr::V4(address)) => (A, address.octets().to_vec()),
                Data::Address(IpAddr::V6(address)) => (AAAA, address.octets().to_vec()),
                Data::Name(name) => (PTR, labels(name)),
            };
            // The name of the question, by a pointer to it.
            answer.extend([0xc0, HEADER as u8]);
            answer.extend(kind.to_be_bytes());
            answer.extend(INTERNET.to_be_bytes());
            answer.extend(TTL.to_be_bytes());
            answer.extend((bytes.len() as u16).to_be_bytes());
            answer.extend(bytes);
        }
        if answer.len() > limit {
            answer.truncate(self.end);
            answer[2] |= 0x02;
            return answer;
        }
        answer[6..8].copy_from_slice(&(data.len() as u16).to_be_bytes());
        answer
    }

    /// Whether a packet answers this one.
    pub fn is_answered_by(&self, packet: &[u8]) -> bool {
        let question = |packet: &[u8]| packet.get(HEADER..self.end).map(<[u8]>::to_ascii_lowercase);
        packet.len() >= HEADER
            && packet[..2] == self.packet[..2]
            && packet[2] & 0x80 != 0
            && (question(packet) == question(self.packet) || number(packet, 4) == Some(0))
    }
}

/// A name as a packet has it; one with labels that are too long or empty has none.
fn labels(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| (1..64).contains(&label.len()));
    let mut bytes: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(name: &str, kind: u16) -> Vec<u8> {
        let header = [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        [&header[..], &labels(name), &kind.to_be_bytes(), &[0, 1]].concat()
    }

    #[test]
    fn a_question_is_read_and_answered() {
        let packet = packet("Web.DNS.podman", A);
        let question = parse(&packet).unwrap();
        assert_eq!((question.name.as_str(), question.kind), ("web.dns.podman", A));
        let answer = question.answer(&[Data::Address("10.1.2.3".parse().unwrap())], DATAGRAM);
        assert_eq!(answer[..8], [0xab, 0xcd, 0x85, 0x80, 0, 1, 0, 1]);
        assert_eq!(answer[packet.len()..], [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 1, 2, 3]);
        assert!(question.is_answered_by(&answer) && !question.is_answered_by(&packet));
        let mut other = answer.clone();
        other[1] = 0;
        assert!(!question.is_answered_by(&other) && !question.is_answered_by(&answer[..7]));
        let named = question.answer(&[Data::Name("web".into())], DATAGRAM);
        assert_eq!(named[packet.len() + 12..], [3, b'w', b'e', b'b', 0]);
        let many: Vec<Data> = (0..40).map(|n| Data::Address(std::net::Ipv4Addr::new(10, 0, 0, n).into())).collect();
        let cut = question.answer(&many, DATAGRAM);
        assert_eq!((cut.len(), cut[2] & 2, cut[7]), (packet.len(), 2, 0));
        assert_eq!(question.refuse(Code::NoName)[3], 0x83);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let good = packet("a.b", A);
        let answered = |packet: &[u8]| parse(packet).map(|_| ()).unwrap_err().map(|answer| answer[3] & 15);
        assert_eq!((answered(&good[..11]), answered(&[])), (None, None));
        for cut in HEADER..good.len() {
            assert_eq!(answered(&good[..cut]), Some(1), "{cut}");
        }
        let changed = |at: usize, byte: u8| {
            let mut packet = good.clone();
            packet[at] = byte;
            packet
        };
        // An answer; another operation; two questions; a pointer to itself.
        assert_eq!(answered(&changed(2, 0x81)), None);
        assert_eq!(answered(&changed(2, 0x09)), Some(4));
        assert_eq!(answered(&changed(5, 2)), Some(1));
        assert_eq!(answered(&changed(HEADER, 0xc0)), Some(1));
        let long = [&good[..HEADER], &[1, b'a'].repeat(200), &[0, 0, 1, 0, 1]].concat();
        assert_eq!(answered(&long), Some(1));
    }
}
