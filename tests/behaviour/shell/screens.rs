//! What is shown on a terminal, and what of it where there is none.

use super::screen::Screen;
use crate::behaviour::into::terminal::on_terminal_of;
use crate::harness::image::noise;
use crate::harness::{Case, Driver, Layer, Terminal};
use crate::images::server::{Answer, Parts, Server};

/// A shell on a terminal of so many columns, in which `coracle` is the program.
fn shell(case: &Case, columns: u16, more: &[(&str, &str)]) -> Terminal {
    let folder = crate::harness::binary().parent().unwrap().display().to_string();
    let path = format!("{folder}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    let more: Vec<_> = more.iter().copied().chain([("PATH", path.as_str()), ("PS1", "> ")]).collect();
    let mut terminal = on_terminal_of(case, &["bash", "--norc", "--noprofile", "-i"], &more);
    terminal.resize(24, columns);
    terminal.write("echo rea''dy\r");
    terminal.expect("ready\r\n");
    terminal
}

/// Runs a line to its end, and gives what was shown of it.
fn shown(terminal: &mut Terminal, line: &str) -> String {
    terminal.write(&format!("{line}; echo en''ded $?\r"));
    let shown = terminal.expect("ended ");
    terminal.expect("\r\n");
    shown
}

/// The sequences that colour a terminal, or make its letters bold.
fn is_coloured(text: &str) -> bool {
    text.split("\x1b[")
        .skip(1)
        .any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
}

/// Whatever the width, a pull tells of each layer once it is there; in a pipe it has no bar, with `--quiet` no word.
#[test]
fn a_pull_on_terminals_and_in_pipes() {
    for columns in [80, 20, 1, 0] {
        let case = Case::new(Driver::Auto);
        let image = crate::harness::Image::busybox().push("screens:latest");
        let mut terminal = shell(&case, columns, &[]);
        let text = shown(&mut terminal, &format!("coracle pull {image}"));
        for words in ["Copying blob ", " done", "Writing manifest"] {
            assert!(text.contains(words), "no {words:?} at {columns} columns: {text:?}");
        }
    }
    let case = Case::new(Driver::Auto);
    let image = crate::harness::Image::busybox().push("screens:latest");
    let piped = case.coracle(["pull", &image]).code(0);
    assert!(piped.stderr.contains("Copying blob ") && !piped.stderr.contains(['\x1b', '\r', '[']), "{piped}");
    case.coracle(["rmi", &image]).code(0);
    case.coracle(["pull", "--quiet", &image]).code(0).stderr("");
    let mut terminal = shell(&case, 80, &[]);
    case.coracle(["rmi", &image]).code(0);
    let text = shown(&mut terminal, &format!("coracle pull --quiet {image}"));
    assert!(!text.contains("Copying"), "{text:?}");
}

/// The marks between which a terminal paints in one go.
const FRAME: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

/// Bars are repainted in place, frame by frame: the screen is never emptied, a bar is wiped in no other frame than the one that shows
/// it again, and no line is so long that it goes on in the next.
#[test]
fn nothing_flickers() {
    for (columns, going) in [(120, " / "), (80, "%"), (20, "%")] {
        let parts = Parts::of(&[Layer::new().file("large", 0o644, noise(3_000_000))]);
        let mut answers = parts.answers();
        answers.insert(parts.layer_path(), vec![Answer::Held(parts.layer.clone(), parts.layer.len() / 3)]);
        let server = Server::start(answers);
        let case = Case::new(Driver::Auto);
        let mut terminal = shell(&case, columns, &[]);
        terminal.write(&format!("coracle pull {}/x:1\r", server.address));
        terminal.expect("\n");
        terminal.expect(FRAME.0);
        let digest = parts.layer_path().split(':').nth(1).unwrap()[..12].to_owned();
        // A third comes, and the rest is held back.
        let mut shown = terminal.expect(&digest);
        while !shown.contains(going) {
            shown = terminal.expect(FRAME.1);
        }
        server.release();
        shown = terminal.expect("Writing manifest");
        shown += &terminal.expect("> ");
        assert!(shown.contains(&format!("Copying blob {digest} done")), "{columns}: {shown:?}");
        let all = terminal.shown();
        let all = &all[all.find(FRAME.0).unwrap()..];
        for empties in ["\x1b[2J", "\x1b[J", "\x1b[0J", "\x1b[3J", "\x1b[H", "\x1bc"] {
            assert!(!all.contains(empties), "{columns}: {empties:?} in {all:?}");
        }
        let frames = all.split(FRAME.0).skip(1).map(|rest| rest.split_once(FRAME.1).unwrap());
        assert!(frames.clone().count() > 2, "{columns}: {all:?}");
        let mut is_done = false;
        frames.for_each(|(frame, between)| {
            assert!(!between.contains("\x1b[2K"), "{columns}: wiped between frames: {between:?}");
            let after = frame.rsplit("\x1b[2K").next().unwrap();
            is_done |= after.contains(" done");
            let is_wiped = frame.contains("\x1b[2K") && after.trim().is_empty();
            assert!(!is_wiped || is_done, "{columns}: a frame with nothing: {frame:?}");
            // The bar stands below all else, behind `Copying blob` where there is room.
            if let Some((_, bar)) = after.rsplit_once(&digest).filter(|(_, bar)| bar.contains(['%', '/'])) {
                let length = if columns < 40 { 0 } else { "Copying blob ".len() } + digest.len() + bar.trim_end().len();
                assert!(length <= usize::from(columns), "{columns}: {length} columns: {bar:?}");
            }
        });
    }
}

/// On a screen of any width what is told stays, line by line, and nothing of what was painted over.
#[test]
fn what_stays_on_a_screen() {
    for columns in [80, 20] {
        let case = Case::new(Driver::Auto);
        let image = crate::harness::Image::busybox().push("stays:latest");
        let file = format!("FROM {image}\nRUN sleep 0.7; echo what the step said\nCOPY Containerfile /file\n");
        std::fs::write(case.home.join("Containerfile"), file).unwrap();
        let made = format!("{}-made-{columns}", image.rsplit_once(':').unwrap().0);
        let mut terminal = shell(&case, columns, &[]);
        let pull =
            ["Trying to pull ", "Copying blob ", "Copying config sha256:", "Writing manifest to image destination", ""];
        let build = [
            "STEP 1/3: FROM localhost:",
            "STEP 2/3: RUN sleep 0.7; echo what the step said",
            "STEP 3/3: COPY Containerfile /file",
            "COMMIT localhost:",
            "--> ",
            "Successfully tagged localhost:",
            "",
        ];
        let blob = "Copying blob ";
        let push = [blob, blob, blob, "Copying config sha256:", "Writing manifest to image destination"];
        for (line, stays) in [
            (format!("coracle pull {image}"), &pull[..]),
            (format!("coracle build -t {made} {}", case.home.display()), &build),
            (format!("coracle push {made}"), &push),
        ] {
            let sent = shown(&mut terminal, &line);
            // Behind what the shell shows of the line itself.
            let (_, sent) = sent.split_once("\x1b[?2004l\r").unwrap();
            let lines = Screen::of(sent, usize::from(columns)).lines();
            // The time that a step took stands before it.
            let said: Vec<&str> = lines
                .iter()
                .map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit() || " .s".contains(c)))
                .collect();
            let fits = said.iter().zip(stays).all(|(line, words)| line.starts_with(words) && !line.contains('%'));
            assert!(said.len() == stays.len() && fits, "{columns} columns, {line}: {lines:#?} of {sent:?}");
        }
    }
}

