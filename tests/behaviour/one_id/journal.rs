//! The log in the journal: a socket of the test's stands where systemd's is, in a mount namespace of the test's own.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::harness::{Case, Driver, LIMIT, binary};

/// What runs `"$@"` where `folder` is `/run/systemd/journal`; a namespace of one id can be had by this account alone.
const ELSEWHERE: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal \
    && mount --bind \"$HOME/journal\" /run/systemd/journal && exec \"$@\"";
/// The same, with the standard output of a service: it leads to the journal, too.
const AS_SERVICE: &str = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/1) && export JOURNAL_STREAM && \
    mount -t tmpfs none /run && mkdir -p /run/systemd/journal \
    && mount --bind \"$HOME/journal\" /run/systemd/journal && exec \"$@\"";

/// The fields of a datagram, all of which are lines here.
fn fields(datagram: &[u8]) -> Vec<String> {
    let mut fields: Vec<String> = String::from_utf8_lossy(datagram).lines().map(str::to_owned).collect();
    fields.sort();
    fields
}

#[test]
fn the_journal_gets_what_podman_sends() {
    if !super::no_ids() {
        return;
    }
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    std::fs::create_dir(case.home.join("journal")).unwrap();
    let journal = UnixDatagram::bind(case.home.join("journal/socket")).unwrap();
    journal.set_read_timeout(Some(LIMIT)).unwrap();
    let elsewhere = ["--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c", ELSEWHERE, "sh"];
    let program = binary();
    let script = "echo one; echo two >&2; printf three";
    let run = ["run", "--network=none", "--name=box", "--log-driver=journald", "--log-opt=tag=mine"];
    let line = elsewhere.into_iter().chain([program.to_str().unwrap()]).chain(run).chain([&*image, "sh", "-c", script]);
    case.command_of(Path::new("/usr/bin/unshare"), line).finish().code(0).stdout("one\nthree").stderr("two\n");
    let id = case.inspect("box", "{{.Id}}");
    let mut got: Vec<Vec<String>> = (0..3)
        .map(|_| {
            let mut buffer = [0; 4096];
            let count = journal.recv(&mut buffer).unwrap();
            fields(&buffer[..count])
        })
        .collect();
    // Output and error output are two pipes.
    got.sort_by_key(|fields| fields.iter().find(|field| field.starts_with("MESSAGE=")).cloned());
    for (fields, message, priority, partial) in
        [(&got[0], "one", 6, false), (&got[1], "three", 6, true), (&got[2], "two", 3, false)]
    {
        let mut expected = vec![
            format!("CONTAINER_ID={}", &id[..12]),
            format!("CONTAINER_ID_FULL={id}"),
            "CONTAINER_NAME=box".to_owned(),
            "CONTAINER_TAG=mine".to_owned(),
            format!("MESSAGE={message}"),
            format!("PRIORITY={priority}"),
            "SYSLOG_IDENTIFIER=mine".to_owned(),
        ];
        expected.extend(partial.then(|| "CONTAINER_PARTIAL_MESSAGE=true".to_owned()));
        expected.sort();
        assert_eq!(*fields, expected);
    }
}

/// What a service writes is in the journal once; also of a container that is removed at its end.
#[test]
fn a_service_is_in_the_journal_once() {
    if !super::no_ids() {
        return;
    }
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    std::fs::create_dir(case.home.join("journal")).unwrap();
    let journal = UnixDatagram::bind(case.home.join("journal/socket")).unwrap();
    journal.set_read_timeout(Some(LIMIT)).unwrap();
    let as_service = ["--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c", AS_SERVICE, "sh"];
    let program = binary();
    let run = ["run", "--rm", "--network=none", "--log-driver=journald", &image, "sh", "-c", "echo one; echo two >&2"];
    let line = as_service.into_iter().chain([program.to_str().unwrap()]).chain(run);
    case.command_of(Path::new("/usr/bin/unshare"), line).finish().code(0).stdout("").stderr("two\n");
    let mut got: Vec<String> = (0..2)
        .map(|_| {
            let mut buffer = [0; 4096];
            let count = journal.recv(&mut buffer).unwrap();
            fields(&buffer[..count]).into_iter().find(|field| field.starts_with("MESSAGE=")).unwrap()
        })
        .collect();
    got.sort();
    assert_eq!(got, ["MESSAGE=one", "MESSAGE=two"]);
}
