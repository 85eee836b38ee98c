//! The container's file system, as programs inside see it: on both overlay drivers the same.

use crate::harness::{Case, Image, Layer};

/// The layers that most tests here stand on.
pub fn layered(case: &Case) -> String {
    let lower = Layer::new()
        .dir("data", 0o755)
        .file("data/kept", 0o640, "kept\n")
        .file("data/hidden", 0o644, "hidden\n")
        .file("data/changed", 0o644, "old\n")
        .dir("data/opaque", 0o755)
        .file("data/opaque/below", 0o644, "below\n")
        .dir("data/gone", 0o755)
        .file("data/gone/file", 0o644, "gone\n")
        .file("data/setuid", 0o4777, "setuid\n")
        .file("data/linked", 0o644, "linked\n")
        .hard_link("data/link", "data/linked")
        .owned_file("data/owned", 0o600, (33, 40), "owned\n")
        .symlink("data/absolute", "/data/kept");
    let upper = Layer::new()
        .whiteout("data/hidden")
        .file("data/changed", 0o644, "new\n")
        .opaque("data/opaque")
        .file("data/opaque/above", 0o644, "above\n")
        .whiteout("data/gone");
    case.pull(&Image::busybox().layer(lower).layer(upper).push("layered:latest"))
}

fn layers_are_merged(case: &Case) {
    let image = layered(case);
    let script =
        "cd /data; ls; cat changed absolute opaque/*; stat -c '%a %u %g %n' kept owned setuid; stat -c %h link";
    case.sh(&image, script).code(0).stderr("").stdout(
        "absolute\nchanged\nkept\nlink\nlinked\nopaque\nowned\nsetuid\nnew\nkept\nabove\n\
         640 0 0 kept\n600 33 40 owned\n4777 0 0 setuid\n2\n",
    );
}

/// What one container writes, no other sees, and the layers stay as they were.
fn layers_never_change(case: &Case) {
    let image = layered(case);
    let script = "cd /data && echo x >kept && rm changed && mkdir changed && rm -r opaque && chmod 700 . && echo done";
    case.sh(&image, script).code(0).stdout("done\n");
    layers_are_merged(case);
}

fn changes(case: &Case) {
    let image = layered(case);
    // busybox hands pages of the file on (sendfile(2)), and what is cut off later would be missing in what was not read yet: a
    // second one copies them.
    // Copy-up keeps the mode and the owner; a removed name may be taken again; folders are moved with all they hold.
    let script = "set -e; cd /data
        echo more >>owned; stat -c '%a %u %g' owned; cat owned
        rm kept; echo again >kept; cat kept; rm kept; ls kept 2>/dev/null || echo absent
        mkdir hidden; touch hidden/x; ls hidden; rm -r hidden
        mv opaque moved; cat moved/above | cat; ls opaque 2>/dev/null || echo absent
        mv moved/above changed; cat changed | cat
        ln changed second; echo third >>second; cat changed | cat; stat -c %h second
        ln -s changed soft; cat soft | cat; mkfifo fifo; stat -c %F fifo
        mkdir -p a/b/c; touch a/b/c/d; rm -r a; ls a 2>/dev/null || echo absent
        truncate -s 3 changed; wc -c <changed; touch -d @1000 changed; stat -c %Y changed";
    case.sh(&image, script).code(0).stderr("").stdout(
        "600 33 40\nowned\nmore\nagain\nabsent\nx\nabove\nabsent\nabove\nabove\nthird\n2\nabove\nthird\nfifo\nabsent\n3\n1000\n",
    );
}

/// A folder of a lower layer is moved by copying it up: redirects could not be read by the other driver.
fn a_lower_folder_is_moved(case: &Case) {
    let image = case.busybox();
    let script =
        "mv /var /moved && ls -d /moved/www && ls /var 2>/dev/null || echo absent; mkdir /var && ls /var | wc -l";
    case.sh(&image, script).code(0).stdout("/moved/www\nabsent\n0\n");
}

/// The caller's umask counts, not the server's.
fn umask(case: &Case) {
    let image = case.busybox();
    let script = "umask 077; mkdir d; touch f; mkfifo p; stat -c %a d f p; umask 002; mkdir e; touch g; stat -c %a e g;
        umask 0; mkdir h; touch i; stat -c %a h i";
    case.sh(&image, script).code(0).stdout("700\n600\n600\n775\n664\n777\n666\n");
}

