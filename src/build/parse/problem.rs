//! What can be wrong with a Containerfile, in words, and what would help.

use super::instruction::KNOWN;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0} bytes are too many for instructions: {most} at most", most = super::LONGEST)]
    TooLong(usize),
    #[error("more than {most} instructions", most = super::MOST)]
    TooMany,
    #[error("this is no text: a byte that is not UTF-8")]
    NotText,
    #[error("this is no text: a NUL")]
    Nul,
    #[error("there are no instructions")]
    Empty,
    #[error("there is no FROM")]
    NoFrom,
    #[error("{0} before the first FROM")]
    BeforeFrom(&'static str),
    #[error("unknown instruction `{0}`")]
    Unknown(String),
    #[error("the heredoc `{0}` has no end")]
    OpenHeredoc(String),
    #[error("a second `# {0}=`")]
    DirectiveAgain(String),
    #[error("`{0}` means nothing to `# check=`")]
    Check(String),
    #[error("`{0}` can't be the escape character")]
    Escape(String),
    #[error("{instruction} has no flag `--{flag}`")]
    UnknownFlag { instruction: &'static str, flag: String, known: &'static [&'static str] },
    #[error("`--{0}` is given twice")]
    FlagTwice(String),
    #[error("`--{0}` needs a value")]
    FlagNeeds(&'static str),
    #[error("`--{flag}={value}`: expected {expected}")]
    FlagValue { flag: &'static str, value: String, expected: &'static str },
    #[error("no variables stand in `--{0}`")]
    FlagVariable(&'static str),
    #[error("{instruction} needs {what}")]
    Needs { instruction: &'static str, what: &'static str },
    #[error("{instruction} takes no more than {what}")]
    Excess { instruction: &'static str, what: &'static str },
    #[error("`{0}` is not NAME=VALUE")]
    NotAPair(String),
    #[error("a name is empty")]
    NoName,
    #[error("the list has something that is no string")]
    NotStrings,
    #[error("SHELL needs a list: `[\"program\", \"argument\"]`")]
    NotAList,
    #[error("expected `AS NAME`, and not `{0}`")]
    NotAs(String),
    #[error("`{0}` can't be the name of a stage")]
    StageName(String),
    #[error("expected `CMD` or `NONE`, and not `{0}`")]
    HealthCheck(String),
    #[error("{0} can't be what ONBUILD delays")]
    OnBuild(&'static str),
    #[error("`{word}` is empty, or no name")]
    NoImage {
        word: String,
        /// A variable in it that has no value.
        unset: Option<String>,
    },
    #[error("there is no stage of the number {0}")]
    StageNumber(String),
    #[error("the stages need each other: {}", .0.join(", "))]
    Circle(Vec<String>),
    #[error("a `!` with nothing behind it")]
    EmptyRule,
    #[error("more than {0} rules")]
    TooManyRules(usize),
    #[error(transparent)]
    Pattern(#[from] crate::build::pattern::PatternError),
    #[error(transparent)]
    Word(#[from] crate::build::words::WordError),
    #[error(transparent)]
    Mount(#[from] super::mount::MountError),
}

impl Problem {
    /// What would help.
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::TooLong(_) => "is it the right file? What is large belongs into the context, for COPY",
            Self::NotText | Self::Nul => "is it the right file? Instructions are text in UTF-8",
            Self::Empty | Self::NoFrom | Self::BeforeFrom(_) => {
                "an image begins with `FROM IMAGE`, or `FROM scratch`; only ARG may stand above"
            }
            Self::Unknown(word) => return unknown(word),
            Self::OpenHeredoc(name) => return Some(heredoc(name)),
            Self::Check(_) => "as in `# check=skip=NAME,NAME;error=true`, or `skip=all`",
            Self::Escape(_) => "`\\` can be, and a backquote",
            Self::UnknownFlag { flag, known, instruction } => return flags(flag, known, instruction),
            Self::FlagNeeds(_) => "a value stands behind a `=`, without spaces",
            Self::FlagVariable("from") => "name a stage: `FROM $IMAGE AS name`, then `--from=name`",
            Self::NotAPair(_) => "a value with spaces needs quotes: `name=\"a value\"`",
            Self::NotAList => "as in `SHELL [\"/bin/bash\", \"-c\"]`",
            Self::NotStrings => "each word needs double quotes: `[\"sleep\", \"5\"]`",
            Self::StageName(_) => "a letter, then letters, digits, `_`, `-` and `.`",
            Self::HealthCheck(_) => "as in `HEALTHCHECK CMD curl -f http://localhost/`",
            Self::Needs { instruction: "FROM", .. } => "`FROM scratch` begins with nothing",
            Self::Needs { instruction: "COPY" | "ADD", .. } => "as in `COPY SOURCE... DESTINATION`; `.` is the context",
            Self::NoImage { unset: Some(name), .. } => {
                return Some(format!(
                    "`ARG {name}=VALUE` above the first FROM gives it one, and so does `--build-arg {name}=VALUE` with an `ARG {name}` there"
                ));
            }
            Self::StageNumber(_) => "the numbers of stages begin with 0; a name is better: `FROM IMAGE AS NAME`",
            Self::Circle(_) => "what both need belongs into a stage of its own",
            Self::EmptyRule => "`!PATTERN` takes back in what a line above leaves out",
            Self::Pattern(error) => return error.hint(),
            Self::Word(error) => return error.hint(),
            Self::Mount(error) => return error.hint(),
            _ => return None,
        };
        Some(fixed.to_owned())
    }
}

fn unknown(word: &str) -> Option<String> {
    let capitals = word.to_ascii_uppercase();
    if let Some(near) = near(&capitals, &KNOWN) {
        return Some(format!("did you mean `{near}`?"));
    }
    Some("a command of the shell needs RUN before it, and a line that goes on a `\\` at its end".to_owned())
}

fn heredoc(name: &str) -> String {
    let bare = name.split(['>', '|', ';', '&', ')']).next().unwrap_or_default();
    if bare != name && !bare.is_empty() {
        return format!("the name goes up to the next space: `{bare} {}`", &name[bare.len()..]);
    }
    format!("a line with `{name}` alone ends it, with nothing before or behind (`<<-` allows tabs before)")
}

fn flags(flag: &str, known: &[&str], instruction: &str) -> Option<String> {
    if let Some(near) = near(flag, known) {
        return Some(format!("did you mean `--{near}`?"));
    }
    if known.is_empty() {
        return Some(format!("{instruction} has no flags; a word that begins so can be in a list: `[\"--{flag}\"]`"));
    }
    let known: Vec<String> = known.iter().map(|flag| format!("`--{flag}`")).collect();
    Some(format!("there are {}", known.join(", ")))
}

/// The one that is most like it, if any is.
pub fn near<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|known| (strsim::damerau_levenshtein(wanted, known), *known));
    let (distance, best) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + best.len() / 4 && distance < best.len().min(wanted.len())).then_some(best)
}
