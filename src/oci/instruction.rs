//! Changes to an image's config in the words of a Containerfile: `CMD ["a"]`, `ENV A=b`, as `commit --change` takes them
//! (containers/common, Containerfile(5)). A `=` may stand behind the name of the instruction instead of a space.

use serde_json::json;

use super::image_config::RunConfig;

/// What can be changed.
pub const KNOWN: [&str; 10] =
    ["CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"];

/// What a command that is a text and no list is given to.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InstructionError {
    #[error("`{0}` is not a change that can be made to an image: {known} are", known = KNOWN.join(", "))]
    Unknown(String),
    #[error("{0} needs a value")]
    Empty(&'static str),
    #[error("`{word}` of {instruction} is not NAME=VALUE")]
    NotAPair { instruction: &'static str, word: String },
    #[error("`{0}` is not a port: expected `80`, `53/udp` or `8000-8010/tcp`")]
    NotAPort(String),
    #[error("`{0}` is not a signal")]
    NotASignal(String),
    #[error("a quote in `{0}` is not closed")]
    Quote(String),
    #[error("`{0}` has a variable in a form that is not known: `$NAME` and `${{NAME}}` are")]
    Variable(String),
}

type Result<T> = std::result::Result<T, InstructionError>;

/// Makes all changes, in order; a text may hold several, one a line. `is_signal` knows the names of signals.
pub fn apply(config: &mut RunConfig, changes: &[String], is_signal: fn(&str) -> bool) -> Result<()> {
    let mut has_command = false;
    for line in changes.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty()) {
        let end = line.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let known = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| InstructionError::Unknown(line.to_owned()))?;
        let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
        if known == "STOPSIGNAL" && !rest.is_empty() && !is_signal(rest) {
            return Err(InstructionError::NotASignal(rest.to_owned()));
        }
        // The image's command was meant for the image's entry point.
        if known == "ENTRYPOINT" && !has_command {
            config.cmd = None;
        }
        has_command |= known == "CMD";
        one(config, known, rest)?;
    }
    Ok(())
}

fn one(config: &mut RunConfig, name: &'static str, rest: &str) -> Result<()> {
    // An empty list takes away what the image has.
    match name {
        "CMD" => config.cmd = command(config, rest),
        "ENTRYPOINT" => config.entrypoint = command(config, rest),
        _ if rest.is_empty() => return Err(InstructionError::Empty(name)),
        "ENV" => {
            for (key, value) in pairs(config, name, rest)? {
                config.set_env(format!("{key}={value}"));
            }
        }
        "LABEL" => {
            let pairs = pairs(config, name, rest)?;
            config.labels.extend(pairs);
        }
        "EXPOSE" => {
            for word in words(config, rest, true)? {
                config.exposed_ports.insert(port(&word)?, json!({}));
            }
        }
        "VOLUME" => {
            let paths = serde_json::from_str::<Vec<String>>(rest).map_or_else(|_| words(config, rest, true), Ok)?;
            config.volumes.extend(paths.into_iter().map(|path| (path, json!({}))));
        }
        "WORKDIR" => {
            let path = whole(config, rest)?;
            config.working_dir = match path.starts_with('/') {
                true => path,
                false => format!("{}/{path}", config.working_dir.trim_end_matches('/')),
            };
        }
        "USER" => config.user = whole(config, rest)?,
        "STOPSIGNAL" => config.stop_signal = Some(rest.to_owned()),
        "ONBUILD" => config.on_build.push(rest.to_owned()),
        other => return Err(InstructionError::Unknown(other.to_owned())),
    }
    Ok(())
}

/// A JSON list of words, or a line for the shell.
fn command(config: &RunConfig, text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return None;
    }
    let words = serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| {
        let shell = config.shell.clone().unwrap_or_else(|| SHELL.map(str::to_owned).to_vec());
        shell.into_iter().chain([text.to_owned()]).collect()
    });
    (!words.is_empty()).then_some(words)
}

/// `NAME=VALUE …`, or one `NAME VALUE`, whose value goes to the end.
fn pairs(config: &RunConfig, instruction: &'static str, text: &str) -> Result<Vec<(String, String)>> {
    let wrong = |word: &str| InstructionError::NotAPair { instruction, word: word.to_owned() };
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') && !first.starts_with(['"', '\'']) {
        let (key, value) = text.split_once(char::is_whitespace).ok_or_else(|| wrong(text))?;
        return Ok(vec![(key.to_owned(), whole(config, value.trim_start())?)]);
    }
    let pair = |word: String| {
        let pair = word.split_once('=').filter(|(key, _)| !key.is_empty());
        pair.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| wrong(&word))
    };
    words(config, text, true)?.into_iter().map(pair).collect()
}

fn port(text: &str) -> Result<String> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let number = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0) && !text.starts_with('+');
    let is_range = numbers.split('-').count() <= 2 && numbers.split('-').all(number);
    if is_range && ["tcp", "udp", "sctp"].contains(&protocol) {
        Ok(format!("{numbers}/{protocol}"))
    } else {
        Err(InstructionError::NotAPort(text.to_owned()))
    }
}

