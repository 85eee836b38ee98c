//! The user's service manager, asked over the user's bus (`org.freedesktop.systemd1(5)`): for a scope, a unit that is made of
//! processes which somebody else has started, with a control group of its own that is ours to divide.
//!
//! D-Bus knows its callers by their user: nothing in a user namespace can ask. All that is needed are a few calls and a signal, so the
//! protocol is spoken here, in [`wire`].

pub mod notify;
mod wire;

use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wire::{Message, Method, Reader, Writer};

/// How long an answer may take: a machine that is starting many units at once is slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// And how long a unit that stops: as long as systemd gives it, unless told otherwise.
const STOPPING: Duration = Duration::from_secs(90);

/// Where systemd-logind writes down who lingers.
const LINGERING: &str = "/var/lib/systemd/linger";

const BUS: Method = Method {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    member: "Hello",
    signature: "",
};
const MANAGER: Method = Method {
    destination: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    member: "StartTransientUnit",
    signature: "ssa(sv)a(sa(sv))",
};
const JOBS: &str = "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',\
                    interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the bus of this user at {}: {source}", bus.display())]
    Bus { bus: PathBuf, source: io::Error },
    #[error("systemd says: {message}")]
    Refused { name: String, message: String },
    #[error("systemd could not start the unit: {0}")]
    Failed(String),
}

impl Error {
    /// A unit of this name is there, perhaps about to go.
    pub fn is_name_taken(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if name == "org.freedesktop.systemd1.UnitExists")
    }
}

/// A talk with the manager.
#[derive(Debug)]
pub struct Manager {
    stream: UnixStream,
    bus: PathBuf,
    serial: u32,
    /// Jobs that have ended: their paths, and how.
    ended: Vec<(String, String)>,
}

/// A call on its way.
#[derive(Debug, Clone, Copy)]
pub struct Asked(u32);

impl Manager {
    /// `None`: this user has no bus.
    pub fn of_user() -> Option<Result<Self, Error>> {
        bus().map(Self::at)
    }

    fn at(bus: PathBuf) -> Result<Self, Error> {
        let stream = connect(&bus).map_err(|source| Error::Bus { bus: bus.clone(), source })?;
        let mut talk = Self { stream, bus, serial: 0, ended: Vec::new() };
        talk.send(&BUS, &Writer::default())?;
        let mut rule = Writer::default();
        rule.string(JOBS);
        talk.send(&Method { member: "AddMatch", signature: "s", ..BUS }, &rule)?;
        Ok(talk)
    }

    /// Asks for a scope with this process in it, in a slice.
    pub fn ask_for_scope(&mut self, name: &str, slice: &str, description: &str, pid: u32) -> Result<Asked, Error> {
        let mut body = Writer::default();
        body.string(name);
        body.string("fail");
        body.array(8, |properties| {
            let mut property = |name: &str, typ: &str, value: &dyn Fn(&mut Writer)| {
                properties.align(8);
                properties.string(name);
                properties.signature(typ);
                value(properties);
            };
            property("Description", "s", &|value| value.string(description));
            property("Slice", "s", &|value| value.string(slice));
            property("PIDs", "au", &|value| value.array(4, |pids| pids.number(pid)));
            property("Delegate", "b", &|value| value.boolean(true));
            // One that has failed is not kept for somebody to look at: its name is needed for the next start.
            property("CollectMode", "s", &|value| value.string("inactive-or-failed"));
        });
        body.array(8, |_| {});
        self.send(&MANAGER, &body)
    }

    /// Has it read all units again.
    pub fn reload(&mut self) -> Result<(), Error> {
        let asked = self.send(&Method { member: "Reload", signature: "", ..MANAGER }, &Writer::default())?;
        self.reply(asked).map(drop)
    }

