//! The process and the namespaces of a spec (runtime-spec, config.md "Process", config-linux.md "Namespaces").

use oci_spec::runtime::{Linux, LinuxNamespaceType, PosixRlimitType, Spec};

use super::{Beyond, Error, Process};
use crate::oci::capability::CapabilitySet;

/// The clone(2) flags of the namespaces that are to be new, and of those that are to be entered.
pub fn namespaces(linux: &Linux) -> Result<(u64, u64), Error> {
    let (mut new, mut joined) = (0, 0);
    for namespace in linux.namespaces().iter().flatten() {
        let flag = match namespace.typ() {
            LinuxNamespaceType::User => libc::CLONE_NEWUSER,
            LinuxNamespaceType::Mount => libc::CLONE_NEWNS,
            LinuxNamespaceType::Pid => libc::CLONE_NEWPID,
            LinuxNamespaceType::Ipc => libc::CLONE_NEWIPC,
            LinuxNamespaceType::Uts => libc::CLONE_NEWUTS,
            LinuxNamespaceType::Cgroup => libc::CLONE_NEWCGROUP,
            LinuxNamespaceType::Network => libc::CLONE_NEWNET,
            other => return Err(Error::Namespace(format!("{other:?}").to_lowercase())),
        };
        *(if namespace.path().is_some() { &mut joined } else { &mut new }) |= flag as u32 as u64;
    }
    Ok((new, joined))
}

pub fn process(spec: &Spec, beyond: &Beyond) -> Result<Process, Error> {
    let process = spec.process().as_ref().ok_or(Error::Missing("process"))?;
    let cwd = process.cwd().to_str().ok_or_else(|| Error::NotUtf8(process.cwd().to_string_lossy().into_owned()))?;
    if !cwd.starts_with('/') {
        return Err(Error::NotAbsolute(cwd.to_owned()));
    }
    let bounding = process.capabilities().as_ref().and_then(|sets| sets.bounding().as_ref());
    let mut capabilities = CapabilitySet::EMPTY;
    for capability in bounding.into_iter().flatten() {
        let name = capability.to_string();
        capabilities = capabilities.with(name.parse().map_err(|_| Error::Capability(name))?);
    }
    let rlimits = process.rlimits().iter().flatten();
    Ok(Process {
        args: process.args().clone().filter(|args| !args.is_empty()).ok_or(Error::Missing("process.args"))?,
        env: process.env().clone().unwrap_or_default(),
        cwd: cwd.to_owned(),
        user: beyond.user.clone(),
        additional_groups: beyond.additional_groups.clone(),
        keep_groups: beyond.keep_groups,
        capabilities,
        no_new_privileges: process.no_new_privileges().unwrap_or(false),
        apparmor: process.apparmor_profile().clone(),
        selinux: process.selinux_label().clone(),
        seccomp: beyond.seccomp.clone(),
        umask: beyond.umask,
        rlimits: rlimits
            .map(|limit| Ok((rlimit(limit.typ())?, limit.soft(), limit.hard())))
            .collect::<Result<_, Error>>()?,
        oom_score_adj: process.oom_score_adj(),
        terminal: process.terminal().unwrap_or(false).then_some(beyond.terminal_size),
        init: beyond.init,
    })
}

fn rlimit(typ: PosixRlimitType) -> Result<u32, Error> {
    Ok(match typ {
        PosixRlimitType::RlimitCpu => libc::RLIMIT_CPU,
        PosixRlimitType::RlimitFsize => libc::RLIMIT_FSIZE,
        PosixRlimitType::RlimitData => libc::RLIMIT_DATA,
        PosixRlimitType::RlimitStack => libc::RLIMIT_STACK,
        PosixRlimitType::RlimitCore => libc::RLIMIT_CORE,
        PosixRlimitType::RlimitRss => libc::RLIMIT_RSS,
        PosixRlimitType::RlimitNproc => libc::RLIMIT_NPROC,
        PosixRlimitType::RlimitNofile => libc::RLIMIT_NOFILE,
        PosixRlimitType::RlimitMemlock => libc::RLIMIT_MEMLOCK,
        PosixRlimitType::RlimitAs => libc::RLIMIT_AS,
        PosixRlimitType::RlimitLocks => libc::RLIMIT_LOCKS,
        PosixRlimitType::RlimitSigpending => libc::RLIMIT_SIGPENDING,
        PosixRlimitType::RlimitMsgqueue => libc::RLIMIT_MSGQUEUE,
        PosixRlimitType::RlimitNice => libc::RLIMIT_NICE,
        PosixRlimitType::RlimitRtprio => libc::RLIMIT_RTPRIO,
        PosixRlimitType::RlimitRttime => libc::RLIMIT_RTTIME,
        #[allow(unreachable_patterns)]
        other => return Err(Error::Rlimit(format!("{other:?}"))),
    })
}
