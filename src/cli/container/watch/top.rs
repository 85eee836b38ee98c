//! `top`: the processes of a container.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::{stderr, stdin, stdout};

use crate::cli::container::latest::latest;
use crate::cli::output::{self, table, time};
use crate::cli::{Context, Report};
use crate::container::find::{self, Found};
use crate::container::state::{State, Status};
use crate::container::watch::processes::{self, Names, Process};
use crate::host::subid::{Extent, IdMaps};
use crate::host::{fault, id_map, role};
use crate::oci::capability::CapabilitySet;
use crate::sys::Call;
use crate::sys::process::Spawn;

/// Show the processes of a container
#[derive(Debug, Args)]
pub struct Top {
    /// Of the container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Name or ID; then descriptors such as `pid user args hpid capeff` [default: `user pid ppid pcpu etime tty time args`], or what
    /// ps(1) in the container is to be given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_names = ["CONTAINER", "DESCRIPTOR"])]
    container_and_descriptors: Vec<String>,
}

/// What is known for all processes.
struct Facts {
    names: Names,
    maps: IdMaps,
    /// Numbers in the container, by those of this machine.
    pids: BTreeMap<i32, i32>,
}

/// Name, the one letter of AIX, heading, value.
type Descriptor = (&'static str, char, &'static str, fn(&Process, &Facts) -> String);

const DESCRIPTORS: [Descriptor; 33] = [
    ("args", 'a', "COMMAND", |process, _| {
        if process.args.is_empty() { format!("[{}]", process.comm) } else { process.args.join(" ") }
    }),
    ("capamb", ' ', "AMBIENT CAPS", |process, _| capabilities(process, "CapAmb")),
    ("capbnd", ' ', "BOUNDING CAPS", |process, _| capabilities(process, "CapBnd")),
    ("capeff", ' ', "EFFECTIVE CAPS", |process, _| capabilities(process, "CapEff")),
    ("capinh", ' ', "INHERITED CAPS", |process, _| capabilities(process, "CapInh")),
    ("capprm", ' ', "PERMITTED CAPS", |process, _| capabilities(process, "CapPrm")),
    ("comm", 'c', "COMMAND", |process, _| process.comm.clone()),
    ("etime", 't', "ELAPSED", |process, _| time::go_text(process.age())),
    ("gid", ' ', "GID", |process, facts| facts.inside(&facts.maps.gids, process, "Gid", 1).to_string()),
    ("group", 'g', "GROUP", |process, facts| facts.names.group(facts.inside(&facts.maps.gids, process, "Gid", 1))),
    ("groups", ' ', "GROUPS", |process, facts| {
        let groups = process.status("Groups").into_iter().filter_map(|group| group.parse().ok());
        groups.map(|group| facts.names.group(inward(&facts.maps.gids, group))).collect::<Vec<_>>().join(",")
    }),
    ("hgroup", ' ', "HGROUP", |process, _| word(process, "Gid", 1)),
    ("hgroups", ' ', "HGROUPS", |process, _| process.status("Groups").join(",")),
    ("hpid", ' ', "HPID", |process, _| process.host_pid.to_string()),
    ("huid", ' ', "HUID", |process, _| word(process, "Uid", 1)),
    ("huser", ' ', "HUSER", |process, _| word(process, "Uid", 1)),
    ("label", ' ', "LABEL", |_, _| "?".to_owned()),
    ("nice", 'n', "NI", |process, _| process.signed(19).to_string()),
    ("pcpu", 'C', "%CPU", |process, _| {
        format!("{:.3}", 100.0 * process.times().0.as_secs_f64() / process.age().as_secs_f64().max(0.001))
    }),
    ("pgid", 'r', "PGID", |process, _| {
        process.status("NSpgid").last().map_or_else(String::new, |pgid| (*pgid).to_owned())
    }),
    ("pid", 'p', "PID", |process, _| process.pid().to_string()),
    ("ppid", 'P', "PPID", |process, facts| {
        let parent = process.stat(4) as i32;
        facts.pids.get(&parent).copied().unwrap_or_default().to_string()
    }),
    ("rgroup", 'G', "RGROUP", |process, facts| facts.names.group(facts.inside(&facts.maps.gids, process, "Gid", 0))),
    ("rss", ' ', "RSS", |process, _| word(process, "VmRSS", 0)),
    ("ruser", 'U', "RUSER", |process, facts| facts.names.user(facts.inside(&facts.maps.uids, process, "Uid", 0))),
    ("seccomp", ' ', "SECCOMP", |process, _| match process.status("Seccomp").first() {
        Some(&"0") => "disabled".to_owned(),
        Some(&"1") => "strict".to_owned(),
        _ => "filter".to_owned(),
    }),
    ("state", ' ', "STATE", |process, _| process.state().to_owned()),
    ("stime", ' ', "STIME", |process, _| {
        let start = chrono::Utc::now() - chrono::TimeDelta::from_std(process.age()).unwrap_or_default();
        start.format("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
    }),
    ("time", 'x', "TIME", |process, _| time::go_text(process.times().0)),
    ("tty", 'y', "TTY", |process, _| terminal(process.stat(7))),
    ("uid", ' ', "UID", |process, facts| facts.inside(&facts.maps.uids, process, "Uid", 1).to_string()),
    ("user", 'u', "USER", |process, facts| facts.names.user(facts.inside(&facts.maps.uids, process, "Uid", 1))),
    ("vsz", 'z', "VSZ", |process, _| word(process, "VmSize", 0)),
];

const USUAL: [&str; 8] = ["user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args"];

impl Top {
    pub fn run(mut self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let found = match (self.latest, self.container_and_descriptors.is_empty()) {
            (true, _) => latest(&store)?,
            (false, true) => return Err(Report::new("you must provide the name or id of a running container")),
            (false, false) => find::find(&store, &self.container_and_descriptors.remove(0))?,
        };
        let state = found.state()?;
        if state.status != Status::Running {
            let name = &found.container.name;
            return Err(Report::new("top can only be used on running containers")
                .hint(format!("`coracle start {name}` starts it")));
        }
        let words: Vec<&str> = self
            .container_and_descriptors
            .iter()
            .flat_map(|word| word.split(','))
            .filter(|word| !word.is_empty())
            .collect();
        let descriptors = match words.is_empty() {
            true => USUAL.iter().map(|name| descriptor(name)).collect::<Option<Vec<_>>>(),
            false => words.iter().map(|name| descriptor(name)).collect(),
        };
        let Some(descriptors) = descriptors else { return self.inside(context, &found) };
        let shown = processes::of(&found, &state)?;
        let facts = Facts { names: Names::of(&store, &found), ..Facts::new(&state, &shown)? };
        let mut rows: Vec<Vec<String>> =
            vec![descriptors.iter().map(|(_, _, heading, _)| (*heading).to_owned()).collect()];
        rows.extend(shown.iter().map(|process| descriptors.iter().map(|(.., value)| value(process, &facts)).collect()));
        output::print(&table::table(&rows));
        Ok(ExitCode::SUCCESS)
    }

    /// What is no descriptor of ours is for the container's own ps(1).
    fn inside(&self, context: &Context, found: &Found) -> Result<ExitCode, Report> {
        let mut args = vec!["coracle".to_owned()];
        args.extend(context.global.root.as_ref().map(|root| format!("--root={}", root.display())));
        args.extend(["exec".to_owned(), found.container.id.clone(), "ps".to_owned()]);
        args.extend(self.container_and_descriptors.iter().cloned());
        let args = args.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>().map_err(Report::new)?;
        fault::point("top: start ps").call("start ps")?;
        let spawn = Spawn {
            program: c"/proc/self/exe".to_owned(),
            args,
            env: role::environment(),
            fds: vec![stdin(), stdout(), stderr()],
        };
        let ended = spawn.start()?.wait()?;
        match ended.code() {
            0 => Ok(ExitCode::SUCCESS),
            code => Err(Report::new(format!("ps(1) failed with exit code {code}"))
                .hint(format!("descriptors are {}", DESCRIPTORS.map(|(name, ..)| name).join(" ")))),
        }
    }
}

fn descriptor(name: &str) -> Option<&'static Descriptor> {
    let letter = name.strip_prefix('%').and_then(|letter| letter.parse::<char>().ok());
    DESCRIPTORS
        .iter()
        .find(|(known, aix, ..)| *known == name || (letter.is_some() && letter == Some(*aix) && *aix != ' '))
}

