//! Who one is inside: users and groups by name and number, from the flag or from the image.

use crate::harness::{Account, Case, Image, Layer, binary, set_mode};

fn users(case: &Case) {
    let image = case.busybox();
    let run = |user: &str, script: &str| {
        case.coracle(["run", "--rm", "--network=none", "-u", user, &image, "sh", "-c", script])
    };
    run("www-data", "id -u; id -g; id -G; echo $HOME").code(0).stdout("33\n33\n33 40\n/var/www\n");
    run("33", "id -u; id -G").code(0).stdout("33\n33 40\n");
    run("33:65534", "id -u; id -g; id -G").code(0).stdout("33\n65534\n65534\n");
    run("nobody:tty", "id -u; id -g").code(0).stdout("65534\n5\n");
    // A number that the image does not know.
    run("1234", "id -u; id -g; echo $HOME").code(0).stdout("1234\n0\n/\n");
    run("1234:5678", "id -u; id -g").code(0).stdout("1234\n5678\n");
    run("root", "id -u").code(0).stdout("0\n");
    case.sh(&image, "id -G").code(0).stdout("0\n");
}

/// CVE-2026-30892, CVE-2024-40635: no spelling of a user becomes root that was not asked for.
fn odd_users_never_become_root(case: &Case) {
    let passwd = "root:x:0:0::/:/bin/sh\n99999999999:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n\
                  -1:x:0:0::/:/bin/sh\n+1:x:0:0::/:/bin/sh\n:x:0:0::/:/bin/sh\n";
    let layer = Layer::new().file("etc/passwd", 0o644, passwd);
    let image = case.pull(&Image::busybox().layer(layer).push("odd-users:latest"));
    for user in
        ["-1", "+1", "4294967295", "4294967296", "4294967297", "2147483648", "99999999999", ":0", " ", "1:", "1:-1"]
    {
        let flag = format!("--user={user}");
        let finished = case.coracle(["run", "--rm", "--network=none", &flag, &image, "id", "-u"]);
        // `:0` names a group alone; whether the user is then root is the image's word, as with Podman.
        assert!(finished.stdout != "0\n" || user == ":0", "{user:?} became root: {finished}");
    }
}

fn user_of_the_image(case: &Case) {
    let image = case.pull(&Image::busybox().config("User", "www-data:extra").push("user:latest"));
    let finished = case.coracle(["run", "--rm", "--network=none", &image, "id"]).succeeded();
    assert!(finished.stdout.starts_with("uid=33(www-data) gid=40(extra)"), "{finished}");
    case.coracle(["run", "--rm", "--network=none", "-u", "0", &image, "id", "-u"]).code(0).stdout("0\n");
}

/// Files of an account that are not regular, or that lead elsewhere, are not waited for nor followed outside.
fn passwd_that_leads_elsewhere(case: &Case) {
    for (tag, layer) in [
        ("fifo", Layer::new().entry(tar::EntryType::Fifo, "etc/passwd", 0o644, (0, 0), "", b"")),
        ("link", Layer::new().symlink("etc/passwd", "/../../../../../../etc/passwd")),
        ("folder", Layer::new().whiteout("etc/passwd").dir("etc/passwd", 0o755)),
    ] {
        let image = case.pull(&Image::busybox().layer(layer).push(&format!("passwd:{tag}")));
        let name = Account::current().name;
        let finished = case.coracle(["run", "--rm", "--network=none", "-u", &name, &image, "id"]);
        assert_eq!(finished.code, Some(126), "{tag}: {finished}");
    }
}

/// The subordinate ids, all of them, are there.
fn all_ids_are_mapped(case: &Case) {
    let image = case.busybox();
    let account = Account::current();
    let map = case.sh(&image, "cat /proc/self/uid_map").succeeded().stdout;
    let rows: Vec<Vec<u32>> =
        map.lines().map(|line| line.split_whitespace().map(|field| field.parse().unwrap()).collect()).collect();
    assert_eq!(rows.iter().map(|row| row[2]).sum::<u32>(), 65537, "{map}");
    assert!(account.subordinate > 0);
    case.sh(&image, "touch f && chown 65535:65535 f && stat -c '%u %g' f").code(0).stdout("65535 65535\n");
}

/// Where nsswitch.conf names another source, `getsubids` is asked, and what the files say does not count. In a namespace whose
/// root we are, so that these files can be laid over the machine's; the real `newuidmap` allows what the files grant.
fn ids_of_a_name_service(case: &Case) {
    let place = |name: &str, mode: u32, text: &str| {
        let path = case.home.join(name);
        std::fs::write(&path, text).unwrap();
        set_mode(&path, mode);
    };
    place("nsswitch.conf", 0o644, "passwd: files\nsubid: directory\n");
    place("subids", 0o644, "root:1:60000\n");
    std::fs::create_dir(case.home.join("bin")).unwrap();
    let answer = "[ \"$*\" = '-g root' ] && echo '0: root 200 300' || echo '0: root 100 1000'";
    place("bin/getsubids", 0o755, &format!("#!/bin/sh\n{answer}\n"));
    let image = Image::busybox().push("busybox:latest");
    let script = "cat /proc/self/uid_map /proc/self/gid_map | awk '{ print $1, $3 }'";
    let inside = format!(
        "mount --bind nsswitch.conf /etc/nsswitch.conf && mount --bind subids /etc/subuid && mount --bind subids /etc/subgid && \
         PATH=$PWD/bin:$PATH && '{0}' pull -q {image} >/dev/null && '{0}' run --rm --network=none {image} sh -c \"{1}\"",
        binary().display(),
        script.replace('$', "\\$"),
    );
    let unshare = ["--user", "--map-root-user", "--map-auto", "--mount", "sh", "-c", &inside];
    let finished = case.command_of("unshare".as_ref(), unshare).finish().code(0);
    assert_eq!(finished.stdout, "0 1\n1 1000\n0 1\n1 300\n", "{finished}");
    // Where it does not know, the files count.
    place("bin/getsubids", 0o755, "#!/bin/sh\nexit 1\n");
    let finished = case.command_of("unshare".as_ref(), unshare).finish().code(0);
    assert_eq!(finished.stdout, "0 1\n1 60000\n0 1\n1 60000\n", "{finished}");
}

on_both_drivers!(
    ids_of_a_name_service,
    users,
    odd_users_never_become_root,
    user_of_the_image,
    passwd_that_leads_elsewhere,
    all_ids_are_mapped,
);