    /// How these units are, in their order: loaded, active, and more closely, as `systemctl list-units` shows it.
    pub fn states(&mut self, units: &[String]) -> Result<Vec<[String; 3]>, Error> {
        let mut body = Writer::default();
        body.array(4, |names| units.iter().for_each(|unit| names.string(unit)));
        let asked = self.send(&Method { member: "ListUnitsByNames", signature: "as", ..MANAGER }, &body)?;
        let reply = self.reply(asked)?;
        let states = Reader::of(&reply).structures(|unit| {
            let (_name, _description) = (unit.string()?, unit.string()?);
            let state = [unit.string()?, unit.string()?, unit.string()?].map(str::to_owned);
            let (_following, _path) = (unit.string()?, unit.string()?);
            let (_job, _kind, _path) = (unit.number()?, unit.string()?, unit.string()?);
            Some(state)
        });
        states.filter(|states| states.len() == units.len()).ok_or_else(|| self.malformed())
    }

    /// Starts a unit, and waits until it has started.
    pub fn start(&mut self, unit: &str) -> Result<(), Error> {
        let mut body = Writer::default();
        body.string(unit);
        body.string("replace");
        let asked = self.send(&Method { member: "StartUnit", signature: "ss", ..MANAGER }, &body)?;
        self.stream.set_read_timeout(Some(STOPPING)).map_err(|error| self.broken(error))?;
        self.await_job(asked)
    }

    /// Stops a unit, and waits until it has stopped. One that is not there has.
    pub fn stop(&mut self, unit: &str) -> Result<(), Error> {
        let mut body = Writer::default();
        body.string(unit);
        body.string("replace");
        let asked = self.send(&Method { member: "StopUnit", signature: "ss", ..MANAGER }, &body)?;
        self.stream.set_read_timeout(Some(STOPPING)).map_err(|error| self.broken(error))?;
        match self.await_job(asked) {
            Err(Error::Refused { name, .. }) if name == "org.freedesktop.systemd1.NoSuchUnit" => Ok(()),
            other => other,
        }
    }

    /// Waits until the scope that was asked for is there.
    pub fn await_scope(&mut self, asked: Asked) -> Result<(), Error> {
        self.await_job(asked)
    }

    fn await_job(&mut self, asked: Asked) -> Result<(), Error> {
        let reply = self.reply(asked)?;
        let job = Reader::of(&reply).string().ok_or_else(|| self.malformed())?.to_owned();
        loop {
            if let Some((_, result)) = self.ended.iter().find(|(ended, _)| *ended == job) {
                return if result == "done" { Ok(()) } else { Err(Error::Failed(result.clone())) };
            }
            self.hear()?;
        }
    }

    /// Moves a process into a group below that of a unit, for which this user alone may lack the right.
    pub fn attach(&mut self, unit: &str, group: &str, pid: u32) -> Result<(), Error> {
        let mut body = Writer::default();
        body.string(unit);
        body.string(group);
        body.array(4, |pids| pids.number(pid));
        let asked = self.send(&Method { member: "AttachProcessesToUnit", signature: "ssau", ..MANAGER }, &body)?;
        self.reply(asked).map(drop)
    }

    fn send(&mut self, method: &Method, body: &Writer) -> Result<Asked, Error> {
        self.serial += 1;
        let message = wire::call(method, self.serial, &body.bytes);
        self.stream.write_all(&message).map_err(|error| self.broken(error))?;
        Ok(Asked(self.serial))
    }

    fn reply(&mut self, asked: Asked) -> Result<Message, Error> {
        loop {
            let message = self.hear()?;
            if message.answers != asked.0 {
                continue;
            }
            if message.kind == wire::ERROR {
                let words = Reader::of(&message).string().unwrap_or(&message.error).to_owned();
                return Err(Error::Refused { name: message.error, message: words });
            }
            return Ok(message);
        }
    }

    /// The next message; of a job that has ended it takes note.
    fn hear(&mut self) -> Result<Message, Error> {
        let message = receive(&mut self.stream).map_err(|error| self.broken(error))?;
        if message.kind == wire::SIGNAL && message.member == "JobRemoved" {
            let mut reader = Reader::of(&message);
            let (_number, job, _unit, result) = (reader.number(), reader.string(), reader.string(), reader.string());
            self.ended.extend(job.zip(result).map(|(job, result)| (job.to_owned(), result.to_owned())));
        }
        Ok(message)
    }

    fn broken(&self, source: io::Error) -> Error {
        Error::Bus { bus: self.bus.clone(), source }
    }

