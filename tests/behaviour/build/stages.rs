//! Stages side by side, and what is shown of them.

use rustix::process::Signal;

use super::Context;
use crate::behaviour::into::terminal::on_terminal;
use crate::harness::{Case, LIMIT, wait_until};

/// Two stages of which each waits until the other runs; `ENDS_A` and `ENDS_B` are what they do then.
const MEET: &str = "FROM IMAGE AS a\n\
    RUN --mount=type=cache,id=meet,target=/m touch /m/a; n=0; \
    until test -e /m/b; do n=$((n+1)); test $n -lt 900 || exit 9; sleep 0.1; done; ENDS_A\n\
    FROM IMAGE AS b\n\
    RUN --mount=type=cache,id=meet,target=/m touch /m/b; n=0; \
    until test -e /m/a; do n=$((n+1)); test $n -lt 900 || exit 9; sleep 0.1; done; ENDS_B\n\
    FROM IMAGE\n\
    COPY --from=a /a /\n\
    COPY --from=b /b /\n";

fn met(ends_a: &str, ends_b: &str) -> String {
    MEET.replace("ENDS_A", ends_a).replace("ENDS_B", ends_b)
}

fn stages_run_side_by_side(case: &Case) {
    let context = Context::new(case, &met("echo a met b; echo a >/a", "echo b met a; echo b >/b"));
    let built = context.build(&["--jobs=2"]).code(0);
    assert!(built.stdout.contains("a met b\n") && built.stdout.contains("b met a\n"), "{built}");
    assert!(built.stdout.contains("[1/3] STEP 2/2: RUN") && built.stdout.contains("[3/3] STEP 3/3: COPY"), "{built}");
    assert_eq!(context.prints("cat /a /b"), "a\nb\n");
    // Once more, one by one: all of it is remembered.
    let again = context.build(&["--jobs=1"]).code(0);
    assert_eq!(again.stdout.matches("--> Using cache").count(), 4, "{again}");
}

/// How many processes of the machine have this in their command lines.
fn processes(mark: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .map(line)
        .fold(0, |sum, line| sum + usize::from(String::from_utf8_lossy(&line).split('\0').any(|word| word == mark)))
}

fn a_stage_that_fails_ends_the_others(case: &Case) {
    let mark = format!("9{}", std::process::id() % 10_000 + 10_000 * u32::from(case.driver.name() == "fuse"));
    let context = Context::new(case, &met("echo no good; exit 5", &format!("sleep {mark}")));
    let built = context.build(&["--jobs=0"]).code(5);
    built.error("Containerfile:2:1: the command `/bin/sh -c touch /m/a").error("ended with exit code 5");
    wait_until("the other stage's command has ended", LIMIT, || processes(&mark) == 0);
    assert!(!case.coracle(["images", "-q", "built"]).stdout.contains(char::is_alphanumeric));
    case.coracle(["system", "check"]).code(0);
}

fn who_kills_the_build_ends_all_of_it(case: &Case) {
    let mark = format!("8{}", std::process::id() % 10_000 + 10_000 * u32::from(case.driver.name() == "fuse"));
    let context = Context::new(case, &met(&format!("sleep {mark}"), &format!("sleep {mark}")));
    let path = context.path.to_str().unwrap();
    let running = case.command(["build", "--network=none", "--jobs=2", path]).start();
    wait_until("both stages run", LIMIT, || processes(&mark) >= 2);
    running.signal(Signal::KILL);
    running.finish();
    wait_until("all commands have ended", LIMIT, || processes(&mark) == 0);
    case.coracle(["system", "check"]).code(0);
}

/// What goes on now is shown; what is done, above it.
fn a_terminal_shows_what_goes_on(case: &Case) {
    let sync = case.home.join("sync");
    std::fs::create_dir(&sync).unwrap();
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         RUN echo on its way; until test -e /sync/go; do sleep 0.1; done\n\
         RUN for n in 1 2 3 4 5 6 7; do echo line $n; done; printf 'and no more'; exit 4\n",
    );
    let volume = format!("{}:/sync", sync.display());
    let arguments = ["build", "--network=none", "--volume", &volume, context.path.to_str().unwrap()];
    let mut terminal = on_terminal(case, &arguments);
    terminal.expect("STEP 2/3: RUN echo on its way");
    terminal.expect("│ on its way");
    std::fs::write(sync.join("go"), "").unwrap();
    terminal.expect("s STEP 2/3: RUN echo on its way");
    terminal.expect(" failed STEP 3/3: RUN for n in");
    terminal.expect("line 1\r\nline 2\r\nline 3\r\nline 4\r\nline 5\r\nline 6\r\nline 7\r\nand no more\r\n");
    terminal.expect("Containerfile:3:1: the command");
    terminal.expect("ended 4");
    let terminal = on_terminal(case, &["build", "--progress=fancy", "."]);
    wait_until("a kind that there is not is refused", LIMIT, || {
        terminal.shown().contains("`--progress=fancy`: expected `auto`, `plain` or `tty`")
    });
}

on_both_drivers!(
    stages_run_side_by_side,
    a_stage_that_fails_ends_the_others,
    who_kills_the_build_ends_all_of_it,
    a_terminal_shows_what_goes_on,
);
