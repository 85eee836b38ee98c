//! Steps that are shared by way of a registry.

use super::Context;
use crate::harness::Case;
use crate::harness::image::registry;

fn steps_come_from_a_registry(case: &Case) {
    let repository = format!("{}/build/steps-{}", registry(), case.driver.name());
    let unique = std::process::id();
    let instructions = format!("FROM IMAGE\nRUN echo {unique} >/x\nCOPY input /\nENV A=1\nRUN echo y >/y\n");
    let (to, from) = (format!("--cache-to={repository}"), format!("--cache-from={repository}"));
    let context = Context::new(case, &instructions);
    context.file("input", "input\n");
    let made = context.build(&[&to, &from]).code(0);
    assert!(!made.stdout.contains("Using cache"), "{made}");
    let names = case.coracle(["images", "--format", "{{.Repository}}"]).code(0).stdout;
    assert!(!names.contains("/steps-"), "{names}");
    // On another machine, or after all was forgotten: nothing is run.
    case.coracle(["rmi", "-af"]).code(0);
    case.coracle(["builder", "prune", "-af"]).code(0);
    let recalled = context.build(&[&from]).code(0);
    assert_eq!(recalled.stdout.matches("Using cache").count(), 3, "{recalled}");
    assert_eq!(context.prints("cat /x /input /y"), format!("{unique}\ninput\ny\n"));
    let names = case.coracle(["images", "--format", "{{.Repository}}"]).code(0).stdout;
    assert!(!names.contains("/steps-"), "{names}");
    case.coracle(["system", "check"]).code(0);
    // What is remembered here is given away, too; what nobody has is made.
    context.file("input", "other\n");
    let part = context.build(&["--cache-from=localhost:1/nowhere", &from, "--retry=0"]).code(0);
    assert_eq!(part.stdout.matches("Using cache").count(), 1, "{part}");
    context.build(&[&to]).code(0);
    case.coracle(["builder", "prune", "-af"]).code(0);
    let recalled = context.build(&[&format!("--cache-from=type=registry,ref={repository}:any")]).code(0);
    assert_eq!(recalled.stdout.matches("Using cache").count(), 3, "{recalled}");
    let anew = context.build(&[&from, "--no-cache"]).code(0);
    assert!(!anew.stdout.contains("Using cache"), "{anew}");
    let refused = context.build(&["--cache-to=localhost:1/nowhere", "--retry=0"]).code(125);
    assert!(
        refused.stderr.contains("Containerfile:2:1: the step can't be pushed to `localhost:1/nowhere`"),
        "{refused}"
    );
    context.build(&[&format!("{from}:tag")]).code(125).error("has neither tag nor digest");
    let warned = context.build(&["--cache-to=type=inline"]).code(0);
    assert!(warned.stderr.contains("nothing is kept in `inline` here"), "{warned}");
}

on_both_drivers!(steps_come_from_a_registry);