    fn malformed(&self) -> Error {
        self.broken(io::ErrorKind::InvalidData.into())
    }
}

/// Whether this user has a bus.
pub fn has_bus() -> bool {
    bus().is_some()
}

/// Whether the account's service manager runs without anybody logged in.
pub fn lingers() -> bool {
    let uid = rustix::process::getuid().as_raw();
    let known = std::fs::read_to_string(format!("/run/systemd/users/{uid}")).unwrap_or_default();
    let name = known.lines().find_map(|line| line.strip_prefix("NAME=")).map(PathBuf::from);
    let name = name.or_else(|| std::env::var_os("USER").map(PathBuf::from));
    name.is_some_and(|name| Path::new(LINGERING).join(name).exists())
}

/// The first of the places that has a socket of this user's.
fn bus() -> Option<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let named = std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default();
    let path = |address: &str| Some(PathBuf::from(address.strip_prefix("unix:path=")?.split(',').next()?));
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|directory| Path::new(&directory).join("bus"));
    let places = named.split(';').filter_map(path).chain(runtime).chain([format!("/run/user/{uid}/bus").into()]);
    let is_ours = |meta: std::fs::Metadata| meta.file_type().is_socket() && meta.uid() == uid;
    places.into_iter().find(|place| place.metadata().is_ok_and(is_ours))
}

