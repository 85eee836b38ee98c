//! Package managers and their like, as root with one id.

use super::no_ids;
use super::owners::noted;
use crate::harness::{Case, Driver, Layer};

/// A Debian package (deb(5)): control information, scripts, files. Plain tar members, so that nothing is needed to make it.
fn deb(name: &str, depends: &str, scripts: &[(&str, &str)], data: Layer) -> Vec<u8> {
    let depends = if depends.is_empty() { String::new() } else { format!("Depends: {depends}\n") };
    let control = format!(
        "Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.org>\n{depends}Description: {name}\n"
    );
    let control = Layer::new().file("./control", 0o644, control);
    let control = scripts.iter().fold(control, |layer, (script, text)| layer.file(&format!("./{script}"), 0o755, text));
    let mut archive = b"!<arch>\n".to_vec();
    for (member, bytes) in
        [("debian-binary", b"2.0\n".to_vec()), ("control.tar", control.tar()), ("data.tar", data.tar())]
    {
        let mode = "100644";
        archive.extend(format!("{member:<16}{:<12}{:<6}{:<6}{mode:<8}{:<10}`\n", 0, 0, 0, bytes.len()).bytes());
        archive.extend(&bytes);
        archive.resize(archive.len().next_multiple_of(2), b'\n');
    }
    archive
}

/// Several packages that need each other, a service with a user of its own, files of a group's.
fn packages(folder: &std::path::Path) {
    let files = Layer::new().dir("./", 0o755).dir("./usr", 0o755).dir("./usr/bin", 0o755);
    let game =
        files.clone().dir("./usr/games", 0o755).owned_file("./usr/games/dice", 0o2755, (0, 60), "#!/bin/sh\necho 4\n");
    let service = files
        .clone()
        .file("./usr/bin/service", 0o755, "#!/bin/sh\n")
        .dir("./var", 0o755)
        .dir("./var/lib", 0o755)
        .dir("./var/lib/service", 0o755);
    let configured = "#!/bin/sh\nset -e\n[ \"$1\" = configure ] || exit 0\n\
        useradd --system --user-group --home-dir /var/lib/service --no-create-home service\n\
        chown service:service /var/lib/service\nchmod 2750 /var/lib/service\n\
        install -o service -g adm -m 640 /dev/null /var/lib/service/state\n\
        install -d -o service -g service -m 700 /var/lib/service/private\n";
    let library = files.file("./usr/bin/library", 0o755, "#!/bin/sh\n");
    std::fs::create_dir(folder).unwrap();
    for (name, depends, scripts, data) in [
        ("library", "", &[][..], library),
        ("game", "library", &[][..], game),
        ("service", "library, passwd", &[("postinst", configured)][..], service),
    ] {
        std::fs::write(folder.join(format!("{name}.deb")), deb(name, depends, scripts, data)).unwrap();
    }
}

fn apt_installs_a_service_with_its_user(case: &Case) {
    if !no_ids() {
        return;
    }
    let case = case.sharing_store();
    let image = case.made("debian");
    let folder = case.home.join("debs");
    packages(&folder);
    let name = format!("apt-{}", case.driver.name());
    let volume = format!("{}:/debs:ro", folder.display());
    let script = "apt-get install --yes /debs/*.deb >/log 2>&1 || { cat /log; exit 1; }
        grep -i -e warn -e denied -e 'not permitted' /log
        dpkg -V library game service; dpkg -l library game service | grep -c ^ii; getent passwd service | cut -d: -f3,4";
    let run = ["run", "--network=none", "--name", &name, "-v", &volume, &image, "sh", "-c", script];
    let said = case.coracle(run).code(0);
    let (installed, ids) = said.stdout.trim_end().split_once('\n').unwrap_or_else(|| panic!("{said}"));
    assert_eq!(installed, "3", "{said}");
    if case.driver == Driver::Fuse {
        let (uid, gid) = ids.split_once(':').unwrap();
        for (path, owner) in [
            ("usr/games/dice", "0:60".to_owned()),
            ("var/lib/service", format!("{uid}:{gid}")),
            ("var/lib/service/state", format!("{uid}:4")),
            ("var/lib/service/private", format!("{uid}:{gid}")),
            ("usr/bin/service", "0:0".to_owned()),
            // Rewritten by programs that gave them the owner that they saw.
            ("etc/shadow", "0:42".to_owned()),
            ("etc/gshadow", "0:42".to_owned()),
            ("etc/passwd", "0:0".to_owned()),
        ] {
            assert_eq!(noted(&case, &name, path), owner, "{path}");
        }
    }
    case.coracle(["rm", &name]).code(0);
}

fn users_and_archives(case: &Case) {
    if !no_ids() {
        return;
    }
    let case = case.sharing_store();
    let image = case.made("debian");
    let folder = case.home.join("archive");
    std::fs::create_dir(&folder).unwrap();
    let archive = Layer::new()
        .dir("tree", 0o755)
        .owned_file("tree/theirs", 0o4755, (12, 34), "x")
        .entry(tar::EntryType::Symlink, "tree/link", 0o777, (5, 6), "theirs", b"")
        .entry(tar::EntryType::Fifo, "tree/pipe", 0o600, (7, 8), "", b"");
    std::fs::write(folder.join("archive.tar"), archive.tar()).unwrap();
    let name = format!("users-{}", case.driver.name());
    let volume = format!("{}:/archive:ro", folder.display());
    let script = "set -e; useradd --create-home --uid 1234 joe; su - joe -c 'id >/dev/null'; su joe -c 'touch /tmp/x'
        cd /srv; tar --numeric-owner -xpf /archive/archive.tar; stat -c '%F %a' tree/theirs tree/pipe
        chown -R joe:joe /home/joe; echo $?";
    let run = ["run", "--network=none", "--name", &name, "-v", &volume, &image, "sh", "-c", script];
    case.coracle(run).code(0).stdout("regular file 4755\nfifo 600\n0\n");
    if case.driver == Driver::Fuse {
        for (path, owner) in [
            ("home/joe/.profile", "1234:1234"),
            ("home/joe", "1234:1234"),
            ("srv/tree/theirs", "12:34"),
            ("srv/tree/link", "5:6"),
            ("srv/tree/pipe", "7:8"),
            ("srv/tree", "0:0"),
        ] {
            assert_eq!(noted(&case, &name, path), owner, "{path}");
        }
    }
    case.coracle(["rm", &name]).code(0);
}

on_both_drivers!(apt_installs_a_service_with_its_user, users_and_archives);