/// How something stands and that something failed is coloured, on a terminal that shows colours and for who does not refuse them.
#[test]
fn colours_are_for_terminals() {
    let case = Case::new(Driver::Auto);
    let mut terminal = shell(&case, 80, &[]);
    let text = shown(&mut terminal, "coracle start nobody");
    assert!(text.contains("\x1b[31mError:\x1b[0m no container") && text.contains("\x1b[36mhint:\x1b[0m "), "{text:?}");
    let text = shown(&mut terminal, "coracle doctor");
    assert!(text.contains("\x1b[32mok     \x1b[0m  kernel "), "{text:?}");
    // One stream may be a terminal's where the other is a pipe's.
    let text = shown(&mut terminal, "coracle doctor | cat; coracle start nobody 2>&1 | cat");
    assert!(!is_coloured(&text), "{text:?}");
    for more in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut terminal = shell(&case, 80, &[more]);
        for line in ["coracle --help", "coracle ps -a", "coracle start nobody", "coracle run --frob", "coracle doctor"]
        {
            let text = shown(&mut terminal, line);
            assert!(!is_coloured(&text), "{line}: {text:?}");
        }
    }
}

/// A restart policy alone starts nothing at boot: who sits at a terminal is told what does. Scripts are told nothing.
#[test]
fn who_restarts_always_is_told_of_boots() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    // That of a service manager, as far as anybody can see who does not ask it.
    let bus = case.home.join("bus");
    drop(std::os::unix::net::UnixListener::bind(&bus).unwrap());
    let address = format!("unix:path={}", bus.display());
    let run = |name: &str, policy: &str| {
        format!("coracle run -d --network=none --restart={policy} --name={name} {image} sleep 1000")
    };
    let mut terminal = shell(&case, 200, &[("DBUS_SESSION_BUS_ADDRESS", &address)]);
    for (name, policy) in [("one", "always"), ("two", "unless-stopped")] {
        let text = shown(&mut terminal, &run(name, policy));
        let said = format!("nothing starts the container {name} at the next boot: `run -d --boot` does");
        assert!(text.contains(&said) && text.contains("`coracle unit`"), "{text:?}");
        assert!(text.contains("`loginctl enable-linger`"), "{text:?}");
    }
    let text = shown(&mut terminal, &run("three", "on-failure"));
    assert!(!text.contains("boot"), "{text:?}");
    let mut terminal = shell(&case, 200, &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")]);
    let text = shown(&mut terminal, &run("four", "always"));
    let said = "no service manager of this account runs here; have whatever starts things call `coracle start four`";
    assert!(text.contains(said), "{text:?}");
    let script = ["run", "-d", "--network=none", "--restart=always", &image, "sleep", "1000"];
    case.command(script).env("DBUS_SESSION_BUS_ADDRESS", &address).finish().code(0).stderr("");
}

