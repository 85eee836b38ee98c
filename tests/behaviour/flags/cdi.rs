//! Devices that a vendor's file describes (CDI).

use super::run;
use crate::behaviour::faults::adversity::on_a_small_disk;
use crate::harness::{Case, Image};

/// Writes a description into the user's own folder.
pub fn describe(case: &Case, file: &str, text: &str) {
    let folder = case.home.join(".config/cdi");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(file), text).unwrap();
}

fn devices_of_vendors_bring_what_they_need(case: &Case) {
    std::fs::write(case.home.join("manual"), "row\n").unwrap();
    let mount = format!(
        r#"{{"hostPath": "{}", "containerPath": "/manual", "options": ["ro"]}}"#,
        case.home.join("manual").display()
    );
    describe(
        case,
        "boat.json",
        &format!(
            r#"{{"cdiVersion": "0.6.0", "kind": "boat.test/oar", "containerEdits": {{"env": ["SIDES=2"]}}, "devices": [
                {{"name": "left", "containerEdits": {{"env": ["SIDE=left"], "mounts": [{mount}],
                    "deviceNodes": [{{"path": "/dev/oar", "hostPath": "/dev/zero"}}]}}}},
                {{"name": "wired", "containerEdits": {{"netDevices": [{{"hostInterfaceName": "eth0", "name": "boat0"}}]}}}},
                {{"name": "lost", "containerEdits": {{"deviceNodes": [{{"path": "/dev/no-such"}}]}}}}]}}"#
        ),
    );
    let script = "echo $SIDE $SIDES; cat /manual; head -c 2 /dev/oar | od -An -tx1; : >/manual";
    run(case, &["--device=boat.test/oar=left"], script)
        .stdout("left 2\nrow\n 00 00\n")
        .says("sh: can't create /manual: Read-only file system");
    run(case, &["--device=boat.test/oar=right"], "true")
        .code(125)
        .error("unresolvable CDI devices boat.test/oar=right");
    run(case, &["--device=boat.test/oar=wired"], "true").code(125).error("(netDevices)").says("hint: ");
    run(case, &["--device=boat.test/oar=lost"], "true").code(125).error("/dev/no-such");
    describe(
        case,
        "gpu.json",
        r#"{"kind": "nvidia.com/gpu", "devices": [{"name": "all", "containerEdits": {"env": ["GPU=yes"]}}]}"#,
    );
    run(case, &["--gpus=all"], "echo $GPU").code(0).stdout("yes\n");
    describe(
        case,
        "sail.yaml",
        "# made by hand\nkind: boat.test/sail\ndevices:\n- name: main\n  containerEdits:\n    env: &env [SAIL=main]\n\
         - name: \"0\"\n  containerEdits:\n    env: *env\n    deviceNodes:\n    - path: /dev/sail\n      hostPath: /dev/zero\n",
    );
    run(case, &["--device=boat.test/sail=0"], "echo $SAIL; test -c /dev/sail").code(0).stdout("main\n");
    // What a later file says counts.
    describe(case, "tail.yml", "kind: boat.test/sail\ndevices: [{name: main, containerEdits: {env: [SAIL=own]}}]\n");
    run(case, &["--device=boat.test/sail=main"], "echo $SAIL").code(0).stdout("own\n");
    describe(case, "tail.yml", "kind: boat.test/sail\ndevices:\n- name: main\n- name: 7\n");
    run(case, &["--device=boat.test/sail=main"], "true")
        .code(125)
        .error("tail.yml` can't be read: line 4: invalid type");
    std::fs::remove_file(case.home.join(".config/cdi/tail.yml")).unwrap();
    describe(case, "bad.json", "{");
    run(case, &["--gpus=all"], "true").code(125).error("bad.json` can't be read");
}

/// Where administrators and drivers of devices put them; the user's own count most.
fn devices_of_the_machine(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let script = r#"
        one() { printf '{"kind": "boat.test/oar", "devices": [{"name": "%s", "containerEdits": {"env": ["OAR=%s"]}}]}' "$1" "$2"; }
        cp -r /etc/. etc 2>/dev/null; mkdir -p etc/cdi; mount --bind etc /etc
        mount -t tmpfs none /run && mkdir /run/cdi
        [ /var/run -ef /run ] || { mount -t tmpfs none /var/run && mkdir /var/run/cdi; }
        one left etc >/etc/cdi/a.json; one both etc >/etc/cdi/b.json; one all etc >/etc/cdi/c.json
        one right run >/var/run/cdi/a.json; one both run >/var/run/cdi/b.json; one all run >/var/run/cdi/c.json
        mkdir -p .config/cdi; one all own >.config/cdi/c.json
        coracle pull -q "$1" >/dev/null
        for name in left right both all; do coracle run --rm --network=none --device "boat.test/oar=$name" "$1" sh -c 'echo $OAR'; done"#;
    let finished = on_a_small_disk(case, &format!("\nmkdir etc{script}"), &[&image]);
    assert_eq!(finished.stdout, "etc\nrun\nrun\nown\n", "{finished}");
}

on_both_drivers!(devices_of_vendors_bring_what_they_need, devices_of_the_machine);
