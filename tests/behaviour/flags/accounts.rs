//! Whom the container's account files know, and which groups the program has.

use super::run;
use crate::harness::{Account, Case, Driver};

fn a_user_by_number_is_made_known(case: &Case) {
    let tail = "tail -n1 /etc/passwd; tail -n1 /etc/group";
    let nobody = "nobody:x:65534:65534::/:/bin/sh\nnogroup:x:65534:\n";
    let known = run(case, &["-u1234:77", "-w/tmp"], &format!("{tail}; echo $HOME; id -un")).succeeded().stdout;
    assert_eq!(known, "1234:*:1234:77:container user:/tmp:/bin/sh\n77:x:77:1234\n/tmp\n1234\n");
    run(case, &["-u1234", "--passwd=false"], tail).code(0).stdout(nobody);
    let entry = "me:*:$UID:$GID:$NAME of $USERNAME:$HOME:/bin/zsh";
    let flags = ["-u1234:77", "--passwd-entry", entry, "--group-entry=g-$GROUPNAME:x:$GID:$USERLIST"];
    let known = "me:*:1234:77:container user of 1234:/:/bin/zsh\ng-77:x:77:1234\n";
    run(case, &flags, tail).code(0).stdout(known);
    // Who is known already is not added.
    run(case, &["-u33", "--passwd-entry", entry], "grep -c zsh /etc/passwd").stdout("0\n");
    run(case, &["--passwd-entry=a\nb"], "true").code(125).error("is not one line");
    // A root file system that can't be written knows them, too.
    run(case, &["-u1234", "--read-only"], "id -un").code(0).stdout("1234\n");
}

#[test]
fn the_caller_is_not_made_known_where_nothing_is_to_be() {
    let case = &Case::new(Driver::Auto);
    let name = Account::current().name;
    let known = format!("grep -c '^{name}:' /etc/passwd");
    run(case, &["--userns=keep-id"], &known).stdout("1\n");
    run(case, &["--userns=keep-id", "--passwd=false"], &known).stdout("0\n");
    let flags = ["--userns=keep-id", "--passwd-entry=$USERNAME:*:$UID:$GID::/h:/bin/zsh"];
    run(case, &flags, &format!("grep ^{name}: /etc/passwd | cut -d: -f6-")).code(0).stdout("/h:/bin/zsh\n");
}

fn users_of_the_host_are_made_known(case: &Case) {
    let name = Account::current().name;
    let uid = rustix::process::getuid().as_raw();
    run(case, &["--hostuser", &name], "tail -n1 /etc/passwd | cut -d: -f1-3")
        .code(0)
        .stdout(&format!("{name}:*:{uid}\n"));
    run(case, &["--hostuser=no-such-user"], "true").code(125).error("unknown user no-such-user");
}

fn groups_of_the_caller_are_kept(case: &Case) {
    let own = rustix::process::getgroups().unwrap();
    let kept = run(case, &["--group-add=keep-groups"], "grep Groups: /proc/self/status").succeeded().stdout;
    let count = kept.split_whitespace().skip(1).count();
    assert!(count >= own.len(), "{kept} of {own:?}");
    run(case, &["--group-add", "www-data,7"], "id -G").code(0).stdout("0 7 33\n");
    run(case, &["--group-add=keep-groups", "--group-add=7"], "true").code(125).error("keep-groups");
    let image = case.busybox();
    let line = ["run", "-d", "--name=kept", "--network=none", "--group-add=keep-groups", &image, "sleep", "100"];
    case.coracle(line).succeeded();
    case.coracle(["exec", "kept", "grep", "Groups:", "/proc/self/status"]).code(0).stdout(&kept);
}

on_both_drivers!(a_user_by_number_is_made_known, users_of_the_host_are_made_known, groups_of_the_caller_are_kept,);
