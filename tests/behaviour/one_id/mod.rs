//! An account with no subordinate ids: one mapped id, and a working shell. Run as `tester-noids`.

use super::flags::hooks;
use crate::harness::{Account, Case, Driver, Image, Layer};

mod boxes;
mod build;
mod journal;
mod networks;
mod owners;
mod packages;

/// The test makes sense for an account without subordinate ids alone.
fn no_ids() -> bool {
    crate::harness::has("an account without subordinate ids", Account::current().subordinate == 0)
}

fn a_shell_works(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    let finished = case.coracle(["run", "--rm", "--network=none", &image, "sh", "-c", "id; echo ok"]).succeeded();
    assert!(
        finished.stdout.starts_with("uid=0(root) gid=0(root)") && finished.stdout.ends_with("\nok\n"),
        "{finished}"
    );
    case.sh(&image, "exit 3").code(3);
    let script = "echo x >/tmp/f && cat /tmp/f && rm /bin/ls && mkdir /bin/ls && stat -c %u /tmp/f; cat /proc/self/uid_map | wc -l";
    case.sh(&image, script).code(0).stdout("x\n0\n1\n");
}

/// Who joins a container has its ids, which is one: a program of that number runs, of another it can't.
fn namespaces_of_another_container(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", "-u", "33:33", &image, "sleep", "1000"]).succeeded();
    let join = |user: &str, command: &str| {
        let flags = ["--net=container:box", "--pid=container:box", "-u", user];
        case.coracle(["run", "--rm"].iter().chain(&flags).copied().chain([image.as_str(), "sh", "-c", command]))
    };
    let own = case.coracle(["exec", "box", "readlink", "/proc/self/ns/net"]).succeeded().stdout;
    join("33:33", "readlink /proc/self/ns/net").code(0).stdout(&own);
    join("33:33", "ps -o args | grep -c '^sleep 1000'; id -u").code(0).stdout("1\n33\n");
    join("0", "true").code(126).error("the id 0 is not mapped");
}

/// One more command in a container: its one id is the program's, whichever it is inside; and that of another user, which it then is
/// for this command alone.
fn one_more_command(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", "-u", "33:33", &image, "sleep", "1000"]).succeeded();
    case.coracle(["exec", "box", "id", "-u"]).code(0).stdout("33\n");
    case.coracle(["exec", "-t", "box", "sh", "-c", "tty; id -g"]).code(0).stdout("/dev/pts/0\r\n33\r\n");
    let script = "id -u; id -g; echo x >/tmp/of-another; stat -c %u:%g /tmp/of-another; cat /proc/self/uid_map | wc -l";
    case.coracle(["exec", "-u", "40:41", "box", "sh", "-c", script]).code(0).stdout("40\n41\n40:41\n1\n");
    case.coracle(["exec", "box", "stat", "-c", "%u:%g", "/tmp/of-another"]).code(0).stdout("33:33\n");
    case.coracle(["exec", "-u", "0", "box", "sh", "-c", "id -u; chown 5 /tmp/of-another && echo done"])
        .stdout("0\ndone\n");
    case.coracle(["exec", "-t", "-u", "40", "box", "sh", "-c", "tty; id -u"]).code(0).stdout("/dev/pts/0\r\n40\r\n");
    // It has no rights beyond that user's, in no namespace that is the container's.
    let rights = "grep -h Cap /proc/self/status; hostname other 2>/dev/null || echo refused; kill -0 1 && echo may";
    let found = case.coracle(["exec", "-u", "40", "box", "sh", "-c", rights]).code(0).stdout;
    assert_eq!(found.matches("0000000000000000").count(), 4, "{found}");
    assert!(found.ends_with("refused\nmay\n"), "{found}");
    case.command(["exec", "-i", "box", "cat", "/dev/stdin"]).stdin("x\n").finish().code(0).stdout("x\n");
}

/// Hooks of devices, all of which are the user's one id.
fn hooks_of_devices(case: &Case) {
    if no_ids() {
        hooks::hooks_are_run_at_their_moments_in_their_namespaces(case);
    }
}

