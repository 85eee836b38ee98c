//! `ps`: its columns, what it is told to show, and in which words.

use serde_json::Value;

use crate::harness::{Case, Driver};

/// Three containers: one that runs, one that has ended with 3, one that was never started. The oldest first.
fn three(case: &Case) -> String {
    let image = case.busybox();
    let create = |name: &str, more: &[&str]| {
        case.coracle([&["create", "--network=none", "--name", name], more].concat()).succeeded();
    };
    create("alpha", &["--label", "k=v", "--label", "x=y", "-v", "/usr:/data:ro", &image, "sleep", "1000"]);
    create("beta", &["--label", "k=w", &image, "sh", "-c", "head -c 5000 /dev/zero >/file; exit 3 # a long one"]);
    create("gamma", &[&image, "true"]);
    case.coracle(["start", "alpha"]).code(0);
    case.coracle(["start", "-a", "beta"]).code(3);
    image
}

fn names(case: &Case, arguments: &[&str]) -> Vec<String> {
    case.coracle([&["ps", "--format", "{{.Names}}"], arguments].concat())
        .succeeded()
        .stdout
        .lines()
        .map(str::to_owned)
        .collect()
}

fn columns(case: &Case, arguments: &[&str]) -> Vec<String> {
    let shown = case.coracle([&["ps"], arguments].concat()).succeeded().stdout;
    shown
        .lines()
        .next()
        .unwrap()
        .split("  ")
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

fn chosen(case: &Case) {
    let image = three(case);
    let id = case.inspect("beta", "{{.Id}}");
    let image_id = case.inspect("beta", "{{.Image}}");
    let ancestor = format!("ancestor={image_id}");
    let by_name = format!("ancestor={image}");
    let by_id = format!("id={}", &id[..10]);
    let table: &[(&[&str], &[&str])] = &[
        (&[], &["alpha"]),
        (&["-a"], &["alpha", "beta", "gamma"]),
        (&["-l"], &["gamma"]),
        (&["-n", "2"], &["beta", "gamma"]),
        (&["-n", "-1"], &["alpha"]),
        (&["-n", "0"], &["alpha"]),
        (&["-a", "--sort", "names"], &["alpha", "beta", "gamma"]),
        (&["-a", "--sort", "status"], &["gamma", "beta", "alpha"]),
        (&["-a", "--filter", "name=^b"], &["beta"]),
        (&["-a", "--filter", "name=a"], &["alpha", "beta", "gamma"]),
        (&["-a", "--filter", "name=^(al|ga)"], &["alpha", "gamma"]),
        (&["-a", "--filter", "name=beta", "--filter", "name=gamma"], &["beta", "gamma"]),
        (&["-a", "--filter", "name=a", "--filter", "status=exited"], &["beta"]),
        (&["--filter", "status=created"], &["gamma"]),
        (&["--filter", "status=stopped"], &["beta"]),
        (&["--filter", "exited=3"], &["beta"]),
        (&["--filter", "exited=0"], &[]),
        (&["-a", "--filter", &by_id], &["beta"]),
        (&["-a", "--filter", "label=k"], &["alpha", "beta"]),
        (&["-a", "--filter", "label=k=v", "--filter", "label=x"], &["alpha"]),
        (&["-a", "--filter", "label=k=v", "--filter", "label=k=w"], &[]),
        (&["-a", "--filter", "label!=k"], &["gamma"]),
        (&["-a", "--filter", "before=beta"], &["alpha"]),
        (&["-a", "--filter", "since=beta"], &["gamma"]),
        (&["-a", "--filter", "until=1h"], &[]),
        (&["-a", "--filter", "until=2100-01-01"], &["alpha", "beta", "gamma"]),
        (&["-a", "--filter", "command=^sh"], &["beta"]),
        (&["-a", "--filter", "volume=/data"], &["alpha"]),
        (&["-a", "--filter", &ancestor], &["alpha", "beta", "gamma"]),
        (&["-a", "--filter", &by_name], &["alpha", "beta", "gamma"]),
        (&["-a", "--filter", "ancestor=busybox"], &["alpha", "beta", "gamma"]),
        (&["-a", "--filter", "ancestor=box"], &[]),
        (&["-a", "--filter", "pod=x"], &[]),
    ];
    for (arguments, expected) in table {
        assert_eq!(names(case, arguments), *expected, "{arguments:?}");
    }
}

fn shown(case: &Case) {
    let image = three(case);
    let usual = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
    assert_eq!(columns(case, &["-a"]), usual);
    assert_eq!(columns(case, &["-a", "-s"]), [&usual[..], &["SIZE"]].concat());
    assert_eq!(columns(case, &["-a", "--pod"]), [&usual[..], &["POD ID", "PODNAME"]].concat());
    let namespaces = ["CGROUPNS", "IPC", "MNT", "NET", "PIDNS", "USERNS", "UTS"];
    assert_eq!(columns(case, &["--ns"]), [&["CONTAINER ID", "NAMES", "PID"][..], &namespaces].concat());
    case.coracle(["ps", "--noheading", "--filter", "name=none"]).code(0).stdout("");

    let size = case.coracle(["ps", "-a", "-s", "--filter", "name=beta", "--format", "{{.Size}}"]).succeeded().stdout;
    assert!(size.starts_with("5kB (virtual "), "{size}");
    let command = |flag: &str| case.coracle(["ps", "-a", flag, "--filter", "name=beta", "--format", "{{.Command}}"]);
    command("--no-trunc=false").code(0).stdout("sh -c head -c 500...\n");
    command("--no-trunc").code(0).stdout("sh -c head -c 5000 /dev/zero >/file; exit 3 # a long one\n");
    let template = "{{.Label \"k\"}} {{.State}} {{.ExitCode}} {{.Exited}} {{.Labels}} {{.Mounts}} {{upper .State}}";
    let fields = case.coracle(["ps", "-a", "--format", template]).succeeded().stdout;
    assert_eq!(
        fields,
        "v running 0 false map[k:v x:y] [/data] RUNNING\nw exited 3 true map[k:w] [] EXITED\n created 0 false map[] [] CREATED\n"
    );
    let pid = case.inspect("alpha", "{{.State.Pid}}");
    let link = std::fs::read_link(format!("/proc/{pid}/ns/uts")).unwrap();
    let ns = case.coracle(["ps", "--format", "{{.UTS}}"]).succeeded().stdout;
    assert_eq!(format!("uts:[{}]", ns.trim()), link.to_str().unwrap());

    let both = case.coracle(["ps", "--format", "{{.Namespaces.uts}} {{.ExposedPorts}}"]).succeeded().stdout;
    assert_eq!(both, format!("{} map[]\n", ns.trim()));
    let json = case.coracle(["ps", "-a", "--format", "json"]).succeeded().stdout;
    let all: Vec<Value> = serde_json::from_str(&json).unwrap();
    let keys: Vec<&String> = all[0].as_object().unwrap().keys().collect();
    let mut expected = [
        "AutoRemove",
        "CIDFile",
        "Command",
        "Created",
        "CreatedAt",
        "ExitCode",
        "Exited",
        "ExitedAt",
        "ExposedPorts",
        "Id",
        "Image",
        "ImageID",
        "IsInfra",
        "Labels",
        "Mounts",
        "Names",
        "Namespaces",
        "Networks",
        "Pid",
        "Pod",
        "PodName",
        "Ports",
        "Restarts",
        "Size",
        "StartedAt",
        "State",
        "Status",
    ];
    expected.sort_unstable();
    let mut keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(
        (&all[1]["Command"][0], &all[1]["Names"][0], &all[1]["ExitCode"]),
        (&"sh".into(), &"beta".into(), &3.into())
    );
    assert_eq!(
        (&all[2]["StartedAt"], &all[2]["Labels"], &all[0]["Image"]),
        (&(-62_135_596_800_i64).into(), &Value::Null, &image.into())
    );
    let lines = case.coracle(["ps", "-a", "--format", "{{json .}}"]).succeeded().stdout;
    let names: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["Names"][0].clone()).collect();
    assert_eq!(names, ["alpha", "beta", "gamma"]);
}