/// Where the time of a start went, step by step; what the program writes is its own.
#[test]
fn the_times_of_a_start() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let begin = std::time::Instant::now();
    let done = case.coracle(["run", "--rm", "--explain=times", &image, "echo", "hello"]).code(0).stdout("hello\n");
    let whole = begin.elapsed().as_secs_f64() * 1000.0;
    let steps: Vec<(f64, &str)> = done
        .stderr
        .lines()
        .map(|line| line.trim_start().split_once(" ms  ").unwrap_or_else(|| panic!("no step: {line}")))
        .map(|(took, what)| (took.parse().unwrap(), what))
        .collect();
    let names: Vec<&str> = steps.iter().map(|(_, what)| *what).collect();
    assert_eq!(
        names,
        [
            "the command line and the configuration were read",
            "the container's record was written, its image pulled where it was missing",
            "the start was planned",
            "the monitor was cloned, and had its namespaces and ids",
            "the root file system was mounted",
            "mounts and users were prepared, and init was cloned",
            "init gave up its rights",
            "the network was waited for",
            "the program was executed",
            "the program ended, and what it left was tidied",
            "in all",
        ]
    );
    let (in_all, parts) = (steps.last().unwrap().0, steps.iter().rev().skip(1).map(|(took, _)| took).sum::<f64>());
    assert!((in_all - parts).abs() < 0.1 && in_all <= whole, "{in_all} of {whole} ms: {parts}");
    let done = case.coracle(["run", "-d", "--name=box", "--explain=times", &image, "sleep", "1000"]).code(0);
    assert!(done.stderr.ends_with(" ms  in all\n") && !done.stderr.contains("the program ended"), "{done}");
    // Nobody else is told.
    case.coracle(["run", "--rm", &image, "true"]).code(0).stderr("");
    let debug = case.coracle(["--log-level=debug", "run", "--rm", &image, "true"]).code(0).stderr;
    assert!(debug.contains("the program runs, pid ") && !debug.contains("msg=\"@"), "{debug}");
    let plan = case.coracle(["run", "--explain", &image, "true"]).code(0).stdout;
    assert!(plan.starts_with('{'), "{plan}");
    // Who only looks changes nothing: not even whom it would replace.
    let id = case.inspect("box", "{{.Id}}");
    let line = ["run", "--explain", "--replace", "--name=box", "--cidfile=id", "-v", "/anonymous", &image, "true"];
    case.coracle(line).code(0).stderr("");
    assert_eq!(case.inspect("box", "{{.Id}} {{.State.Running}}"), format!("{id} true"));
    assert!(!case.home.join("id").exists());
    case.coracle(["volume", "ls", "-q"]).code(0).stdout("");
    case.coracle(["ps", "-a", "--format", "{{.Names}}"]).code(0).stdout("box\n");
}
