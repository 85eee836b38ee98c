//! What an image says of itself may be meant for the terminal of who looks at it: to clear it, to colour it, to type into it.

use crate::behaviour::into::terminal::on_terminal_of;
use crate::harness::image::busybox_layer;
use crate::harness::{Case, Driver, binary};

/// ESC, which begins a command; CSI as one character, which does so too; DEL, BEL and a carriage return.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{7f}\u{7}\rhi";
/// The same, harmless: as text, and as JSON.
const SHOWN: &str = r"\u{1b}[2J\u{9b}31m\u{7f}\u{7}\rhi";
const JSON: &str = r"\u001b[2J\u009b31m\u007f\u0007\rhi";

/// An image, a list and a container whose labels, comments and annotations are hostile.
fn case() -> Case {
    let case = Case::new(Driver::Auto);
    let label = format!("LABEL evil=\"{HOSTILE}\"");
    case.command(["import", "-q", "-c", &label, "-m", HOSTILE, "-", "evil"])
        .stdin(busybox_layer().tar())
        .finish()
        .code(0);
    case.coracle(["manifest", "create", "--annotation", &format!("evil={HOSTILE}"), "list"]).code(0);
    case.coracle(["create", "--name", "evil", "evil", "true"]).code(0);
    case
}

#[test]
fn no_control_character_reaches_a_terminal() {
    let case = case();
    for (line, times) in [
        ("inspect --format '{{.Comment}} {{.Config.Labels}} {{index .Config.Labels \"evil\"}}' -t image evil", 3),
        ("inspect --format '{{json .History}}{{printf \"%s\" .Comment}}' -t image evil", 2),
        ("inspect --format '{{json .Comment}} {{.Comment | printf \"%s\" | printf \"%s\"}}' -t image evil", 2),
        ("inspect -t image evil", 4),
        ("images --format '{{.Labels}}'", 1),
        ("images --format 'table {{.Labels}}'", 1),
        ("images --format '{{range .}}{{.Labels}}{{end}}'", 1),
        ("images --format json", 1),
        ("images --format '{{json .}}'", 1),
        ("history evil", 1),
        ("history --format '{{.Comment}}' evil", 1),
        ("history --format json evil", 1),
        ("image tree evil", 0),
        ("manifest inspect list", 1),
        ("ps -a --format '{{.Labels}}'", 1),
        ("ps -a --format json", 1),
        ("events --stream=false --format '{{.Attributes}}' -f event=create", 1),
        ("events --stream=false --format json -f event=create", 1),
        ("events --stream=false -f event=create", 1),
        ("inspect \"$EVIL\"", 1),
        ("rmi \"$EVIL\"", 1),
    ] {
        let script = format!("{} {line}; echo 'the'' end'", binary().display());
        // Without this program's own colours.
        let environment = [("EVIL", HOSTILE), ("NO_COLOR", "1")];
        let shown = on_terminal_of(&case, &["sh", "-c", &script], &environment).expect("the end");
        let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
        let text = shown.replace("\r\n", "\n");
        assert!(!text.contains(steers), "{line}: {text:?}");
        assert!(text.matches(SHOWN).count() + text.matches(JSON).count() >= times, "{line}: {text}");
    }
}

/// A script gets what is there; and what the user writes into a template is theirs.
#[test]
fn a_pipe_gets_what_is_there() {
    let case = case();
    case.coracle(["images", "--format", "\u{1b}[1m{{.Labels.evil}}", "evil"]).stdout(&format!("\u{1b}[1m{HOSTILE}\n"));
    let script = format!("{} images --format \"$BOLD{{{{.Labels.evil}}}}\" evil", binary().display());
    on_terminal_of(&case, &["sh", "-c", &script], &[("BOLD", "\u{1b}[1m")]).expect(&format!("\u{1b}[1m{SHOWN}"));
}
