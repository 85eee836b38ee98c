//! What a build is given: files, contexts, arguments, secrets.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::given;
use crate::build::Source;
use crate::build::context::Context;
use crate::build::engine::Named;
use crate::build::ignore::{self, Ignore};
use crate::build::parse::{self, Dockerfile};
use crate::build::remote;
use crate::cli::Report;
use crate::registry::Patience;
use crate::store::Store;

/// Looked for in the context, in this order.
pub const FILES: [&str; 2] = ["Containerfile", "Dockerfile"];
/// Bytes of an ignore file.
pub const LONGEST: u64 = 1 << 20;
/// How a context that is an image begins.
const IMAGES: [&str; 3] = ["docker-image://", "container-image://", "docker://"];
/// Bytes of a secret, as BuildKit allows them.
const SECRET: u64 = 500 << 10;

/// The instructions, and the file that they stand in, if they stand in one.
pub fn instructions(files: &[PathBuf], context: Option<&Path>) -> Result<(Dockerfile, Option<PathBuf>), Report> {
    let path = match files {
        [] => {
            let context = context.ok_or_else(|| {
                Report::new("there is neither a build context nor a file of instructions")
                    .hint("`coracle build DIRECTORY`, with a Containerfile or a Dockerfile in it, or `-f FILE`")
            })?;
            FILES.map(|name| context.join(name)).into_iter().find(|path| path.is_file()).ok_or_else(|| {
                Report::new(format!("no Containerfile or Dockerfile is in `{}`", context.display()))
                    .hint("`-f FILE` names one that lies elsewhere or has another name")
            })?
        }
        [file] => file.clone(),
        _ => return Err(Report::new("only one `--file` can be built")),
    };
    if path.as_os_str() == "-" {
        return Ok((parse::parse("standard input", &read(std::io::stdin().lock())?)?, None));
    }
    if let Some(text) = path.to_str().filter(|text| text.contains("://")) {
        return Err(Report::new(format!("`{text}` is no file: instructions are not fetched from other machines"))
            .hint("fetch it first, as with `curl -fsSLO`, look at it, and name the file"));
    }
    // As Podman: from here, else from the context.
    let inside = context.map(|context| context.join(&path)).filter(|inside| !path.exists() && inside.exists());
    let path = inside.unwrap_or(path);
    let file = std::fs::File::open(&path)
        .map_err(|error| Report::new(format!("`{}` can't be read: {}", path.display(), words(&error))))?;
    let bytes = read(file).map_err(|report| Report {
        messages: report.messages.iter().map(|m| format!("`{}`: {m}", path.display())).collect(),
        ..report
    })?;
    let name = path.file_name().unwrap_or_default().display().to_string();
    Ok((parse::parse(&name, &bytes)?, Some(path)))
}

/// One byte more than are allowed, so that the parser tells of too many.
pub fn read(from: impl Read) -> Result<Vec<u8>, Report> {
    let mut bytes = Vec::new();
    from.take(parse::LONGEST as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Report::new(format!("the instructions can't be read: {}", words(&error))))?;
    Ok(bytes)
}

/// A directory with what its ignore file, or the one beside the instructions, leaves of it.
pub fn context(path: &Path, asked: Option<&Path>, instructions: Option<&Path>) -> Result<Context, Report> {
    let places = asked.map_or_else(|| ignore::places(instructions, path), |asked| vec![asked.to_owned()]);
    let ignore = match places.iter().find(|place| asked.is_some() || place.is_file()) {
        Some(place) => self::ignore(place)?,
        None => Ignore::default(),
    };
    let path = std::fs::canonicalize(path).map_err(|error| {
        Report::new(format!("the build context `{}` can't be read: {}", path.display(), words(&error)))
    })?;
    if !path.is_dir() {
        return Err(Report::new(format!("the build context `{}` is not a directory", path.display()))
            .hint("`coracle build -f FILE DIRECTORY`"));
    }
    Ok(Context::open(&path, ignore)?)
}

/// `NAME=DIRECTORY`, or an address, or an image as Docker and Podman write it.
pub fn contexts(words: &[String], store: &Store, patience: Patience) -> Result<BTreeMap<String, Named>, Report> {
    let mut contexts = BTreeMap::new();
    for word in words {
        let (name, place) = word.split_once('=').ok_or_else(|| malformed("build-context", word, "NAME=DIRECTORY"))?;
        let image = IMAGES.iter().find_map(|scheme| place.strip_prefix(scheme));
        let named = match image.filter(|image| !image.is_empty()) {
            Some(image) => Named::Image(image.to_owned()),
            None if remote::is_remote(place) => Named::Files(given::fetched(store, patience, place)?),
            None if place.contains("://") => {
                return Err(Report::new(format!("`--build-context={word}`: that kind of address is not known"))
                    .hint("a directory, `https://…`, a repository of git, or `docker-image://NAME`"));
            }
            None => Named::Files(context(Path::new(place), None, None)?),
        };
        contexts.insert(name.to_owned(), named);
    }
    Ok(contexts)
}