/// Owners that cannot be had on disk do not stop an image from being unpacked.
fn foreign_owners(case: &Case) {
    if !no_ids() {
        return;
    }
    let layer = Layer::new().dir("opt", 0o755).owned_file("opt/theirs", 0o640, (33, 40), "theirs\n");
    let image = case.pull(&Image::busybox().layer(layer).push("foreign:latest"));
    case.sh(&image, "cat /opt/theirs").code(0).stdout("theirs\n");
    let layers = std::fs::read_dir(case.store().join("layers")).unwrap().map(|layer| layer.unwrap().path());
    let tables: Vec<u8> = layers.flat_map(|layer| std::fs::read(layer.join("owners")).unwrap()).collect();
    assert_eq!(String::from_utf8(tables).unwrap(), "coracle-owners 1\n33:40 - opt/theirs\0");
}

#[test]
fn a_view_of_this_machine() {
    if no_ids() {
        crate::behaviour::storage::rootfs::the_machine_is_seen_and_left_alone(&Case::new(Driver::Auto));
    }
}

fn a_real_distribution(case: &Case) {
    if !no_ids() {
        return;
    }
    let case = case.sharing_store();
    let image = case.made("debian");
    let finished =
        case.sh(&image, "id -u; . /etc/os-release; echo $VERSION_ID; apt-get --version | head -c 3").succeeded();
    assert_eq!(finished.stdout, "0\n12\napt");
}

fn detached(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    case.coracle(["stop", "-t", "0", "box"]).code(0).stdout("box\n");
    case.coracle(["rm", "box"]).code(0);
    case.coracle(["rmi", &image]).code(0);
}

/// `cp` into a container and out of it.
fn copied(case: &Case) {
    crate::behaviour::into::copy::with_one_id(case);
}

/// What a layer writes below a link of a lower one.
fn below_links(case: &Case) {
    crate::behaviour::image::unpack::below_a_link_of_a_lower_layer(case);
}

/// `diff`, `commit`, `export`.
fn packed(case: &Case) {
    crate::behaviour::image::commit::with_one_id(case);
}

/// An image has the owners that it would have from an account with subordinate ids.
fn owners_of_an_image(case: &Case) {
    if no_ids() {
        crate::behaviour::image::commit::owners(case);
    }
}

/// The one id can be the user's own inside; there is none to spare for anything else.
fn the_one_id_is_kept(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.pull(&Image::busybox().config("User", "www-data").push("keep-one:latest"));
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let name = Account::current().name;
    let shared = case.home.join("shared");
    std::fs::create_dir(&shared).unwrap();
    let volume = format!("{}:/shared", shared.display());
    let script = "id -u; id -g; id -un; touch /shared/f; stat -c %u:%g /shared/f";
    let flags = ["run", "--rm", "--network=none", "--userns=keep-id", "-v", &volume, &image, "sh", "-c", script];
    case.coracle(flags).succeeded().stdout(&format!("{uid}\n{gid}\n{name}\n{uid}:{gid}\n"));
    for userns in ["--userns=auto", "--userns=nomap"] {
        let refused = case.coracle(["create", userns, &image, "sh"]).code(125);
        refused.error("this account has no subordinate ids").says("hint: `--userns=keep-id` works");
    }
}

/// A secret is a file, though its owner can't be had.
fn secrets(case: &Case) {
    if no_ids() {
        crate::behaviour::storage::secrets::given_and_found_nowhere_else(case);
    }
}

/// Volumes are filled, shared and removed, though all files in them are one id's.
fn volumes(case: &Case) {
    if no_ids() {
        crate::behaviour::storage::volumes::filled_from_the_image(case);
        case.coracle(["volume", "rm", "-a"]).code(0);
        crate::behaviour::storage::volumes::anonymous(case);
        crate::behaviour::storage::volumes::exported_and_imported(case);
    }
}

on_both_drivers!(
    a_shell_works,
    packed,
    below_links,
    owners_of_an_image,
    copied,
    one_more_command,
    hooks_of_devices,
    namespaces_of_another_container,
    the_one_id_is_kept,
    foreign_owners,
    a_real_distribution,
    detached,
    volumes,
    secrets
);
