//! Packets from inside a container.

use coracle::network::named::dns::wire::{self, Code, DATAGRAM, Data};
use coracle::network::stack::packet::{self, Content, Obstacle};

/// A question for a name: what is answered is an answer to it, of the size that it may have, and nothing is an answer to an answer.
pub fn question(bytes: &[u8]) {
    let is_answer = |answer: &[u8]| {
        assert!(answer.len() >= 12 && answer[..2] == bytes[..2] && answer[2] & 0x80 != 0);
        assert!(wire::parse(answer).is_err_and(|refusal| refusal.is_none()));
    };
    match wire::parse(bytes) {
        Err(None) => {}
        Err(Some(refusal)) => is_answer(&refusal),
        Ok(question) => {
            assert!(question.name.len() <= 3 * 255);
            let addresses = (0..50).map(|n| Data::Address(std::net::Ipv4Addr::new(10, 0, 0, n).into()));
            let many: Vec<Data> = addresses.chain([Data::Name(question.name.clone())]).collect();
            for answer in
                [question.refuse(Code::NoName), question.answer(&many[..3], DATAGRAM), question.answer(&many, DATAGRAM)]
            {
                is_answer(&answer);
                assert!(answer.len() <= DATAGRAM && question.is_answered_by(&answer));
            }
            is_answer(&question.answer(&many, usize::from(u16::MAX)));
        }
    }
}

/// What the stack reads: a datagram is understood as it was made, and no answer is larger than it may be, or a question itself.
pub fn packet(bytes: &[u8]) {
    let Some((ends, content)) = packet::parse(bytes) else { return };
    let mut buffer = vec![0; 1 << 16];
    match content {
        Content::Tcp { .. } => {}
        Content::Udp(data) => {
            if let Some(length) = packet::udp(&mut buffer, ends.inside, ends.outside, data) {
                assert_eq!(packet::parse(&buffer[..length]), Some((ends, content)));
            }
        }
        Content::Echo(number, data) => {
            assert!(packet::echo_request(ends.outside.ip(), number, data).len() <= bytes.len());
            if let Some(length) = packet::echo_reply(&mut buffer, &ends, number, data) {
                assert!(length <= bytes.len() && packet::parse(&buffer[..length]).is_none());
            }
        }
    }
    for obstacle in [Obstacle::Port, Obstacle::Host, Obstacle::Prohibited] {
        for told in [
            packet::unreachable(&mut buffer, bytes, obstacle),
            packet::unreachable_datagram(&mut buffer, &ends, obstacle),
        ] {
            // Two headers of IP, one of ICMP, and what is quoted.
            assert!(
                told.is_none_or(|length| length <= 40 + 8 + 40 + 128 && packet::parse(&buffer[..length]).is_none())
            );
        }
    }
}
