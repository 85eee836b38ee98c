//! From errors to words: `Error: …` in one line, then hints; and the exit code, as Podman counts them.
//!
//! | code | meaning |
//! |---|---|
//! | 125 | this program failed |
//! | 126 | the command can't be invoked |
//! | 127 | the command was not found |
//! | 1, 2 | something to remove does not exist; is in use |

use std::ffi::OsString;
use std::io::stderr;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::config::Settings;
use super::output::colour::{Colour, paint};
use super::similar::Missing;
use super::{missing, output, root};
use crate::host::check;

/// What goes back to the user instead of a result.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Lower case, no full stop. Several failures: several messages.
    pub messages: Vec<String>,
    pub hints: Vec<String>,
    pub code: u8,
    /// What was named and is not there.
    pub missing: Vec<Missing>,
}

impl Report {
    pub fn new(message: impl ToString) -> Self {
        let message = message.to_string();
        let setting = forbids_user_namespaces(&message).then(check::what_allows_user_namespaces).flatten();
        let hints = setting.into_iter().chain(what_helps(&message).map(str::to_owned)).collect();
        Self { messages: vec![message], hints, code: 125, missing: Vec::new() }
    }

    /// A failure whose words have been printed already.
    pub fn silent(code: u8) -> Self {
        Self { messages: Vec::new(), hints: Vec::new(), code, missing: Vec::new() }
    }

    /// Each is said once.
    pub fn hint(mut self, hint: impl ToString) -> Self {
        let hint = hint.to_string();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// It was about something that is not there: who knows the store may find what was meant.
    pub fn missing(mut self, missing: Option<Missing>) -> Self {
        self.missing.extend(missing);
        self
    }

    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Adds another failure; the worse code stays.
    pub fn join(&mut self, other: Report) {
        self.messages.extend(other.messages);
        for hint in other.hints {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
        self.missing.extend(other.missing);
        self.code = self.code.max(other.code);
    }

    pub fn print(&self) -> ExitCode {
        for message in &self.messages {
            let error = paint(&stderr(), Colour::Red, "Error:");
            output::complain(&format!("{error} {}", output::printable(message)));
        }
        for hint in &self.hints {
            let label = paint(&stderr(), Colour::Cyan, "hint:");
            output::complain(&format!("{label} {}", output::printable(hint)));
        }
        ExitCode::from(self.code)
    }

    fn with(message: impl ToString, hint: Option<String>) -> Self {
        let report = Self::new(message);
        match hint {
            Some(hint) => report.hint(hint),
            None => report,
        }
    }
}

/// What helps against a disk that takes nothing, or does not serve, in whatever room and process it showed: monitors and workers
/// send their errors as words.
fn what_helps(message: &str) -> Option<&'static str> {
    let is = |number| message.contains(&std::io::Error::from_raw_os_error(number).to_string());
    if message.contains("fsconfig(overlay") || message.contains("mount(overlay") {
        return Some(
            "where the kernel's overlay does not serve, as on NFS, ours does: `--storage-driver=fuse`, or `auto`",
        );
    }
    if message.contains("chown(") && is(libc::EPERM) {
        return Some(
            "a network file system gives no files to subordinate ids: name a directory on a disk of this machine with `--root`",
        );
    }
    if forbids_user_namespaces(message) {
        return Some("`coracle doctor` tells what forbids user namespaces here, and who can allow them");
    }
    if is(libc::EMFILE) || is(libc::ENFILE) {
        return Some(
            "this session may have no more files open: `ulimit -n` tells the limit, `ulimit -n 1024` raises it",
        );
    }
    if message.starts_with("mkdir(") && [libc::EACCES, libc::ENOENT, libc::ENOTDIR].into_iter().any(is) {
        return Some("name a directory of your own with `--root DIRECTORY`, or set `HOME` to one");
    }
    if message.contains("clone") && is(libc::EAGAIN) {
        return Some("this account, or its session, has as many processes as it may: `ulimit -u` tells the limit");
    }
    if let Some(hint) = what_is_mistyped(message) {
        return Some(hint);
    }
    if is(libc::EROFS) {
        return Some("name a directory on a disk that can be written with `--root DIRECTORY`");
    }
    (is(libc::ENOSPC) || is(libc::EDQUOT))
        .then_some("free space, for example with `coracle rmi` of an image that is not needed")
}

/// No user namespace may be made, for who starts a container or has its files worked on.
fn forbids_user_namespaces(message: &str) -> bool {
    let is = |number| message.contains(&std::io::Error::from_raw_os_error(number).to_string());
    // Of both the limit on their number, where it is 0, says that there is no space.
    (message.contains("unshare(user") || message.contains("no user namespace can be made"))
        && [libc::ENOSPC, libc::EUSERS, libc::EPERM, libc::EACCES].into_iter().any(is)
}

/// What helps against words that name nothing, or nothing that can be used so.
fn what_is_mistyped(message: &str) -> Option<&'static str> {
    let lower = message.to_lowercase();
    // Who says that with a hint of its own.
    if lower.starts_with("statfs ") || lower.contains("open(/dev/") {
        return None;
    }
    if lower.starts_with("executable file `-") {
        return Some("what stands behind the image, or behind `--rootfs PATH`, is the program: flags go before it");
    }
    if lower.starts_with("executable file") {
        return Some("the program must be in the image, in a directory of its PATH or named by its whole path");
    }
    if lower.starts_with("the interpreter of ") {
        return Some(
            "it is named in a script's first line (mind line ends of DOS), or is a program's loader: one made for glibc does not run \
             where there is musl",
        );
    }
    if lower.contains("can't be executed: permission denied") {
        return Some("name a program; a script becomes one by `chmod +x`, in the image");
    }
    if lower.contains("is not mapped: this container has 1 ids") {
        return Some("it has one id, since this account has no subordinate ids: `--user 0` is the one that there is");
    }
    if lower.contains("unable to find user") {
        return Some("`--user` takes the name of a user that the image has, or any number");
    }
    if lower.contains("unknown capability") {
        return Some("capabilities(7) lists their names, of which `ALL` means all");
    }
    if lower.contains("is not a valid restart policy") {
        return Some("`no`, `on-failure`, `on-failure:3`, `always` and `unless-stopped` are");
    }
    if lower.contains("names must match") {
        return Some("a name is made of letters, digits, `_`, `.` and `-`, as in `my-data_1`");
    }
    if lower.contains("must be lower case") {
        return Some("write it in small letters, as in `docker.io/library/debian`");
    }
    if lower.contains("is not a tag: ") {
        return Some("a tag stands behind the last colon, as in `debian:12`");
    }
    if lower.contains("is not a digest: ") {
        return Some("`coracle images --digests` shows those of images that are here");
    }
    if lower.starts_with("invalid host entry") {
        return Some("as in `--add-host db:10.0.0.5`, or `db:host-gateway` for this machine");
    }
    lower.contains("no such file or directory").then_some("check the path: nothing is there")
}

