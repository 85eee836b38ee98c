//! Packets from inside a container.

use coracle::network::named::dns::wire::{self, Code, DATAGRAM, Data};

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