/// What an ignore file leaves out.
pub fn ignore(place: &Path) -> Result<Ignore, Report> {
    let mut text = String::new();
    std::fs::File::open(place)
        .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
        .map_err(|error| Report::new(format!("`{}` can't be read: {}", place.display(), words(&error))))?;
    Ok(Ignore::parse(&Source::new(place.file_name().unwrap_or_default().display().to_string(), text))?)
}

/// `NAME=VALUE`, or `NAME` for the environment's.
pub fn arguments(words: &[String], files: &[PathBuf]) -> Result<BTreeMap<String, String>, Report> {
    let mut arguments = BTreeMap::new();
    let mut lines = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Report::new(format!("`{}` can't be read: {}", path.display(), self::words(&error))))?;
        lines.extend(
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
    }
    for word in lines.iter().chain(words) {
        match word.split_once('=') {
            Some((name, value)) => drop(arguments.insert(name.to_owned(), value.to_owned())),
            None => {
                if let Ok(value) = std::env::var(word) {
                    arguments.insert(word.clone(), value);
                }
            }
        }
    }
    Ok(arguments)
}

/// `NAME=VALUE` of labels and annotations; without `=`, an empty value.
pub fn pairs(words: &[String]) -> BTreeMap<String, String> {
    let pair = |word: &String| {
        word.split_once('=').map_or((word.clone(), String::new()), |(name, value)| (name.into(), value.into()))
    };
    words.iter().map(pair).collect()
}

/// `id=NAME[,src=FILE|,env=VARIABLE][,type=file|env]`.
pub fn secrets(words: &[String]) -> Result<BTreeMap<String, Vec<u8>>, Report> {
    let mut secrets = BTreeMap::new();
    for word in words {
        let (mut id, mut source, mut variable, mut kind) = (None, None, None, None);
        for field in word.split(',') {
            let (key, value) = field.split_once('=').unwrap_or((field, ""));
            match key {
                "id" => id = Some(value),
                "src" | "source" => source = Some(value),
                "env" => variable = Some(value),
                "type" if ["file", "env"].contains(&value) => kind = Some(value),
                _ => return Err(malformed("secret", word, "id=NAME,src=FILE")),
            }
        }
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| malformed("secret", word, "id=NAME,src=FILE"))?;
        if kind == Some("env") {
            variable = variable.or(source.take());
        }
        // Without either, a variable of that name, else a file.
        let variable = variable.or((source.is_none() && std::env::var_os(id).is_some()).then_some(id));
        let bytes = match variable {
            Some(name) => std::env::var_os(name)
                .ok_or_else(|| Report::new(format!("the variable `{name}` for the secret `{id}` is not set")))?
                .into_encoded_bytes(),
            None => {
                let path = source.unwrap_or(id);
                let mut bytes = Vec::new();
                std::fs::File::open(path).and_then(|file| file.take(SECRET + 1).read_to_end(&mut bytes)).map_err(
                    |error| Report::new(format!("the secret `{id}`: `{path}` can't be read: {}", self::words(&error))),
                )?;
                bytes
            }
        };
        if bytes.len() as u64 > SECRET {
            return Err(Report::new(format!("the secret `{id}` has more than the {SECRET} bytes that are allowed")));
        }
        secrets.insert(id.to_owned(), bytes);
    }
    Ok(secrets)
}

/// `default`, `ID`, `ID=SOCKET`: sockets of agents.
pub fn agents(words: &[String]) -> Result<BTreeMap<String, PathBuf>, Report> {
    let mut agents = BTreeMap::new();
    for word in words {
        let (id, path) =
            word.split_once('=').map_or((word.as_str(), None), |(id, path)| (id, Some(PathBuf::from(path))));
        let path = path.or_else(|| std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from));
        let path = path.ok_or_else(|| {
            Report::new(format!("`--ssh {word}`: no agent runs, SSH_AUTH_SOCK is not set"))
                .hint("`eval $(ssh-agent)`, then `ssh-add`")
        })?;
        let is_socket =
            std::fs::metadata(&path).is_ok_and(|data| std::os::unix::fs::FileTypeExt::is_socket(&data.file_type()));
        if !is_socket {
            return Err(Report::new(format!("`--ssh {word}`: `{}` is no agent's socket", path.display()))
                .hint("keys are given by an agent: `ssh-add FILE`, then `--ssh default`"));
        }
        agents.insert(id.to_owned(), path);
    }
    Ok(agents)
}

fn malformed(flag: &str, word: &str, expected: &str) -> Report {
    Report::new(format!("`--{flag}={word}`: expected `{expected}`"))
}

fn words(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}