/// Authenticates as this user (D-Bus specification, "Authentication Protocol"), with all said at once.
fn connect(bus: &Path) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(bus)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let uid = rustix::process::getuid().as_raw().to_string();
    let hex: String = uid.bytes().map(|byte| format!("{byte:02x}")).collect();
    stream.write_all(format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n").as_bytes())?;
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") && line.len() < 256 {
        stream.read_exact(&mut byte)?;
        line.extend(byte);
    }
    if line.starts_with(b"OK ") { Ok(stream) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

fn receive(stream: &mut UnixStream) -> io::Result<Message> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut bytes = vec![0; wire::HEAD];
    stream.read_exact(&mut bytes)?;
    let head = bytes.as_slice().try_into().map_err(|_| malformed())?;
    bytes.resize(wire::length(head).ok_or_else(malformed)?, 0);
    stream.read_exact(bytes.get_mut(wire::HEAD..).unwrap_or_default())?;
    wire::parse(&bytes).ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    const RETURN: u8 = 2;

    /// A message as a service sends it: a number as a field, or a text, and a body.
    fn message(kind: u8, fields: &[(u8, Result<u32, &str>)], body: &Writer) -> Vec<u8> {
        let order = if cfg!(target_endian = "little") { b'l' } else { b'B' };
        let mut message = Writer { bytes: vec![order, kind, 0, 1] };
        message.number(body.bytes.len() as u32);
        message.number(1);
        message.array(8, |writer| {
            for (code, value) in fields {
                writer.align(8);
                writer.bytes.push(*code);
                writer.signature(if value.is_ok() { "u" } else { "s" });
                match value {
                    Ok(number) => writer.number(*number),
                    Err(text) => writer.string(text),
                }
            }
        });
        message.align(8);
        message.bytes.extend(&body.bytes);
        message.bytes
    }

    fn texts(texts: &[&str]) -> Writer {
        let mut body = Writer::default();
        texts.iter().for_each(|text| body.string(text));
        body
    }

    /// Plays the bus and systemd for one client: the calls that it got, by their names, and what they began with.
    fn serve(listener: &UnixListener, result: &str) -> Vec<String> {
        let (mut stream, _) = listener.accept().unwrap();
        let mut greeting = Vec::new();
        while !greeting.ends_with(b"BEGIN\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            greeting.extend(byte);
        }
        stream.write_all(b"OK 0123\r\n").unwrap();
        let (mut calls, mut serial) = (Vec::new(), 0);
        while let Ok(call) = receive(&mut stream) {
            serial += 1;
            let first = Reader::of(&call).string().unwrap_or_default().to_owned();
            calls.push(format!("{} {first}", call.member));
            let reply = match call.member.as_str() {
                "StartTransientUnit" if first == "taken.scope" => {
                    let fields = [(4, Err("org.freedesktop.systemd1.UnitExists")), (5, Ok(serial))];
                    message(wire::ERROR, &fields, &texts(&["Unit taken.scope already exists."]))
                }
                "StartTransientUnit" | "StartUnit" => {
                    let mut removed = Writer::default();
                    removed.number(7);
                    removed.bytes.extend(texts(&["/job/7", "x.scope", result]).bytes);
                    let reply = message(RETURN, &[(5, Ok(serial))], &texts(&["/job/7"]));
                    [message(wire::SIGNAL, &[(3, Err("JobRemoved"))], &removed), reply].concat()
                }
                "ListUnitsByNames" => {
                    let mut units = Writer::default();
                    units.array(8, |units| {
                        for (name, state) in [
                            ("a.service", ["loaded", "active", "running"]),
                            ("b.service", ["not-found", "inactive", "dead"]),
                        ] {
                            units.align(8);
                            [name, "a unit"]
                                .iter()
                                .chain(&state)
                                .chain(&["", "/unit"])
                                .for_each(|text| units.string(text));
                            units.number(0);
                            ["", "/"].iter().for_each(|text| units.string(text));
                        }
                    });
                    message(RETURN, &[(5, Ok(serial))], &units)
                }
                _ => message(RETURN, &[(5, Ok(serial))], &texts(&[":1.7"])),
            };
            stream.write_all(&reply).unwrap();
        }
        calls
    }

    fn with_bus(name: &str, result: &str, act: impl FnOnce(&mut Manager)) -> Vec<String> {
        let bus = std::env::temp_dir().join(format!("coracle-bus-{}-{name}", std::process::id()));
        let listener = UnixListener::bind(&bus).unwrap();
        let calls = std::thread::scope(|scope| {
            let serving = scope.spawn(|| serve(&listener, result));
            act(&mut Manager::at(bus.clone()).unwrap());
            serving.join().unwrap()
        });
        std::fs::remove_file(&bus).unwrap();
        calls
    }

    #[test]
    fn a_scope_is_asked_for_and_waited_for() {
        let calls = with_bus("done", "done", |manager| {
            let asked = manager.ask_for_scope("x.scope", "user.slice", "a container", 7).unwrap();
            manager.await_scope(asked).unwrap();
            manager.attach("x.scope", "/container", 8).unwrap();
        });
        let rule = format!("AddMatch {JOBS}");
        assert_eq!(calls, ["Hello ", &rule, "StartTransientUnit x.scope", "AttachProcessesToUnit x.scope"]);
    }

    #[test]
    fn a_unit_is_started_and_waited_for() {
        let calls = with_bus("start", "done", |manager| {
            manager.reload().unwrap();
            manager.start("x.service").unwrap();
        });
        assert_eq!(calls[2..], ["Reload ", "StartUnit x.service"]);
        with_bus("start-failed", "failed", |manager| {
            assert_eq!(manager.start("x.service").unwrap_err().to_string(), "systemd could not start the unit: failed");
        });
    }

    #[test]
    fn the_states_of_units_are_told() {
        with_bus("states", "done", |manager| {
            let states = manager.states(&["a.service".to_owned(), "b.service".to_owned()]).unwrap();
            assert_eq!(states, [["loaded", "active", "running"], ["not-found", "inactive", "dead"]]);
            // One that is about other units is no answer.
            assert!(manager.states(&["a.service".to_owned()]).is_err());
        });
    }

    #[test]
    fn what_systemd_refuses_is_told() {
        with_bus("refused", "failed", |manager| {
            let asked = manager.ask_for_scope("taken.scope", "user.slice", "", 7).unwrap();
            let error = manager.await_scope(asked).unwrap_err();
            assert!(error.is_name_taken());
            assert_eq!(error.to_string(), "systemd says: Unit taken.scope already exists.");
            let asked = manager.ask_for_scope("x.scope", "user.slice", "", 7).unwrap();
            let error = manager.await_scope(asked).unwrap_err();
            assert_eq!(error.to_string(), "systemd could not start the unit: failed");
        });
    }
}
