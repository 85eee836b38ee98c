//! Secrets: kept, given to containers as files and variables, and found nowhere else.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Account, Case, Driver, has};

const WORD: &str = "open-sesame-4711";

/// Keeps a secret: its id.
fn keep(case: &Case, name: &str, bytes: &str) -> String {
    let id = case.command(["secret", "create", name, "-"]).stdin(bytes).finish().code(0).stderr("").stdout;
    assert_eq!(id.trim().len(), 25, "{id}");
    id.trim().to_owned()
}

/// Every file of the store that has the word in it.
fn files_with(case: &Case, word: &str) -> Vec<PathBuf> {
    let (mut pending, mut found) = (vec![case.store()], Vec::new());
    while let Some(path) = pending.pop() {
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            pending.extend(std::fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()));
        } else if meta.is_file()
            && let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(word.len()).any(|part| part == word.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

/// As files with owners and modes, and as variables; not on disk, not in an image, not in what is shown.
pub fn given_and_found_nowhere_else(case: &Case) {
    let image = case.busybox();
    keep(case, "s1", WORD);
    let one_id = Account::current().subordinate == 0;
    let run = |secret: &str, script: &str| {
        case.coracle(["run", "--rm", "--network=none", "--secret", secret, &image, "sh", "-c", script])
    };
    let show = "stat -c '%a %u:%g' /run/secrets/s1; cat /run/secrets/s1; grep -o '^tmpfs /run/secrets tmpfs rw,nosuid,nodev,noexec' /proc/mounts";
    run("s1", show).code(0).stdout(&format!("444 0:0\n{WORD}tmpfs /run/secrets tmpfs rw,nosuid,nodev,noexec\n"));
    let owner = if one_id { "0:0" } else { "33:40" };
    run("s1,target=foo,uid=33,gid=40,mode=0400", "stat -c '%a %u:%g' /run/secrets/foo; ls -A /run/secrets")
        .code(0)
        .stdout(&format!("400 {owner}\nfoo\n"));
    run(
        "s1,target=/etc/foo/bar,mode=0600",
        "cat /etc/foo/bar; stat -c ' %a' /etc/foo/bar; ls -A /run/secrets; grep -c '^tmpfs /etc/foo/bar' /proc/mounts",
    )
    .code(0)
    .stdout(&format!("{WORD} 600\n1\n"));
    run("source=s1,target=a/b", "cat /run/secrets/a/b").code(0).stdout(WORD);
    run("s1,type=env", "echo $s1").code(0).stdout(&format!("{WORD}\n"));
    let flags = ["--secret=s1", "--secret=s1,type=env,target=X"];
    case.coracle([&["run", "-d", "--network=none", "--name", "box"], &flags[..], &[&image, "sleep", "1000"]].concat())
        .succeeded();
    // A container has what it was given, whatever becomes of the secret.
    case.coracle(["secret", "rm", "s1"]).code(0);
    keep(case, "s1", "another");
    case.coracle(["exec", "box", "sh", "-c", "cat /run/secrets/s1; echo -$X"])
        .code(0)
        .stdout(&format!("{WORD}-{WORD}\n"));
    let shown = case.coracle(["inspect", "box"]).code(0).stdout;
    assert!(!shown.contains(WORD) && shown.contains("\"X=*******\"") && shown.contains("\"Mode\": 292"), "{shown}");
    case.coracle(["commit", "-q", "box", "committed"]).code(0);
    case.sh("committed", "ls -A /run/secrets 2>/dev/null | wc -l; env | grep -c X=").code(1).stdout("0\n0\n");
    case.coracle(["restart", "-t", "0", "box"]).code(0);
    case.coracle(["exec", "box", "cat", "/run/secrets/s1"]).code(0).stdout(WORD);
    let copies = files_with(case, WORD);
    assert_eq!(copies.len(), 2, "{copies:?}");
    for copy in copies {
        assert!(copy.parent().unwrap().ends_with("secrets"), "{}", copy.display());
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }
    let lines = case
        .command_of("/bin/sh".as_ref(), ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"])
        .finish()
        .stdout;
    assert!(!lines.contains(WORD), "a command line has it");
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
    assert!(files_with(case, WORD).is_empty(), "a copy outlived its container");
    run("s1,target=../../up", "cat /up").code(0).stdout("another");
    case.coracle([
        "run",
        "--rm",
        "--network=none",
        "--read-only",
        "--tmpfs=/run",
        "--secret=s1",
        &image,
        "cat",
        "/run/secrets/s1",
    ])
    .code(0)
    .stdout("another");
}

on_both_drivers!(given_and_found_nowhere_else);

#[test]
fn of_other_users_and_ids() {
    let case = Case::new(Driver::Auto);
    if !has("subordinate ids", Account::current().subordinate != 0) {
        return;
    }
    let image = case.busybox();
    keep(&case, "s1", WORD);
    for userns in ["--userns=keep-id", "--userns=auto", "--userns=nomap"] {
        let secret = "s1,uid=33,gid=33,mode=0400";
        let flags = ["run", "--rm", "--network=none", userns, "-u", "33:33", "--secret", secret, &image];
        case.coracle([&flags[..], &["cat", "/run/secrets/s1"]].concat()).code(0).stdout(WORD);
    }
    case.coracle(["run", "--rm", "--network=none", "--uidmap=0:0:10", "--secret=s1,uid=33", &image, "true"])
        .code(126)
        .error("the secret's owner 33:0 is not mapped");
}

/// One that can't be read hides no other, and can be replaced and removed.
#[test]
fn damaged() {
    let case = Case::new(Driver::Auto);
    keep(&case, "good", WORD);
    let known: Vec<PathBuf> = files(&case);
    keep(&case, "bad", WORD);
    let bad = files(&case).into_iter().find(|path| !known.contains(path)).unwrap();
    let damage = || std::fs::write(&bad, "{").unwrap();
    damage();
    case.coracle(["secret", "ls", "--format", "{{.Name}}"]).code(0).stdout("good\n").says("warning: ");
    let found = format!("Damaged secret {}: ", bad.display());
    let told = case.coracle(["system", "check", "--quick", "--repair"]).code(125).stdout;
    assert!(told.starts_with(&found) && bad.exists(), "{told}");
    case.coracle(["secret", "inspect", "bad"]).code(125);
    case.coracle(["secret", "rm", "--ignore", "bad"]).code(0).stdout("bad\n");
    keep(&case, "bad", WORD);
    damage();
    case.coracle(["system", "check", "--quick", "--force"]).code(0);
    assert!(!bad.exists());
    keep(&case, "bad", WORD);
    damage();
    case.command(["secret", "create", "--replace", "bad", "-"]).stdin(WORD).finish().code(0);
    case.coracle(["secret", "inspect", "bad", "--format", "{{.Spec.Name}}"]).code(0).stdout("bad\n");
}

fn files(case: &Case) -> Vec<PathBuf> {
    std::fs::read_dir(case.store().join("secrets")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// As podman 5.4 answers.
#[test]
fn words_and_exit_codes() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let create = |arguments: &[&str], bytes: Vec<u8>| {
        case.command([&["secret", "create"], arguments].concat()).env("FOO", "of the environment").stdin(bytes).finish()
    };
    let one = keep(&case, "s1", "one");
    create(&["s1", "-"], b"two".to_vec()).code(125).error("s1: secret name in use");
    let two = create(&["--replace", "-l", "a=b", "--label=c", "s1", "-"], b"two\n".to_vec()).code(0).stdout;
    assert_ne!(one, two.trim());
    create(&["--env", "s2", "FOO"], Vec::new()).code(0);
    create(&["--env", "s3", "NOPE"], Vec::new()).code(125).error("environment variable NOPE is not set");
    create(&["s3", "/nope"], Vec::new()).code(125).error("open /nope: no such file or directory");
    create(&["s3", "/dev/null"], Vec::new())
        .code(125)
        .error("secret data must be larger than 0 and less than 512000 bytes");
    create(&["s3", "-"], vec![0; 512_000])
        .code(125)
        .error("secret data must be larger than 0 and less than 512000 bytes");
    create(&["big", "-"], vec![0; 511_999]).code(0);
    create(&["-d", "pass", "s3", "-"], b"x".to_vec()).code(125).error("invalid driver");
    for name in ["bad/name", "a,b", "a=b", ""] {
        create(&[name, "-"], b"x".to_vec())
            .code(125)
            .error(&format!("secret name \"{name}\" can not include '=', '/', ','"));
    }
    for name in ["..", ".bad", "a b"] {
        create(&[name, "-"], b"x".to_vec()).code(0);
        case.coracle(["secret", "rm", name]).code(0);
    }
    let listed = case.coracle(["secret", "ls", "--filter", "name=s1", "--filter", "name=s2"]).code(0).stdout;
    let cells: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((cells.len(), &cells[0][..]), (3, &["ID", "NAME", "DRIVER", "CREATED", "UPDATED"][..]));
    assert_eq!((&cells[1][..3], cells[1].last()), (&[two.trim(), "s1", "file"][..], Some(&"ago")));
    case.coracle(["secret", "ls", "--format", "{{.Name}} {{.Driver}}"]).code(0).stdout("s1 file\ns2 file\nbig file\n");
    case.coracle(["secret", "ls", "--filter", "foo=x"]).code(125).error("invalid filter \"foo\"");
    let shown: Value = serde_json::from_str(&case.coracle(["secret", "inspect", "s1"]).code(0).stdout).unwrap();
    assert_eq!((&shown[0]["Spec"]["Labels"]["a"], &shown[0]["ID"]), (&"b".into(), &two.trim().into()));
    assert!(shown[0].get("SecretData").is_none());
    case.coracle(["secret", "inspect", "--showsecret", "--format", "{{.SecretData}}", "s1"]).code(0).stdout("two\n\n");
    let pretty = case.coracle(["secret", "inspect", "--pretty", &two[..8]]).code(0).stdout;
    assert!(pretty.contains("Name:              s1\nLabels:\n - a=b\n - c\n"), "{pretty}");
    case.coracle(["secret", "inspect", "nope"])
        .code(125)
        .stdout("[]\n")
        .error("no secret with name or id \"nope\": no such secret");
    case.coracle(["secret", "exists", "s1"]).code(0);
    case.coracle(["secret", "exists", "nope"]).code(1).stderr("");
    case.coracle(["secret", "rm", "nope"]).code(125).error("no such secret");
    case.coracle(["secret", "rm", "-i", "nope"]).code(0).stdout("");
    case.coracle(["secret", "rm"]).code(125).error("requires one argument, or the --all flag");
    for (secret, words) in [
        ("nope", "no secret with name or id \"nope\": no such secret"),
        ("s1,type=foo", "type foo is invalid: parsing secret"),
        ("s1,mode=xyz", "mode xyz invalid: parsing secret"),
        ("s1,foo=x", "option foo=x invalid: parsing secret"),
        ("s1,type=env,mode=0400", "UID, GID, Mode options cannot be set with secret type env: parsing secret"),
    ] {
        case.coracle(["create", "--secret", secret, &image]).code(125).error(words);
    }
    case.coracle(["secret", "rm", "-a"]).code(0);
    case.coracle(["secret", "ls", "-q"]).code(0).stdout("");
}
