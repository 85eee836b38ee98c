//! Messages of D-Bus (its specification, "Message Protocol"), as far as talking with systemd needs them: in this machine's own byte
//! order, without descriptors.

/// A longer message is no answer to anything that was asked here.
pub const LONGEST: usize = 1 << 20;
/// What every message begins with: the fixed part of the header, and the length of its fields.
pub const HEAD: usize = 16;

const ORDER: u8 = if cfg!(target_endian = "little") { b'l' } else { b'B' };
const VERSION: u8 = 1;
const CALL: u8 = 1;
pub const ERROR: u8 = 3;
pub const SIGNAL: u8 = 4;

/// What is called, of whom.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    pub destination: &'static str,
    pub path: &'static str,
    pub interface: &'static str,
    pub member: &'static str,
    /// The types of its arguments.
    pub signature: &'static str,
}

/// Values one behind the other, each at a multiple of its own size.
#[derive(Debug, Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    pub fn number(&mut self, number: u32) {
        self.align(4);
        self.bytes.extend(number.to_ne_bytes());
    }

    pub fn boolean(&mut self, value: bool) {
        self.number(value.into());
    }

    /// Also a path of an object.
    pub fn string(&mut self, text: &str) {
        self.number(text.len() as u32);
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    /// A list of types, 255 bytes at most.
    pub fn signature(&mut self, types: &str) {
        self.bytes.push(types.len() as u8);
        self.bytes.extend(types.as_bytes());
        self.bytes.push(0);
    }

    /// An array, whose elements lie at multiples of `align`.
    pub fn array(&mut self, align: usize, fill: impl FnOnce(&mut Self)) {
        self.number(0);
        let length = self.bytes.len() - 4;
        self.align(align);
        let start = self.bytes.len();
        fill(self);
        let count = (self.bytes.len() - start) as u32;
        self.bytes.splice(length..length + 4, count.to_ne_bytes());
    }
}

/// A call as it is sent.
pub fn call(method: &Method, serial: u32, body: &[u8]) -> Vec<u8> {
    let mut message = Writer { bytes: vec![ORDER, CALL, 0, VERSION] };
    message.number(body.len() as u32);
    message.number(serial);
    let fields =
        [(1, "o", method.path), (2, "s", method.interface), (3, "s", method.member), (6, "s", method.destination)];
    message.array(8, |fields_of| {
        for (code, typ, value) in fields {
            fields_of.align(8);
            fields_of.bytes.push(code);
            fields_of.signature(typ);
            fields_of.string(value);
        }
        if !body.is_empty() {
            fields_of.align(8);
            fields_of.bytes.push(8);
            fields_of.signature("g");
            fields_of.signature(method.signature);
        }
    });
    message.align(8);
    message.bytes.extend(body);
    message.bytes
}

/// A message that came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub kind: u8,
    /// The serial of the call that it answers; 0: none.
    pub answers: u32,
    pub member: String,
    /// The name of an error.
    pub error: String,
    pub body: Vec<u8>,
}

/// How long the message is that begins so. `None`: it is none, or too long.
pub fn length(head: &[u8; HEAD]) -> Option<usize> {
    let mut reader = Reader { bytes: head, at: 4 };
    let [body, _serial, fields] = [reader.number()?, reader.number()?, reader.number()?].map(|number| number as usize);
    let whole = HEAD.checked_add(fields)?.checked_next_multiple_of(8)?.checked_add(body)?;
    (head[0] == ORDER && head[3] == VERSION && whole <= LONGEST).then_some(whole)
}

/// Reads a whole message. `None`: it is malformed.
pub fn parse(bytes: &[u8]) -> Option<Message> {
    let mut message = Message { kind: *bytes.get(1)?, ..Message::default() };
    let mut reader = Reader { bytes, at: 12 };
    let end = HEAD + reader.number()? as usize;
    while reader.at < end {
        reader.align(8);
        let code = reader.byte()?;
        match (code, reader.signature()?) {
            (3, "s") => message.member = reader.string()?.to_owned(),
            (4, "s") => message.error = reader.string()?.to_owned(),
            (5, "u") => message.answers = reader.number()?,
            (_, "s" | "o") => drop(reader.string()?),
            (_, "g") => drop(reader.signature()?),
            (_, "u") => drop(reader.number()?),
            _ => return None,
        }
    }
    message.body = bytes.get(end.next_multiple_of(8)..)?.to_vec();
    Some(message)
}

/// Values of a message, in their order; each `None` where it ends, or is no such value.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn of(message: &'a Message) -> Self {
        Self { bytes: &message.body, at: 0 }
    }

    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub fn number(&mut self) -> Option<u32> {
        self.align(4);
        Some(u32::from_ne_bytes(self.take(4)?.try_into().ok()?))
    }

    /// An array of structures, of which `one` reads one. `None`: it is malformed.
    pub fn structures<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()? as usize;
        self.align(8);
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let mut all = Vec::new();
        while self.at < end {
            self.align(8);
            all.push(one(self)?);
        }
        Some(all)
    }

    pub fn string(&mut self) -> Option<&'a str> {
        let length = self.number()? as usize;
        self.text(length)
    }

    fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?.into();
        self.text(length)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        (self.byte()? == 0).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: Method = Method {
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        member: "Hello",
        signature: "su",
    };

    #[test]
    fn a_call_can_be_read_again() {
        let mut body = Writer::default();
        body.string("x");
        body.number(7);
        let bytes = call(&HELLO, 1, &body.bytes);
        assert_eq!(length(bytes[..HEAD].try_into().unwrap()), Some(bytes.len()));
        let message = parse(&bytes).unwrap();
        assert_eq!((message.kind, message.member.as_str(), message.answers), (CALL, "Hello", 0));
        let mut reader = Reader::of(&message);
        assert_eq!((reader.string(), reader.number(), reader.number()), (Some("x"), Some(7), None));
    }

    /// The array's length counts neither itself nor the padding before its first element.
    #[test]
    fn an_array_of_structs_is_laid_out_as_the_specification_has_it() {
        let mut writer = Writer::default();
        writer.array(8, |writer| writer.bytes.push(1));
        assert_eq!(writer.bytes, [&1_u32.to_ne_bytes()[..], &[0; 4], &[1]].concat());
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_refused() {
        let bytes = call(&HELLO, 1, &[0; 8]);
        for end in 0..bytes.len() - 8 {
            assert_eq!(parse(&bytes[..end]), None, "{end}");
        }
        let mut head: [u8; HEAD] = bytes[..HEAD].try_into().unwrap();
        head[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(length(&head), None);
        head[4..8].copy_from_slice(&0_u32.to_ne_bytes());
        head[0] = b'x';
        assert_eq!(length(&head), None);
    }
}
