//! distrobox with one id: the user that it makes in a box is another than root, and is entered as that user all the same.

use super::no_ids;
use crate::behaviour::boxes::Home;
use crate::harness::{Account, Case, Driver};

#[test]
fn a_box_is_entered_as_its_user() {
    if !no_ids() {
        return;
    }
    let case = &Case::new(Driver::Auto);
    let image = case.made("debian-box");
    let home = Home::of(case);
    home.sh(&format!("distrobox create --yes --name den --image {image}")).code(0);
    let entered = home.sh("distrobox enter den -- sh -c 'id -un; id -u; pwd; echo of the box >made; stat -c %U made'");
    let (name, uid) = (Account::current().name, rustix::process::getuid().as_raw());
    let expected = format!("{name}\n{uid}\n{}\n{name}\n", case.home.display());
    let entered = entered.code(0).stdout;
    assert!(entered.ends_with(&expected), "{entered}");
    assert_eq!(std::fs::read_to_string(case.home.join("made")).unwrap(), "of the box\n");
    home.sh("distrobox enter den -- distrobox-export --bin /usr/bin/bc --export-path \"$HOME/bin\"").code(0);
    home.sh("echo 6*7 | bin/bc").code(0).stdout("42\n");
    home.sh("distrobox stop --yes den").code(0);
    home.sh("distrobox rm --force den").code(0);
}
