//! Limits. Here are those that need no control group: of the program's resources, of its namespaces' settings, and who goes first
//! without memory.

pub mod group;
pub mod resources;

use clap::Args;

use crate::cli::Report;
use crate::container::namespace::Namespace;
use crate::container::record::{Container, Network, Rlimit};
use crate::host::id_map;
use crate::sys::process::limit;

/// The names of `--ulimit` and their numbers (prlimit(2)).
const LIMITS: [(&str, u32); 15] = [
    ("core", libc::RLIMIT_CORE),
    ("cpu", libc::RLIMIT_CPU),
    ("data", libc::RLIMIT_DATA),
    ("fsize", libc::RLIMIT_FSIZE),
    ("locks", libc::RLIMIT_LOCKS),
    ("memlock", libc::RLIMIT_MEMLOCK),
    ("msgqueue", libc::RLIMIT_MSGQUEUE),
    ("nice", libc::RLIMIT_NICE),
    ("nofile", libc::RLIMIT_NOFILE),
    ("nproc", libc::RLIMIT_NPROC),
    ("rss", libc::RLIMIT_RSS),
    ("rtprio", libc::RLIMIT_RTPRIO),
    ("rttime", libc::RLIMIT_RTTIME),
    ("sigpending", libc::RLIMIT_SIGPENDING),
    ("stack", libc::RLIMIT_STACK),
];

/// What `--ulimit` knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    LIMITS.iter().map(|(name, _)| *name)
}

/// What a program gets where nobody says it; more than the account may have becomes what it may have.
const DEFAULT: [(&str, u64, u64); 3] =
    [("nofile", 1_048_576, 1_048_576), ("nproc", 1_048_576, 1_048_576), ("core", 0, u64::MAX)];

/// Settings that the kernel keeps apart for each container (namespaces(7)), beside all that begin with [`PER_NETWORK`] or `fs.mqueue.`.
const PER_IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];
const PER_NETWORK: &str = "net.";
/// Whose value is groups; distributions have it as `0 0`.
const GROUPS: &str = "net/ipv4/ping_group_range";

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
#[group(skip)]
pub struct Flags {
    /// Those of the configuration
    #[arg(long, value_name = "NAME=VALUE", hide = true)]
    default_sysctl: Vec<String>,
    /// The program's preference when memory runs out, from -1000 to 1000: the higher, the sooner it is killed
    #[arg(long, value_name = "NUMBER")]
    oom_score_adj: Option<i32>,
    /// Change a setting of the kernel that the container has for itself
    #[arg(long, value_name = "NAME=VALUE")]
    sysctl: Vec<String>,
    /// A limit of the program's resources, -1 for none; `host`: those of this process
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    ulimit: Vec<String>,
}

impl Flags {
    /// The network is known.
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        if let Some(score) = self.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
            return Err(Report::new(format!("`--oom-score-adj={score}`: expected a number from -1000 to 1000")));
        }
        container.oom_score_adj = self.oom_score_adj;
        for text in &self.sysctl {
            let (name, value) = sysctl(text, container.network == Network::Host)?;
            container.sysctls.insert(name, value);
        }
        let mut limits: Vec<Rlimit> =
            DEFAULT.iter().map(|&(name, soft, hard)| Rlimit { name: name.to_owned(), soft, hard }).collect();
        for text in &self.ulimit {
            if text == "host" {
                limits = LIMITS.iter().map(|(name, number)| host(name, *number)).collect::<Result<_, _>>()?;
                continue;
            }
            let asked = ulimit(text)?;
            limits.retain(|limit| limit.name != asked.name);
            limits.push(asked);
        }
        container.rlimits = limits;
        Ok(())
    }

    /// Settings of the configuration, where no flag says otherwise: those alone that the container has for itself, and no group
    /// that it does not have. Namespaces and ids are known.
    pub fn fill_defaults(&self, container: &mut Container) -> Result<(), Report> {
        let network = matches!(container.network, Network::Private | Network::Named | Network::None);
        let ipc = container.namespaces.ipc == Namespace::Private;
        let root = container.user_namespace.as_ref().is_none_or(|own| id_map::outward(&own.maps.gids, 0).is_some());
        for text in &self.default_sysctl {
            let (name, value) = sysctl(text, false)?;
            let own = if name.starts_with("net/") { network } else { ipc };
            if own && (root || name != GROUPS) {
                container.sysctls.entry(name).or_insert(value);
            }
        }
        Ok(())
    }
}

