//! What an image is built from: a Containerfile, and the rules of what is left out of its context.

use std::collections::BTreeMap;

use coracle::build::arguments::{Arguments, Scope};
use coracle::build::graph::{Graph, Origin};
use coracle::build::ignore::{Ignore, Verdict};
use coracle::build::parse::{self, Body, Dockerfile, Kind, MountError, Word};
use coracle::build::{Fault, Source, words};

/// Whatever is said of a place can be shown.
fn show(fault: &Fault) {
    let place = &fault.place;
    assert!(place.line > 0 && place.column > 0 && !fault.to_string().is_empty());
    let excerpt = place.excerpt();
    assert!(excerpt.lines().count() <= 2 && excerpt.chars().count() < 1000, "{excerpt}");
    fault.hint();
}

/// A file is refused at a place, or each word of it is what stands in the source; its stages come in an order in which each has
/// what it needs.
pub fn containerfile(bytes: &[u8]) {
    let file = match parse::parse("Containerfile", bytes) {
        Ok(file) => file,
        Err(fault) => return show(&fault),
    };
    let platform = "linux/amd64".parse().expect("a platform");
    let given = BTreeMap::from([("V".to_owned(), "1".to_owned())]);
    let mut arguments = Arguments::new(given, &platform, &platform, None);
    if let Err(fault) = arguments.read(&file) {
        return show(&fault);
    }
    arguments.unused(&file);
    let mut last = 0;
    for instruction in &file.instructions {
        assert!(instruction.span.start >= last && instruction.span.end <= file.source.text.len());
        assert_eq!(instruction.line, file.source.line(instruction.span.start));
        last = instruction.span.end;
        instruction_holds(&file, &arguments, &instruction.kind);
    }
    match Graph::new(&file, &arguments, &[("ctx".to_owned(), None)]) {
        Ok(graph) => order_holds(&file, &graph),
        Err(fault) => show(&fault),
    }
}

fn order_holds(file: &Dockerfile, graph: &Graph) {
    let target = graph.target(None).expect("the last stage");
    let order = match graph.order(file, target) {
        Ok(order) => order,
        Err(fault) => return show(&fault),
    };
    assert_eq!(order.last(), Some(&target));
    let mut done = Vec::new();
    for number in order {
        let stage = &graph.stages[number];
        assert!(stage.needs.iter().all(|needed| done.contains(needed)) && !done.contains(&number));
        if let Origin::Stage(base) = stage.base {
            assert!(base < number);
        }
        done.push(number);
    }
}

fn instruction_holds(file: &Dockerfile, arguments: &Arguments, kind: &Kind) {
    let mut scope = Scope::new(&["PATH=/bin".to_owned()]);
    let escape = file.directives.escape;
    let mut word = |word: &Word| {
        let text = &file.source.text[word.span.start..word.span.end];
        // Continued lines and small letters aside.
        assert!(text.len() >= word.text.len() || text.contains('"'), "{word:?} {text:?}");
        if let Err(fault) = scope.word(&file.source, escape, word) {
            show(&fault);
        }
        scope.declare(arguments, &word.text, None);
    };
    match kind {
        Kind::Env(pairs) | Kind::Label(pairs) => pairs.iter().for_each(|(name, value)| {
            word(name);
            word(value);
        }),
        Kind::Arg(declared) => declared.iter().for_each(|(name, _)| word(name)),
        Kind::Workdir(one) | Kind::User(one) | Kind::StopSignal(one) | Kind::Maintainer(one) => word(one),
        Kind::Expose(several) => several.iter().for_each(word),
        Kind::Run(run) => {
            for mount in &run.mounts {
                let spec = mount.read(|text| Ok::<_, MountError>(text.replace('$', "")));
                assert!(spec.is_ok() || mount.text.text.contains('$'), "{mount:?}");
            }
            if let Body::Shell(text) = run.body() {
                assert!(!run.heredocs.is_empty() || !text.is_empty());
            }
        }
        Kind::Copy(copy) => {
            assert!(!copy.sources.is_empty());
            word(&copy.destination);
        }
        // Its escape character is the other file's.
        Kind::OnBuild(delayed) if escape == '\\' && !delayed.text.contains('\\') => {
            let (_, again) = parse::on_build("image", &delayed.text).expect("what was read once");
            assert_eq!(again.text, delayed.instruction.text);
        }
        _ => {}
    }
    let text = format!("{kind:?}");
    let lookup = |name: &str| (name.len() < 3).then(|| "x/y*z".to_owned());
    drop((words::word(&text, '\\', &lookup), words::words(&text, '`', &lookup), words::heredoc(&text, &lookup)));
}

/// Whatever the rules: who is out has nothing below that is in, and all below who is wholly in is in.
pub fn ignore(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let ignore = match Ignore::parse(&Source::new(".dockerignore", text)) {
        Ok(ignore) => ignore,
        Err(fault) => return show(&fault),
    };
    let names = ["a", "b.c", "README.md", "src"];
    let mut waiting = vec![(ignore.root(), Verdict::In, 0)];
    while let Some((directory, verdict, depth)) = waiting.pop() {
        for name in names {
            let (found, below) = ignore.entry(&directory, name);
            assert!(verdict != Verdict::Out || found == Verdict::Out);
            assert!(!directory.is_whole() || found == Verdict::In);
            if depth < 2 {
                waiting.push((below, found, depth + 1));
            }
        }
    }
}
