//! The shells: what a script hands over, and how it wants its answer.
//!
//! A script hands the words up to the cursor over, the program's first. What a shell does to words of its own accord stays with it:
//!
//! | shell | handed over | its answer |
//! |---|---|---|
//! | bash | what ends a word for it, and the line as it was typed | the rest of the word, quoted |
//! | zsh | the quote that is open, and words | `.` or ` ` (more may follow, or not), the word, quoted, `:`, a description |
//! | fish, elvish | words | the word, a tab, a description |
//! | powershell | words, the last behind a `=`, since it hands no empty word over | the word, a tab, a description |

use clap::ValueEnum;

use super::Candidate;
use crate::cli::output::printable;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

/// What was typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The program first, the word to complete last.
    pub words: Vec<String>,
    /// So many bytes of the last word the shell leaves out of what it replaces.
    done: usize,
    /// It stands in quotes that are open.
    quoted: bool,
}

/// What bash and zsh take for more than a letter.
const SPECIAL: &str = " \t\"'\\$`&|;<>()[]{}*?!#~^";

impl Shell {
    pub const ALL: [Self; 5] = [Self::Bash, Self::Zsh, Self::Fish, Self::Elvish, Self::Powershell];

    pub fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../../completions/coracle.bash"),
            Self::Zsh => include_str!("../../../completions/_coracle"),
            Self::Fish => include_str!("../../../completions/coracle.fish"),
            Self::Elvish => include_str!("../../../completions/coracle.elv"),
            Self::Powershell => include_str!("../../../completions/coracle.ps1"),
        }
    }

    /// The script's file in `completions/`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Bash => "coracle.bash",
            Self::Zsh => "_coracle",
            Self::Fish => "coracle.fish",
            Self::Elvish => "coracle.elv",
            Self::Powershell => "coracle.ps1",
        }
    }

    /// The shell of this name, and what its script hands over.
    pub fn read(name: &str, given: &[String]) -> Option<(Self, Typed)> {
        let shell = Self::from_str(name, false).ok()?;
        let typed = match (shell, given) {
            (Self::Bash, [breaks, line]) => Typed::line(line, breaks),
            (Self::Zsh, [quote, words @ ..]) => {
                Typed { words: words.to_vec(), quoted: !quote.is_empty(), ..Typed::default() }
            }
            (Self::Powershell, [words @ .., last]) => {
                let last = last.strip_prefix('=')?.to_owned();
                Typed { words: words.iter().cloned().chain([last]).collect(), ..Typed::default() }
            }
            (Self::Fish | Self::Elvish, words) => Typed { words: words.to_vec(), ..Typed::default() },
            _ => return None,
        };
        Some((shell, typed))
    }

    /// The candidates, one a line.
    pub fn answer(self, typed: &Typed, candidates: Vec<Candidate>) -> String {
        let quote = |text: &str| if typed.quoted { text.to_owned() } else { quoted(text) };
        let line = |Candidate { value, about }: Candidate| {
            let about = printable(about.lines().next().unwrap_or_default()).replace('\t', " ");
            match self {
                Self::Bash => quote(value.get(typed.done..).unwrap_or(&value)) + "\n",
                Self::Zsh => {
                    let word = quote(&value).replace('\\', "\\\\").replace(':', "\\:");
                    let more = if goes_on(&value) { '.' } else { ' ' };
                    format!("{more}{word}{}{about}\n", if about.is_empty() { "" } else { ":" })
                }
                _ if about.is_empty() => format!("{value}\n"),
                _ => format!("{value}\t{about}\n"),
            }
        };
        candidates.into_iter().map(line).collect()
    }
}

/// More may follow in the same word.
fn goes_on(value: &str) -> bool {
    value.ends_with(['/', '=', ':', '.', ','])
}

fn quoted(text: &str) -> String {
    // The shell is to know the home directory again, and `{{.Field}}` means no more than itself.
    let (home, rest) = text.split_at(if text.starts_with("~/") { 1 } else { 0 });
    let is_template = rest.starts_with("{{") || rest.starts_with("--") && rest.contains("={{");
    let letter = |c: char| {
        let escape = SPECIAL.contains(c) && !(is_template && matches!(c, '{' | '}'));
        escape.then_some('\\').into_iter().chain([c])
    };
    home.chars().chain(rest.chars().flat_map(letter)).collect()
}

impl Typed {
    /// Takes a line apart as a shell does. `breaks`: letters that end a word for readline (bash(1), COMP_WORDBREAKS), and not for
    /// the shell; what is before the last of them in a word it leaves as it is.
    fn line(line: &str, breaks: &str) -> Self {
        let mut typed = Self { words: vec![String::new()], ..Self::default() };
        let mut open: Option<char> = None;
        let mut letters = line.chars();
        let mut between = true;
        while let Some(c) = letters.next() {
            let Some(word) = typed.words.last_mut() else { break };
            match (open, c) {
                (Some(quote), c) if c == quote => open = None,
                (None, '\'' | '"') => (open, typed.done) = (Some(c), word.len()),
                (None | Some('"'), '\\') => word.extend(letters.next()),
                (None, ' ' | '\t') => {
                    if !between {
                        typed.words.push(String::new());
                    }
                    typed.done = 0;
                    between = true;
                    continue;
                }
                _ => {
                    word.push(c);
                    if open.is_none() && breaks.contains(c) {
                        typed.done = word.len();
                    }
                }
            }
            between = false;
        }
        typed.quoted = open.is_some();
        typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_as_bash_does() {
        let read = |line: &str| {
            let typed = Typed::line(line, " \t\n\"'@><=;|&(:");
            (typed.words.join("|"), typed.done, typed.quoted)
        };
        let is = |words: &str, done, quoted| (words.to_owned(), done, quoted);
        assert_eq!(read("coracle start  "), is("coracle|start|", 0, false));
        assert_eq!(read("coracle run localhost:5000/bu"), is("coracle|run|localhost:5000/bu", 10, false));
        assert_eq!(read("coracle run --network=po"), is("coracle|run|--network=po", 10, false));
        assert_eq!(read("coracle ps --format '{{.N"), is("coracle|ps|--format|{{.N", 0, true));
        assert_eq!(read(r"coracle load -i a\ b"), is("coracle|load|-i|a b", 0, false));
        assert_eq!(read(r#"coracle load -i "a b" "#), is("coracle|load|-i|a b|", 0, false));
    }

    #[test]
    fn a_template_means_no_more_than_itself() {
        assert_eq!(quoted("{{.A}}"), "{{.A}}");
        assert_eq!(quoted("--format={{.A}}"), "--format={{.A}}");
        assert_eq!(quoted("a={{b,c}}"), r"a=\{\{b,c\}\}");
    }

    #[test]
    fn answers_are_as_each_shell_wants_them() {
        let candidates = || vec![Candidate::new("a:b/c d", "what it is"), Candidate::new("~/x/", "")];
        let typed = Typed { done: 2, ..Typed::default() };
        assert_eq!(Shell::Bash.answer(&typed, candidates()), "b/c\\ d\nx/\n");
        assert_eq!(Shell::Zsh.answer(&typed, candidates()), " a\\:b/c\\\\ d:what it is\n.~/x/\n");
        assert_eq!(Shell::Fish.answer(&typed, candidates()), "a:b/c d\twhat it is\n~/x/\n");
    }
}