on_both_drivers!(chosen, shown);

#[test]
fn mistakes() {
    let case = Case::new(Driver::Auto);
    let table: &[(&[&str], &str)] = &[
        (&["-l", "-n", "2"], "Error: last and latest are mutually exclusive"),
        (&["-q", "-s"], "Error: quiet conflicts with size and namespace"),
        (&["--ns", "-s"], "Error: size and namespace options conflict"),
        (&["--filter", "foo=bar"], "Error: foo is an invalid filter"),
        (&["--filter", "status=bogus"], "Error: unknown container state: bogus: invalid argument"),
        (&["--filter", "name"], "Error: invalid filter \"name\""),
        (&["--watch", "0"], "Error: the watch interval"),
    ];
    for (arguments, words) in table {
        case.coracle([&["ps"], *arguments].concat()).code(125).stdout("").says(words);
    }
    let bad = case.coracle(["ps", "--sort", "bogus"]).code(125);
    assert!(bad.stderr.starts_with("Error: ") && bad.stderr.contains("bogus"), "{bad}");
    // An empty list has its headings; a template has none.
    case.coracle(["ps", "--format", "table {{.ID}} {{.Names}}"]).code(0).stdout("CONTAINER ID  NAMES\n");
    case.coracle(["ps", "--format", "{{.ID}}"]).code(0).stdout("");
}