/// The text as one word.
fn whole(config: &RunConfig, text: &str) -> Result<String> {
    Ok(words(config, text, false)?.pop().unwrap_or_default())
}

/// The text without its quotes and backslashes, its variables replaced; `split` into words at spaces that are neither.
fn words(config: &RunConfig, text: &str, split: bool) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if split && quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('\\', None | Some('"')) => word.extend(chars.next()),
            ('$', None | Some('"')) => {
                let is_braced = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                if name.is_empty() || is_braced && chars.next() != Some('}') {
                    return Err(InstructionError::Variable(text.to_owned()));
                }
                word.push_str(variable(config, &name));
            }
            _ => word.push(c),
        }
    }
    words.extend(word);
    if quote.is_some() { Err(InstructionError::Quote(text.to_owned())) } else { Ok(words) }
}

fn variable<'a>(config: &'a RunConfig, name: &str) -> &'a str {
    let value = |pair: &'a String| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value);
    config.env.iter().find_map(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> Result<RunConfig> {
        let mut config = RunConfig {
            env: vec!["PATH=/bin".into(), "X=y".into()],
            cmd: Some(vec!["sh".into()]),
            working_dir: "/w".into(),
            ..RunConfig::default()
        };
        let changes: Vec<String> = changes.iter().map(|text| (*text).to_owned()).collect();
        apply(&mut config, &changes, |signal| signal == "SIGINT").map(|()| config)
    }

    /// What podman 5.4 makes of the same texts.
    #[test]
    fn each_instruction_has_its_effect() {
        let config = changed(&[
            "CMD [\"a\",\"b\"]",
            "ENTRYPOINT /bin/x y",
            "ENV Q=1 R=\"two words\" PATH=/x:$PATH",
            "EXPOSE 80 443/tcp 53/udp",
            "LABEL k=v \"k two\"=\"v 2\"",
            "ONBUILD RUN x",
            "STOPSIGNAL SIGINT",
            "USER 1000:1000",
            "VOLUME /a /b\nvolume [\"/c\"]",
            "WORKDIR rel",
        ])
        .unwrap();
        let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!((config.cmd, config.entrypoint), (list(&["a", "b"]), list(&["/bin/sh", "-c", "/bin/x y"])));
        assert_eq!(config.env, ["PATH=/x:/bin", "X=y", "Q=1", "R=two words"]);
        assert_eq!(config.exposed_ports.keys().collect::<Vec<_>>(), ["443/tcp", "53/udp", "80/tcp"]);
        assert_eq!(
            config.labels.into_iter().collect::<Vec<_>>(),
            [("k".into(), "v".into()), ("k two".into(), "v 2".into())]
        );
        assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("1000:1000", "/w/rel"));
        assert_eq!(config.volumes.keys().collect::<Vec<_>>(), ["/a", "/b", "/c"]);
        assert_eq!((config.stop_signal.as_deref(), config.on_build), (Some("SIGINT"), vec!["RUN x".to_owned()]));
    }

    #[test]
    fn other_ways_to_say_the_same() {
        let cmd = |change| changed(&[change]).unwrap().cmd.unwrap_or_default();
        assert_eq!(cmd("CMD=/bin/bash"), ["/bin/sh", "-c", "/bin/bash"]);
        assert_eq!(
            (cmd("CMD=[\"x\",\"y\"]"), cmd("cmd []").len(), cmd("CMD").len()),
            (vec!["x".into(), "y".into()], 0, 0)
        );
        assert_eq!(cmd("ENTRYPOINT [\"/e\"]").len(), 0);
        let env = |change| changed(&[change]).unwrap().env.pop().unwrap();
        assert_eq!(
            (env("ENV A B C"), env("ENV=A=zz"), env("ENV A='$X'\\ b")),
            ("A=B C".into(), "A=zz".into(), "A=$X b".into())
        );
        assert_eq!(env("ENV A=${X}z"), "A=yz");
        assert_eq!(changed(&["WORKDIR /tmp"]).unwrap().working_dir, "/tmp");
    }

    #[test]
    fn what_can_not_be_meant_is_an_error() {
        for bad in [
            "RUN x",
            "FROM y",
            "HEALTHCHECK NONE",
            "ENV",
            "ENV A",
            "ENV =b",
            "ENV A=1 B",
            "LABEL a=\"b",
            "USER",
            "EXPOSE abc",
            "EXPOSE 0",
            "EXPOSE 1-2-3",
            "EXPOSE 99999",
            "EXPOSE 80/icmp",
            "STOPSIGNAL nosuch",
            "ENV A=${X:-y}",
            "ENV A=$",
            "ONBUILD ",
        ] {
            assert!(changed(&[bad]).is_err(), "{bad}");
        }
    }
}