/// Gives a room's error its words; those that know what to do say it in a hint.
macro_rules! reported {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Report {
            fn from(error: $error) -> Self {
                let hint = error.hint();
                Self::with(error, hint)
            }
        })*
    };
}

reported!(
    crate::host::dirs::Error,
    crate::host::lock::Error,
    crate::host::subid::Error,
    crate::network::ports::Error,
    crate::systemd::quadlet::folder::Error,
);

impl From<crate::container::Error> for Report {
    fn from(error: crate::container::Error) -> Self {
        match error {
            crate::container::Error::Refused { code, message } => Self::new(message).code(code),
            crate::container::Error::Port(error) => Self::from(error).code(126),
            other => {
                let (hint, missing) = (other.hint(), Missing::of_container(&other));
                Self::with(other, hint).missing(missing)
            }
        }
    }
}

impl From<crate::image::Error> for Report {
    fn from(error: crate::image::Error) -> Self {
        let (hint, missing) = (error.hint(), Missing::of_image(&error));
        Self::with(error, hint).missing(missing)
    }
}

impl From<crate::store::Error> for Report {
    fn from(error: crate::store::Error) -> Self {
        let (hint, missing) = (error.hint(), Missing::of_store(&error));
        Self::with(error, hint).missing(missing)
    }
}

impl From<crate::build::Fault> for Report {
    fn from(fault: crate::build::Fault) -> Self {
        Self::with(format!("{fault}\n{}", fault.place.excerpt()), fault.hint())
    }
}

impl From<crate::build::Error> for Report {
    fn from(error: crate::build::Error) -> Self {
        use crate::build::Error;
        match error {
            Error::Container(error) => error.into(),
            Error::Image(error) => error.into(),
            other => {
                let said = other.said();
                Self::with(said.text, said.hint).code(said.code)
            }
        }
    }
}

impl From<crate::sys::Error> for Report {
    fn from(error: crate::sys::Error) -> Self {
        Self::new(error)
    }
}

reported!(crate::registry::Error, crate::layer::Error);

