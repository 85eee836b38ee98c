//! Values that are empty: scripts write `--cidfile="$FILE"`, whether there is one or not.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// Flags that say nothing with an empty value, as in Podman. Of the others each knows what it means.
const SAY_NOTHING: [&str; 38] = [
    "add-host",
    "arch",
    "authfile",
    "cap-add",
    "cap-drop",
    "cidfile",
    "conmon-pidfile",
    "creds",
    "device-cgroup-rule",
    "dns",
    "dns-option",
    "dns-search",
    "expose",
    "gidmap",
    "health-cmd",
    "health-interval",
    "health-on-failure",
    "health-start-period",
    "health-startup-cmd",
    "health-timeout",
    "hosts-file",
    "image-volume",
    "init-path",
    "os",
    "pidfile",
    "platform",
    "pull",
    "requires",
    "sdnotify",
    "shm-size",
    "subgidname",
    "subuidname",
    "sysctl",
    "uidmap",
    "ulimit",
    "umask",
    "variant",
    "volumes-from",
];

/// The words without such flags. `from`: where the flags of `command` begin; they end at the image.
pub fn left_out(command: &Command, words: &mut Vec<OsString>, from: usize) {
    let mut at = from;
    while let Some(word) = words.get(at).filter(|word| word.as_encoded_bytes().starts_with(b"-")) {
        let Some((arg, value)) = flag(command, word) else { return };
        let behind = value.is_none() && takes_next(arg);
        let value = if behind { words.get(at + 1).map(OsString::as_os_str) } else { value };
        let is_empty = value.is_some_and(OsStr::is_empty);
        let count = 1 + usize::from(behind);
        if is_empty && arg.get_long().is_some_and(|name| SAY_NOTHING.contains(&name)) {
            words.drain(at..at + count);
        } else {
            at += count;
        }
    }
}

/// The flag that a word ends with, and the value that stands in the same word. `None`: none of the command's, or the end of flags.
fn flag<'a, 'b>(command: &'a Command, word: &'b OsStr) -> Option<(&'a Arg, Option<&'b OsStr>)> {
    let text = word.to_str()?;
    if let Some(name) = text.strip_prefix("--") {
        let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(OsStr::new(value))));
        let has = |arg: &&Arg| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        };
        return Some((command.get_arguments().find(has)?, value));
    }
    // A cluster: the first that takes a value has the rest of it.
    let mut rest = text.strip_prefix('-')?.char_indices().peekable();
    loop {
        let (at, letter) = rest.next()?;
        let arg = command.get_arguments().find(|arg| arg.get_short() == Some(letter))?;
        let behind = text.get(1 + at + letter.len_utf8()..).filter(|behind| !behind.is_empty());
        if rest.peek().is_none() || takes_next(arg) {
            return Some((arg, behind.map(OsStr::new)));
        }
    }
}

/// Whether its value may be the next word.
fn takes_next(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_values_go_and_all_else_stays() {
        let whole = crate::cli::as_podman_reads(crate::cli::root::whole());
        let run = whole.find_subcommand("run").unwrap();
        let left = |line: &[&str]| {
            let mut words: Vec<OsString> = line.iter().map(OsString::from).collect();
            left_out(run, &mut words, 1);
            words.iter().map(|word| word.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(left(&["run", "--cidfile=", "--pull", "", "-it", "i"]), ["run", "-it", "i"]);
        let stays = ["run", "-e", "", "--env=--pull=", "-ite", "--cidfile=", "--name", "", "--rm=true", "i", "--pull="];
        assert_eq!(left(&stays), stays);
        let stays = ["run", "-eX=--pull", "-v/a:/a", "--frob", "--cidfile=", "i"];
        assert_eq!(left(&stays), stays);
        assert_eq!(left(&["run", "--", "--cidfile="]), ["run", "--", "--cidfile="]);
        for name in SAY_NOTHING {
            assert!(run.get_arguments().any(|arg| arg.get_long() == Some(name)), "{name}");
        }
    }
}