fn host(name: &str, number: u32) -> Result<Rlimit, Report> {
    let (soft, hard) = limit(number)?;
    Ok(Rlimit { name: name.to_owned(), soft, hard })
}

/// `NAME=SOFT[:HARD]`.
fn ulimit(text: &str) -> Result<Rlimit, Report> {
    let malformed = || {
        let names: Vec<&str> = LIMITS.iter().map(|(name, _)| *name).collect();
        Report::new(format!("ulimit option \"{text}\" requires name=SOFT:HARD, failed to be parsed"))
            .hint(format!("the names are {}; -1 means no limit", names.join(", ")))
    };
    let (name, values) = text.split_once('=').ok_or_else(malformed)?;
    let (_, number) = LIMITS.iter().find(|(known, _)| *known == name).ok_or_else(malformed)?;
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    let value = |text: &str| if text == "-1" { Some(u64::MAX) } else { text.parse().ok() };
    let (soft, hard) = value(soft).zip(value(hard)).ok_or_else(malformed)?;
    if soft > hard {
        return Err(Report::new(format!("ulimit option \"{text}\": the soft limit is above the hard one")));
    }
    let (_, most) = limit(*number)?;
    if hard > most {
        return Err(Report::new(format!("the limit `{text}` is above what this account may have ({most})"))
            .hint("`ulimit -H` of a shell shows those limits; an administrator raises them in limits.conf(5)"));
    }
    Ok(Rlimit { name: name.to_owned(), soft, hard })
}

/// `NAME=VALUE`, if it is the container's own to set.
fn sysctl(text: &str, host_network: bool) -> Result<(String, String), Report> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Report::new(format!("{text} is invalid, sysctl values must be in the form of KEY=VALUE"))
            .hint("as in `--sysctl net.ipv4.ip_unprivileged_port_start=80`")
    })?;
    // sysctl(8): with a slash first, slashes part and dots belong to names, as of the interface `eth0.1`.
    let slashes = name.find(['.', '/']).is_some_and(|first| name[first..].starts_with('/'));
    let dotted = if slashes { name.replace('/', ".") } else { name.to_owned() };
    let network = dotted.starts_with(PER_NETWORK);
    if network && host_network {
        return Err(Report::new(format!("sysctl {name} is not allowed in the hosts network namespace")));
    }
    let known = network || dotted.starts_with("fs.mqueue.") || PER_IPC.contains(&dotted.as_str());
    if !known || dotted.contains("..") {
        return Err(Report::new(format!("sysctl '{name}' is not allowed")).hint(
            "those of the network (`net.…`), of message queues (`fs.mqueue.…`) and of System V IPC (`kernel.msg…`, `kernel.sem`, `kernel.shm…`) are",
        ));
    }
    let path = if slashes { name.to_owned() } else { name.replace('.', "/") };
    Ok((path, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        let parsed = |text| ulimit(text).map(|limit| (limit.name, limit.soft, limit.hard)).ok();
        assert_eq!(parsed("nofile=10:20"), Some(("nofile".into(), 10, 20)));
        assert_eq!(parsed("core=0"), Some(("core".into(), 0, 0)));
        for bad in ["nofile", "nofile=", "nofile=x", "nofile=20:10", "nofile=1:2:3", "nofile=-2", "frob=1", "=1"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn settings_of_the_whole_machine_are_refused() {
        let parsed = |text| sysctl(text, false).ok();
        assert_eq!(parsed("net.ipv4.ip_forward=1"), Some(("net/ipv4/ip_forward".into(), "1".into())));
        assert_eq!(parsed("net/ipv4/conf/eth0.1/x=a=b"), Some(("net/ipv4/conf/eth0.1/x".into(), "a=b".into())));
        assert_eq!(parsed("kernel.sem=1 2 3 4"), Some(("kernel/sem".into(), "1 2 3 4".into())));
        for bad in
            ["kernel.hostname=x", "vm.swappiness=1", "net/../kernel/x=1", "net..x=1", "net", "", "kernel.shmmaxx=1"]
        {
            assert_eq!(parsed(bad), None, "{bad}");
        }
        assert!(sysctl("net.core.somaxconn=1", true).is_err());
    }
}
