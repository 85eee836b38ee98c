//! What a client and the monitor say to each other: packets on a SOCK_SEQPACKET socket, the first byte says what it is.
//!
//! The launcher of a container is its first client, over a socket that the monitor inherits; it is attached from the beginning.
//! Others connect to the socket [`SOCKET`] in the container's directory, as many as like, and are told nothing before they ask.
//! The joiner of a command in a container speaks the same with its one client.
//!
//! ```text
//!  client                                     monitor
//!    i BYTES      input; empty: end of it ──▶
//!    w ROWS COLS  the terminal's size (u16) ─▶
//!    q o / q e    nobody reads this output any more: close it ▶
//!    a            attach: I want the output ─▶
//!    d            detach: live on without me ▶
//!    h            check its health now: answered at once by `s`, then by the code ▶
//!    u JSON       it is to be looked after so from now on ([`super::job::Care`]); answered by the end of the talk ▶
//!    k            a user's signal goes to the program: no restart when it ends ▶
//!    ◀── s TEXT + pidfd   the program runs; the descriptor is init's, the text lines about how it was started
//!    ◀── o BYTES / e BYTES   output, error output
//!    ◀── n TEXT              to the launcher: tell the service manager this ([`super::watch::service`])
//!    ◀── f CODE TEXT         it did not start
//!    ◀── x CODE (i32)        it ended
//! ```
//!
//! Where the socket is gone, or nobody can read from it in time, the signal [`GIVE_UP`] to the monitor says the same as `k`.

/// The name of the socket in the container's directory.
pub const SOCKET: &str = "control";

/// The signal that tells a monitor that its container's user wants an end: it restarts nothing.
pub const GIVE_UP: i32 = libc::SIGUSR1;

/// The most of input or output in one packet.
pub const CHUNK: usize = 32 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToMonitor<'a> {
    Input(&'a [u8]),
    EndOfInput,
    Resize { rows: u16, columns: u16 },
    CloseOutput,
    CloseErrorOutput,
    Attach,
    Detach,
    CheckHealth,
    Update(&'a [u8]),
    GiveUp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToClient<'a> {
    Started(&'a str),
    Output(&'a [u8]),
    ErrorOutput(&'a [u8]),
    Notice(&'a str),
    Failed { code: u8, message: &'a str },
    Exited(i32),
}

impl<'a> ToMonitor<'a> {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Input(bytes) => [b"i".as_slice(), bytes].concat(),
            Self::EndOfInput => b"i".to_vec(),
            Self::Resize { rows, columns } => [b"w".as_slice(), &rows.to_le_bytes(), &columns.to_le_bytes()].concat(),
            Self::CloseOutput => b"qo".to_vec(),
            Self::CloseErrorOutput => b"qe".to_vec(),
            Self::Attach => b"a".to_vec(),
            Self::Detach => b"d".to_vec(),
            Self::CheckHealth => b"h".to_vec(),
            Self::Update(care) => [b"u".as_slice(), care].concat(),
            Self::GiveUp => b"k".to_vec(),
        }
    }

    /// `None`: not a packet of this protocol.
    pub fn decode(packet: &'a [u8]) -> Option<Self> {
        match packet {
            [b'i'] => Some(Self::EndOfInput),
            [b'i', bytes @ ..] => Some(Self::Input(bytes)),
            [b'w', a, b, c, d] => {
                Some(Self::Resize { rows: u16::from_le_bytes([*a, *b]), columns: u16::from_le_bytes([*c, *d]) })
            }
            [b'q', b'o'] => Some(Self::CloseOutput),
            [b'q', b'e'] => Some(Self::CloseErrorOutput),
            [b'a'] => Some(Self::Attach),
            [b'd'] => Some(Self::Detach),
            [b'h'] => Some(Self::CheckHealth),
            [b'u', care @ ..] => Some(Self::Update(care)),
            [b'k'] => Some(Self::GiveUp),
            _ => None,
        }
    }
}

impl<'a> ToClient<'a> {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Started(about) => [b"s", about.as_bytes()].concat(),
            Self::Output(bytes) => [b"o".as_slice(), bytes].concat(),
            Self::ErrorOutput(bytes) => [b"e".as_slice(), bytes].concat(),
            Self::Notice(words) => [b"n", words.as_bytes()].concat(),
            Self::Failed { code, message } => [b"f".as_slice(), &[*code], message.as_bytes()].concat(),
            Self::Exited(code) => [b"x".as_slice(), &code.to_le_bytes()].concat(),
        }
    }

    /// `None`: not a packet of this protocol.
    pub fn decode(packet: &'a [u8]) -> Option<Self> {
        match packet {
            [b's', about @ ..] => Some(Self::Started(std::str::from_utf8(about).unwrap_or("?"))),
            [b'o', bytes @ ..] => Some(Self::Output(bytes)),
            [b'e', bytes @ ..] => Some(Self::ErrorOutput(bytes)),
            [b'n', words @ ..] => std::str::from_utf8(words).ok().map(Self::Notice),
            [b'f', code, message @ ..] => {
                Some(Self::Failed { code: *code, message: std::str::from_utf8(message).unwrap_or("?") })
            }
            [b'x', a, b, c, d] => Some(Self::Exited(i32::from_le_bytes([*a, *b, *c, *d]))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_as_they_went() {
        for message in [
            ToMonitor::Input(b"x"),
            ToMonitor::EndOfInput,
            ToMonitor::Resize { rows: 50, columns: 300 },
            ToMonitor::CloseOutput,
            ToMonitor::CloseErrorOutput,
            ToMonitor::Attach,
            ToMonitor::Detach,
            ToMonitor::CheckHealth,
            ToMonitor::Update(b"{}"),
            ToMonitor::GiveUp,
        ] {
            assert_eq!(ToMonitor::decode(&message.encode()), Some(message));
        }
        let failed = ToClient::Failed { code: 127, message: "no such file" };
        for message in [
            ToClient::Started("how"),
            ToClient::Output(b"a"),
            ToClient::ErrorOutput(b""),
            ToClient::Notice("READY=1"),
            failed,
            ToClient::Exited(-1),
        ] {
            assert_eq!(ToClient::decode(&message.encode()), Some(message));
        }
        for junk in [b"".as_slice(), b"z", b"w1", b"xabc"] {
            assert_eq!((ToMonitor::decode(junk), ToClient::decode(junk)), (None, None));
        }
    }
}
