//! What a Containerfile says, instruction by instruction. Words are kept as they are written: variables and quotes are for
//! [`crate::build::words`], once it is known which variables there are.

use std::time::Duration;

use super::heredoc::Heredoc;
use super::mount::Mount;
use crate::build::source::{Source, Span};

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    pub source: Source,
    pub directives: Directives,
    /// At least one, and the first that is no ARG is a FROM.
    pub instructions: Vec<Instruction>,
}

impl Dockerfile {
    /// Has its first stage begin with another image than its FROM says.
    pub fn begin_with(&mut self, image: &str) {
        let first = self.instructions.iter_mut().find_map(|instruction| match &mut instruction.kind {
            Kind::From(from) => Some(from),
            _ => None,
        });
        if let Some(from) = first {
            from.image.text = image.to_owned();
        }
    }
}

/// `# name=value` above everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// What makes the next character an ordinary one, and at the end of a line joins the next one: `\` or a backquote.
    pub escape: char,
    /// Which program should read the file: noted, and without effect.
    pub syntax: Option<Word>,
    /// What [`crate::build::checks`] are to look at.
    pub check: Option<Word>,
}

impl Default for Directives {
    fn default() -> Self {
        Self { escape: '\\', syntax: None, check: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    pub kind: Kind,
    /// Its lines, heredocs included.
    pub span: Span,
    /// The number of its first line, from 1.
    pub line: usize,
    /// As written, in one line: continued lines joined, comments between them left out, heredocs' contents not included.
    pub text: String,
    /// Where the first empty line between its lines stands.
    pub gap: Option<Span>,
}

/// A word, with what it was in the source. Quotes, escapes and variables still stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    pub text: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    From(From),
    Run(Run),
    Copy(Copy),
    Add(Add),
    /// Names and values; a value that goes to the end of the line (`ENV name the value`) is one word with its spaces.
    Env(Vec<(Word, Word)>),
    Arg(Vec<(Word, Option<Word>)>),
    Workdir(Word),
    User(Word),
    Label(Vec<(Word, Word)>),
    /// Ports and ranges, `80`, `53/udp`, `8000-8010`; a word may expand to several.
    Expose(Vec<Word>),
    Volume(Vec<Word>),
    Cmd(Command),
    Entrypoint(Command),
    Shell(Vec<String>),
    StopSignal(Word),
    HealthCheck(HealthCheck),
    OnBuild(OnBuild),
    Maintainer(Word),
}

impl Kind {
    /// The instruction's name, in capitals.
    pub fn name(&self) -> &'static str {
        match self {
            Self::From(_) => "FROM",
            Self::Run(_) => "RUN",
            Self::Copy(_) => "COPY",
            Self::Add(_) => "ADD",
            Self::Env(_) => "ENV",
            Self::Arg(_) => "ARG",
            Self::Workdir(_) => "WORKDIR",
            Self::User(_) => "USER",
            Self::Label(_) => "LABEL",
            Self::Expose(_) => "EXPOSE",
            Self::Volume(_) => "VOLUME",
            Self::Cmd(_) => "CMD",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Shell(_) => "SHELL",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::HealthCheck(_) => "HEALTHCHECK",
            Self::OnBuild(_) => "ONBUILD",
            Self::Maintainer(_) => "MAINTAINER",
        }
    }
}

/// `FROM [--platform=PLATFORM] IMAGE [AS NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    pub image: Word,
    pub platform: Option<Word>,
    /// In small letters.
    pub name: Option<Word>,
}

/// What is run: by a shell, or as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Shell(String),
    /// May be empty.
    Exec(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub mounts: Vec<Mount>,
    pub network: RunNetwork,
    pub security: Security,
    /// `--device`, as written.
    pub devices: Vec<Word>,
    pub command: Command,
    pub heredocs: Vec<Heredoc>,
}

/// `RUN --network=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunNetwork {
    #[default]
    Default,
    None,
    Host,
}

/// `RUN --security=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    #[default]
    Sandbox,
    Insecure,
}

/// What a RUN does, its heredocs taken into account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A text for the shell.
    Shell(String),
    Exec(Vec<String>),
    /// A file that says by its first line (`#!…`) what runs it.
    Script {
        name: String,
        content: String,
    },
}

impl Run {
    /// A heredoc that is all of the command is what the shell runs, or a file of its own if it begins with `#!`; any other is the
    /// shell's to read.
    pub fn body(&self) -> Body {
        let line = match &self.command {
            Command::Exec(words) => return Body::Exec(words.clone()),
            Command::Shell(line) => line,
        };
        match self.heredocs.as_slice() {
            [] => Body::Shell(line.clone()),
            [only] if only.word == line.trim() => {
                let content = only.text();
                if content.starts_with("#!") {
                    Body::Script { name: only.name.clone(), content }
                } else {
                    Body::Shell(content)
                }
            }
            several => {
                let ends = several.iter().map(|one| format!("\n{}{}", one.content, one.name));
                Body::Shell(std::iter::once(line.clone()).chain(ends).collect())
            }
        }
    }
}

/// `COPY`, and what ADD has in common with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copy {
    /// At least one.
    pub sources: Vec<CopySource>,
    pub destination: Word,
    /// A stage's name or number, an image or a build context; only COPY has it, and no variables stand in it.
    pub from: Option<Word>,
    pub chown: Option<Word>,
    pub chmod: Option<Word>,
    pub parents: bool,
    pub link: bool,
    /// Patterns of what is left out.
    pub excludes: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopySource {
    /// A pattern, or what ADD fetches.
    Path(Word),
    /// A file that bears the heredoc's name.
    Heredoc(Heredoc),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Add {
    pub copy: Copy,
    pub checksum: Option<Word>,
    pub keep_git_dir: bool,
    /// `None`: archives of the context are unpacked, those fetched are not.
    pub unpack: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthCheck {
    /// The image's is taken away.
    None,
    Check {
        interval: Option<Duration>,
        timeout: Option<Duration>,
        start_period: Option<Duration>,
        start_interval: Option<Duration>,
        retries: Option<u32>,
        command: Command,
    },
}

/// What is done where the image is built upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnBuild {
    /// As the image's config has it, heredocs included.
    pub text: String,
    pub instruction: Box<Instruction>,
}
