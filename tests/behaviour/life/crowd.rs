//! Many at once.

use std::fs;

use crate::harness::{Case, Command, LIMIT, wait_until};

const TOGETHER: usize = 200;
/// How many starts are under way at a time.
const STARTERS: usize = 20;

/// Two hundred containers run together; each ends with its own code, and nothing is left of them.
fn two_hundred_together(case: &Case) {
    let image = case.busybox();
    let shared = case.home.join("shared");
    fs::create_dir(&shared).unwrap();
    let volume = format!("{}:/shared:ro", shared.display());
    let start = |number: usize| -> Command {
        let (name, script) =
            (format!("many-{number}"), format!("until [ -e /shared/go ]; do sleep 0.2; done; exit {}", number % 100));
        case.command(["run", "-d", "--network=none", "-v", &volume, "--name", &name, &image, "sh", "-c", &script])
    };
    std::thread::scope(|scope| {
        for first in 0..STARTERS {
            let start = &start;
            scope.spawn(move || {
                (first..TOGETHER).step_by(STARTERS).for_each(|number| drop(start(number).finish().code(0)))
            });
        }
    });
    assert_eq!(case.coracle(["ps", "-q"]).code(0).stdout.lines().count(), TOGETHER);
    fs::write(shared.join("go"), "").unwrap();
    let names: Vec<String> = (0..TOGETHER).map(|number| format!("many-{number}")).collect();
    let all = |verb| std::iter::once(verb).chain(names.iter().map(String::as_str));
    let codes: String = (0..TOGETHER).map(|number| format!("{}\n", number % 100)).collect();
    case.coracle(all("wait")).code(0).stdout(&codes);
    case.coracle(all("rm")).code(0).stderr("");
    case.coracle(["system", "check"]).code(0);
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

/// A hundred that remove themselves: whoever waits for them learns how each ended, though it is gone by then.
fn a_hundred_that_go_by_themselves(case: &Case) {
    let image = case.busybox();
    let shared = case.home.join("shared");
    fs::create_dir(&shared).unwrap();
    let volume = format!("{}:/shared:ro", shared.display());
    let names: Vec<String> = (0..100).map(|number| format!("one-{number}")).collect();
    std::thread::scope(|scope| {
        for first in 0..STARTERS {
            let (names, volume, image) = (&names, &volume, &image);
            scope.spawn(move || {
                for number in (first..100).step_by(STARTERS) {
                    let script = format!("until [ -e /shared/go ]; do sleep 0.2; done; exit {number}");
                    let head = ["run", "--rm", "-d", "--network=none", "-v", volume, "--name", &names[number]];
                    case.coracle(head.into_iter().chain([image, "sh", "-c", &script])).succeeded();
                }
            });
        }
    });
    let waiting = case.command(["wait"].into_iter().chain(names.iter().map(String::as_str))).start();
    let open = format!("/proc/{}/fd", waiting.pid().as_raw_nonzero());
    // Directory and lock of each.
    wait_until("it knows them all", LIMIT, || fs::read_dir(&open).is_ok_and(|open| open.count() >= 200));
    fs::write(shared.join("go"), "").unwrap();
    let codes: String = (0..100).map(|number| format!("{number}\n")).collect();
    waiting.finish().code(0).stderr("").stdout(&codes);
    wait_until("all are gone", LIMIT, || case.coracle(["ps", "-a", "-q"]).succeeded().stdout.is_empty());
    case.coracle(["system", "check"]).code(0);
}

on_both_drivers!(two_hundred_together, a_hundred_that_go_by_themselves);