/// A write by somebody else takes the setuid and setgid bits away, also on the write that copies up.
fn setuid_is_cleared_on_write(case: &Case) {
    let image = layered(case);
    let script = "cd /data; chmod 777 .; cp setuid mine; chmod 6777 mine
        for file in setuid mine; do su -s /bin/sh nobody -c \"echo x >>$file\"; stat -c %a $file; done
        chmod 6777 mine; su -s /bin/sh nobody -c ': >mine'; stat -c %a mine
        chmod 6777 mine; chown 33 mine; stat -c %a mine";
    case.sh(&image, script).code(0).stderr("").stdout("777\n777\n777\n777\n");
}

/// A file without a name lives while it is open.
fn open_files_that_were_unlinked(case: &Case) {
    let image = layered(case);
    let script = "cd /data; exec 3<kept 4<>scratch 5<>owned; rm kept scratch owned
        echo written >&4; cat <&3; cat /proc/self/fd/4; echo tail >>/proc/self/fd/5; cat <&5; ls kept scratch owned 2>&1 | wc -l";
    case.sh(&image, script).code(0).stdout("kept\nwritten\nowned\ntail\n3\n");
}

/// A setuid program inside has an effect: here from a user to root of the container.
fn setuid_programs_work(case: &Case) {
    let case = case.sharing_store();
    let image = case.made("debian");
    let script = "stat -c %a /usr/bin/passwd; cp /usr/bin/id /opt/id; chmod 4755 /opt/id
        setpriv --reuid=33 --regid=33 --clear-groups /opt/id -u; setpriv --reuid=33 --regid=33 --clear-groups /opt/id -r -u";
    case.sh(&image, script).code(0).stdout("4755\n0\n33\n");
}

/// Many names in one folder, and all of them gone again.
fn a_large_folder(case: &Case) {
    let image = case.busybox();
    let script = "mkdir big; cd big; for i in $(seq 3000); do : >file-with-a-rather-long-name-$i; done; ls | wc -l
        rm -r ../big && ls -d ../big 2>/dev/null || echo gone";
    case.sh(&image, script).code(0).stdout("3000\ngone\n");
}

/// A package manager does all that it does, maintainer scripts too.
fn a_package_is_installed(case: &Case) {
    let case = case.sharing_store();
    let image = case.made("debian-dev");
    let script = "set -e
        mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin; cd /tmp
        printf 'Package: boat\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: a boat\\n' >p/DEBIAN/control
        printf '#!/bin/sh\\nid -u www-data >/var/lib/boat\\n' >p/DEBIAN/postinst
        printf '#!/bin/sh\\necho afloat\\n' >p/usr/bin/boat; chmod 755 p/DEBIAN/postinst p/usr/bin/boat
        dpkg-deb --build p boat.deb >/dev/null; chmod 644 boat.deb
        apt-get install -y -qq ./boat.deb >/dev/null
        boat; cat /var/lib/boat; dpkg -s boat | grep ^Status; apt-get remove -y -qq boat >/dev/null; ls /usr/bin/boat 2>/dev/null || echo gone";
    let finished = case.sh(&image, script).code(0);
    assert_eq!(finished.stdout, "afloat\n33\nStatus: install ok installed\ngone\n", "{finished}");
}

fn a_repository_is_cloned_and_compiled(case: &Case) {
    let case = case.sharing_store();
    let image = case.made("debian-dev");
    let script = "set -e; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
        mkdir /src; cd /src; git init -q -b main .
        for i in $(seq 200); do mkdir -p dir$((i % 20)); echo \"int f$i(void) { return $i; }\" >dir$((i % 20))/f$i.c; done
        printf 'int f7(void); int f42(void); int main(void) { return f7() + f42(); }\\n' >main.c
        git add .; git commit -q -m one
        git clone -q --no-local /src /copy; cd /copy; git status --porcelain | wc -l; git fsck --strict 2>/dev/null && echo whole
        gcc -O1 -o program main.c dir7/f7.c dir2/f42.c; ./program || echo $?";
    case.sh(&image, script).code(0).stdout("0\nwhole\n49\n");
}

on_both_drivers!(
    layers_are_merged,
    layers_never_change,
    changes,
    a_lower_folder_is_moved,
    umask,
    setuid_is_cleared_on_write,
    open_files_that_were_unlinked,
    setuid_programs_work,
    a_large_folder,
    a_package_is_installed,
    a_repository_is_cloned_and_compiled,
);
