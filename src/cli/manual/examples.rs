//! The examples of manual pages. They stand in the file `examples`, and the tests run them.

use crate::cli::output::roff;

/// What may stand in a page: sentences, each with lines below it.
const EXAMPLES: &str = include_str!("examples");

/// The section of the command at `path`. A command that is there twice, as `run` and `container run`, has its examples once.
pub fn section(path: &[String]) -> String {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let (whole, last) = (words.join(" "), words.last().copied().unwrap_or_default());
    let short = match words.as_slice() {
        ["container", "ls"] => "ps",
        ["image", "ls"] => "images",
        ["image", "rm"] => "rmi",
        ["container", "port", name] => return section(&["port".to_owned(), (*name).to_owned()]),
        ["pod", ..] => "pod",
        _ => last,
    };
    let found = [whole.as_str(), short].into_iter().find_map(of);
    found.map(|lines| format!(".SH EXAMPLES\n{}", roff_of(lines))).unwrap_or_default()
}

/// The lines of one command.
fn of(name: &str) -> Option<&'static str> {
    EXAMPLES
        .split("\n\n")
        .filter_map(|part| part.split_once('\n'))
        .find(|(title, _)| *title == name)
        .map(|(_, lines)| lines)
}

fn roff_of(lines: &str) -> String {
    let mut text = String::new();
    let mut is_open = false;
    for line in lines.lines() {
        // A sentence has its first letter as a sentence has it; what is printed does not look so.
        let is_sentence = line.ends_with([':', '.']) && line.starts_with(char::is_uppercase);
        if is_open == is_sentence {
            text.push_str(if is_sentence { ".EE\n.RE\n" } else { ".RS\n.EX\n" });
        }
        if is_sentence && !text.is_empty() {
            text.push_str(".PP\n");
        }
        is_open = !is_sentence;
        text.push_str(&format!("{}\n", roff::escaped(line)));
    }
    if is_open {
        text.push_str(".EE\n.RE\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example() {
        fn look(command: &clap::Command, path: &mut Vec<String>) {
            for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
                path.push(below.get_name().to_owned());
                assert!(!section(path).is_empty(), "no example of {path:?}");
                look(below, path);
                path.pop();
            }
        }
        look(&crate::cli::root::whole(), &mut Vec::new());
    }

    #[test]
    fn sentences_and_lines() {
        let text = roff_of("Say it:\n$ coracle x-y\nhello\nAgain:\n$ z");
        let open = ".RS\n.EX\n";
        let close = ".EE\n.RE\n";
        assert_eq!(text, format!("Say it:\n{open}$ coracle x\\-y\nhello\n{close}.PP\nAgain:\n{open}$ z\n{close}"));
    }
}
