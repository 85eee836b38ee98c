//! Who listens on a port of this machine, as far as the kernel tells a user (proc(5)).

use std::fs;

use super::Protocol;
use crate::host::system_file;
use crate::sys::process::start_time;

/// `st` of a TCP socket that listens; UDP has no such state.
const LISTENS: &str = "0A";

/// In words; `None`: nobody is seen.
pub fn find(protocol: Protocol, port: u16) -> Option<String> {
    let tables = [format!("/proc/net/{protocol}"), format!("/proc/net/{protocol}6")];
    let sockets = tables
        .iter()
        .filter_map(system_file::read)
        .flat_map(|table| sockets(&table, protocol, port))
        .collect::<Vec<_>>();
    let (user, _) = sockets.first()?;
    let process = sockets.iter().find_map(|(_, inode)| process(inode));
    Some(process.unwrap_or_else(|| format!("a process of the user {user}")))
}

/// Of a table of the kernel's: user and inode of those that listen on the port.
fn sockets(table: &str, protocol: Protocol, port: u16) -> Vec<(String, String)> {
    let end = format!(":{port:04X}");
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, local, _, state, _, _, _, user, _, inode, ..] = fields.as_slice() else { return None };
        let listens = local.ends_with(&end) && (protocol == Protocol::Udp || *state == LISTENS);
        listens.then(|| ((*user).to_owned(), (*inode).to_owned()))
    };
    table.lines().filter_map(socket).collect()
}

/// A process of this account that has the socket: the one that started first, since each that it starts has it, too, until it
/// executes its program.
fn process(inode: &str) -> Option<String> {
    let link = format!("socket:[{inode}]");
    let is_it = |fd: fs::DirEntry| fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == link.as_str());
    let has_it =
        |pid: &i32| fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|descriptors| descriptors.flatten().any(is_it));
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pid = pids.filter(has_it).min_by_key(|pid| start_time(*pid))?;
    let name = system_file::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("`{}` (pid {pid})", name.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_listen_are_found_in_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100\n   \
                     1: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100\n";
        let found =
            |protocol, port| sockets(table, protocol, port).into_iter().map(|(_, inode)| inode).collect::<Vec<_>>();
        assert_eq!(found(Protocol::Tcp, 8080), ["4711"]);
        assert_eq!(found(Protocol::Udp, 8080), ["4711", "4712"]);
        assert!(found(Protocol::Tcp, 80).is_empty());
    }
}
