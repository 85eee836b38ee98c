//! Names, labels, annotations, and the files by which a container knows itself and others.

use super::{inspected, run};
use crate::harness::{Case, Image, Layer};

fn labels_and_annotations_are_kept(case: &Case) {
    let file = case.home.join("labels");
    std::fs::write(&file, "# comment\nfile=1\nboth=file\n\nbare\n").unwrap();
    let flags = ["--label-file", file.to_str().unwrap(), "-l", "both=flag", "--label=x=y=z", "--annotation", "a.b=c=d"];
    assert_eq!(inspected(case, &flags, "{{json .Config.Labels}}"), r#"{"bare":"","both":"flag","file":"1","x":"y=z"}"#);
    assert_eq!(inspected(case, &flags, "{{json .Config.Annotations}}"), r#"{"a.b":"c=d"}"#);
    run(case, &["-h", &"a".repeat(65)], "true").code(125).error("longer than 64 bytes").says("hint: ");
    run(case, &["-h", &"a".repeat(64)], "hostname | wc -c").code(0).stdout("65\n");
    run(case, &["--annotation", "bare"], "true").code(125).error("KEY=VALUE");
    run(case, &["--label-file", "/no/such"], "true").code(125).error("/no/such");
}

fn hosts_and_host_name_are_the_images_when_asked_for(case: &Case) {
    let layer = Layer::new().file("etc/hosts", 0o644, "image hosts\n").file("etc/hostname", 0o644, "image name\n");
    let layer = layer.file("etc/resolv.conf", 0o644, "image resolver\n");
    let image = case.pull(&Image::busybox().layer(layer).push("own-hosts:latest"));
    let cat = |flags: &[&str], file: &str| {
        let line = ["run", "--rm"].iter().chain(flags).copied().chain([image.as_str(), "cat", file]);
        case.coracle(line).succeeded().stdout
    };
    assert_eq!(cat(&["--network=none", "--no-hosts"], "/etc/hosts"), "image hosts\n");
    assert!(cat(&["--network=none", "--no-hosts=false"], "/etc/hosts").contains("localhost"));
    assert_eq!(cat(&["--network=none", "--no-hostname"], "/etc/hostname"), "image name\n");
    assert_eq!(cat(&["--network=host", "--dns=none"], "/etc/resolv.conf"), "image resolver\n");
    let own = case.home.join("own-hosts");
    std::fs::write(&own, "10.9.8.7 from-file\n").unwrap();
    let flags = ["--network=none", "--hosts-file", own.to_str().unwrap(), "--add-host", "added:10.1.1.1"];
    let hosts = cat(&flags, "/etc/hosts");
    assert!(hosts.contains("10.9.8.7\tfrom-file\n") && hosts.contains("10.1.1.1\tadded\n"), "{hosts}");
    run(case, &["--no-hosts", "--add-host=a:1.2.3.4"], "true").code(125).error("cannot be set together");
    run(case, &["--hosts-file=/no/such"], "true").code(125).error("/no/such");
}

/// What /etc/hosts begins with: a topmost layer decides, as the container shows it.
fn an_empty_host_name_is_none(case: &Case) {
    let id = case.coracle(["create", "--network=none", "--hostname=", &case.busybox(), "true"]).succeeded().stdout;
    assert_eq!(case.inspect(id.trim(), "{{.Config.Hostname}}"), id[..12]);
}

fn hosts_begin_with_nothing_or_as_the_image_has_them(case: &Case) {
    let below = Layer::new().file("etc/hosts", 0o644, "10.1.1.1 below\n");
    let above = Layer::new().file("etc/hosts", 0o644, "10.2.2.2 above\n");
    let image = case.pull(&Image::busybox().layer(below).layer(above).push("two-hosts:latest"));
    let hosts = |flag: &str| {
        let line = ["run", "--rm", "--network=none", "--hostname=own", "--name=box", flag, &image, "cat", "/etc/hosts"];
        case.coracle(line).succeeded().stdout
    };
    let added = "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\town box\n";
    assert_eq!(hosts("--hosts-file=image"), format!("10.2.2.2\tabove\n{added}"));
    assert_eq!(hosts("--hosts-file=none"), added);
    assert_eq!(hosts("--hosts-file="), hosts("--no-hosts=false"));
    std::fs::write(case.home.join("none"), "10.3.3.3 file\n").unwrap();
    assert_eq!(hosts("--hosts-file=./none"), format!("10.3.3.3\tfile\n{added}"));
    // An image without the file: nothing to begin with.
    let line = ["run", "--rm", "--network=none", "--hosts-file=image", &case.busybox(), "cat", "/etc/hosts"];
    assert!(case.coracle(line).succeeded().stdout.starts_with("127.0.0.1\tlocalhost\n"));
}

/// What the image keeps is the container's own, and is in its changes.
fn files_of_the_image_can_be_changed_and_compared(case: &Case) {
    let image = case.busybox();
    let line = ["run", "--name=own", "--network=none", "--no-hosts", &image, "sh", "-c", "echo x >/etc/hosts"];
    case.coracle(line).succeeded();
    let changes = case.coracle(["diff", "own"]).succeeded().stdout;
    assert!(changes.contains(" /etc/hosts\n") && !changes.contains("hostname"), "{changes}");
}

fn the_resolver_is_what_was_asked_for(case: &Case) {
    let image = case.busybox();
    let flags = ["--dns=10.2.3.4", "--dns-search=a.example", "--dns-option=ndots:1"];
    let line =
        ["run", "--rm", "--network=host"].iter().chain(&flags).copied().chain([&image, "cat", "/etc/resolv.conf"]);
    let expected = "search a.example\nnameserver 10.2.3.4\noptions ndots:1\n";
    case.coracle(line).code(0).stdout(expected);
    run(case, &["--dns=10.2.3.4"], "true").code(125).error("conflicting options: dns and the network mode: none");
    let line = ["run", "--rm", "--dns=nonsense", &image, "true"];
    case.coracle(line).code(125).error("nonsense is not an ip address");
}

fn exposed_ports_are_documented(case: &Case) {
    let ports = inspected(case, &["--expose=80", "--expose", "90-91/udp"], "{{json .Config.ExposedPorts}}");
    assert_eq!(ports, r#"{"80/tcp":{},"90/udp":{},"91/udp":{}}"#);
    run(case, &["--expose=foo"], "true").code(125).error("invalid range format for --expose: foo");
}

fn the_time_zone_is_the_hosts_file(case: &Case) {
    let zone = |flag: &str| run(case, &[flag], "date -d @0 +%H%Z").succeeded().stdout;
    assert_eq!((zone("--tz=Asia/Tokyo"), zone("--tz=UTC")), ("09JST\n".into(), "00UTC\n".into()));
    run(case, &["--tz=local"], "true").code(0).stderr("");
    for bad in ["Nowhere/X", "../../etc/passwd", "/etc/passwd", "Europe"] {
        run(case, &[&format!("--tz={bad}")], "true").code(125).error(bad);
    }
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}

on_both_drivers!(
    labels_and_annotations_are_kept,
    hosts_and_host_name_are_the_images_when_asked_for,
    an_empty_host_name_is_none,
    hosts_begin_with_nothing_or_as_the_image_has_them,
    files_of_the_image_can_be_changed_and_compared,
    the_resolver_is_what_was_asked_for,
    exposed_ports_are_documented,
    the_time_zone_is_the_hosts_file,
);
