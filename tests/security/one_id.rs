//! An account without subordinate ids.

use crate::harness::Case;

/// CVE-2018-7169: where groups can't be set they are kept, so that a file which shuts one of them out does so; nobody inside can drop
/// them.
fn groups_are_kept(case: &Case) {
    let image = case.busybox();
    let own = rustix::process::getgroups().unwrap().len();
    let script = "cat /proc/self/setgroups; grep Groups: /proc/self/status | wc -w; cat /proc/1/gid_map | wc -l";
    case.sh(&image, script).code(0).stdout(&format!("deny\n{}\n1\n", own + 1));
}

on_both_drivers!(groups_are_kept);