impl Facts {
    fn new(state: &State, shown: &[Process]) -> Result<Self, Report> {
        Ok(Self {
            names: Names::default(),
            maps: IdMaps::of_process(state.pid)?,
            pids: shown.iter().map(|process| (process.host_pid, process.pid())).collect(),
        })
    }

    /// The id in the container: 0 is the real one, 1 the effective.
    fn inside(&self, map: &[Extent], process: &Process, key: &str, place: usize) -> u32 {
        word(process, key, place).parse().map_or(0, |id| inward(map, id))
    }
}

/// What the kernel shows of an id that a container does not have.
const NOBODY: u32 = 65_534;

fn inward(map: &[Extent], id: u32) -> u32 {
    id_map::inward(map, id).unwrap_or(NOBODY)
}

fn word(process: &Process, key: &str, place: usize) -> String {
    process.status(key).get(place).map_or_else(String::new, |word| (*word).to_owned())
}

fn capabilities(process: &Process, key: &str) -> String {
    let mask = u64::from_str_radix(&word(process, key, 0), 16).unwrap_or_default();
    let set = CapabilitySet::from_bits(mask);
    let mut names: Vec<String> =
        set.iter().map(|capability| capability.name().trim_start_matches("CAP_").to_owned()).collect();
    names.sort();
    match names.is_empty() {
        true => "none".to_owned(),
        false if set == CapabilitySet::ALL => "full".to_owned(),
        false => names.join(","),
    }
}

/// A device number as `stat` has it: terminals of `devpts` have the majors 136 to 143.
fn terminal(device: u64) -> String {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    match major {
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        _ => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_and_ids() {
        assert!(USUAL.iter().all(|name| descriptor(name).is_some()));
        assert_eq!(descriptor("%C").map(|(name, ..)| *name), Some("pcpu"));
        assert!(descriptor("% ").is_none() && descriptor("-eo").is_none() && descriptor("bogus").is_none());
        let map =
            [Extent { inside: 0, outside: 1001, count: 1 }, Extent { inside: 1, outside: 100_000, count: 65_536 }];
        assert_eq!([1001, 100_032, 7].map(|id| inward(&map, id)), [0, 33, NOBODY]);
        assert_eq!(
            (terminal(0), terminal(136 << 8), terminal((136 << 8) | 5)),
            ("?".into(), "pts/0".into(), "pts/5".into())
        );
    }
}