fn unknown_flag(error: &clap::Error, words: &[String]) -> Report {
    let flag = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let before: Vec<OsString> = words.iter().take_while(|word| !word.starts_with(&flag)).map(OsString::from).collect();
    let root = root::meant_by(words);
    let path = root::Place::find(&root, &before).path;
    let refused = if path.is_empty() { missing::before_command(&flag) } else { missing::why_flag(&path, &flag) };
    if let Some((why, hint)) = refused {
        return Report::new(format!("{flag}: {why}")).hint(hint);
    }
    let similar = error.get(ContextKind::SuggestedArg);
    Report::new(format!("unknown flag: {flag}")).hint(match similar {
        _ if !path.is_empty() && root::is_global(&flag) => {
            format!("`{flag}` goes before the command: `coracle {flag} …`")
        }
        Some(similar) => format!("did you mean `{similar}`?"),
        None => "see `--help` of the command".to_owned(),
    })
}

/// Of a command that Podman or Docker has and this program has not.
pub fn absent(name: &str, (why, hint): missing::Words) -> Report {
    Report::new(format!("there is no `{name}`: {why}")).hint(hint)
}

fn unknown_command(error: &clap::Error, words: &[String]) -> Report {
    let name = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string).unwrap_or_default();
    let noun = root::command_among(words.iter().take_while(|word| **word != name));
    let below = noun.and_then(|noun| Some((format!("{noun} {name}"), missing::why_below(noun, &name)?)));
    if let Some((name, words)) = below.or_else(|| Some((name.clone(), missing::why(&name)?))) {
        return absent(&name, words);
    }
    let above = noun.map_or_else(|| "coracle".to_owned(), |noun| format!("coracle {noun}"));
    let report = Report::new(format!("unrecognized command `{above} {name}`"));
    let similar = match error.get(ContextKind::SuggestedSubcommand) {
        // The most similar one is the last.
        Some(ContextValue::Strings(names)) => names.last(),
        _ => None,
    };
    match similar {
        Some(similar) => report.hint(format!("did you mean `{above} {similar}`?")),
        None => report.hint(format!("try `{above} --help` for the list of commands")),
    }
}

/// What clap refuses of these words, or of the defaults that `settings` gave, in Podman's words; help and version are not failures.
pub fn usage(error: &clap::Error, words: &[String], settings: &Settings) -> ExitCode {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::print(&error.render().to_string());
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            output::complain(error.render().to_string().trim_end());
            return Report::new("missing command `coracle COMMAND`").print();
        }
        ErrorKind::InvalidSubcommand => unknown_command(error, words),
        ErrorKind::UnknownArgument if !text(ContextKind::InvalidArg).starts_with('-') => {
            Report::new(format!("one argument too many: `{}`", text(ContextKind::InvalidArg)))
                .hint("see `--help` of the command")
        }
        ErrorKind::UnknownArgument => unknown_flag(error, words),
        ErrorKind::InvalidUtf8 => {
            let bytes = std::env::args_os().find(|word| word.to_str().is_none()).unwrap_or_default();
            Report::new(format!(
                "the argument {bytes:?} is not valid UTF-8, and what containers are told is kept as text"
            ))
            .hint("a shell inside can make such bytes: `sh -c \"printf '\\377'\"`")
        }
        ErrorKind::MissingRequiredArgument => {
            Report::new(format!("missing arguments: {}", text(ContextKind::InvalidArg)))
                .hint("see `--help` of the command")
        }
        _ => {
            let rendered = error.render().to_string();
            let message = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let report = Report::new(message);
            match settings.origin(&report) {
                Some(origin) => report.hint(origin),
                None => report.hint("see `--help` of the command"),
            }
        }
    }
    .print()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_has_a_hint() {
        for (call, errno, hint) in [
            ("mkdir(/nonexistent)", libc::EACCES, "--root"),
            ("clone3", libc::EAGAIN, "ulimit -u"),
            ("open(/x)", libc::ENOSPC, "free space"),
            ("unshare(user)", libc::ENOSPC, "coracle doctor"),
            ("unshare(user)", libc::EPERM, "coracle doctor"),
            ("start newgidmap", libc::EMFILE, "ulimit -n"),
        ] {
            let report = Report::new(format!("{call}: {}", std::io::Error::from_raw_os_error(errno)));
            assert!(report.hints.len() == 1 && report.hints.iter().all(|said| said.contains(hint)), "{report:?}");
        }
        assert!(Report::new("open(/x): Permission denied (os error 13)").hints.is_empty());
    }

    #[test]
    fn a_wrong_instruction_is_shown_with_its_line() {
        let fault = crate::build::parse::parse("Containerfile", b"FROM scratch\n  RUNN x\n").unwrap_err();
        let report = Report::from(fault);
        let shown = "Containerfile:2:3: unknown instruction `RUNN`\n 2 |   RUNN x\n   |   ^^^^";
        assert_eq!((report.messages, report.hints), (vec![shown.to_owned()], vec!["did you mean `RUN`?".to_owned()]));
    }
}
