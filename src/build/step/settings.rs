//! Instructions that change the image's config alone.

use serde_json::json;

use crate::build::parse::{Command, HealthCheck, Instruction, Kind, OnBuild, Word};
use crate::build::stage::{Stage, WorkingDirectory};
use crate::build::{Error, Result};
use crate::oci::image_config::Healthcheck;

// flat: one arm an instruction
pub fn set(stage: &mut Stage<'_>, instruction: &Instruction) -> Result<()> {
    let text = match &instruction.kind {
        Kind::Env(pairs) => {
            let pairs = expanded(stage, pairs)?;
            for (name, value) in &pairs {
                stage.scope.set(name, value);
                stage.config.config.set_env(format!("{name}={value}"));
            }
            check_environment(&stage.config.config.env)?;
            format!("ENV {}", joined(&pairs))
        }
        Kind::Label(pairs) => {
            let pairs = expanded(stage, pairs)?;
            let text = format!("LABEL {}", joined(&pairs));
            stage.config.config.labels.extend(pairs);
            text
        }
        Kind::Arg(arguments) => {
            let mut texts = Vec::new();
            for (name, default) in arguments {
                let name = stage.word(name)?;
                let default = default.as_ref().map(|word| stage.word(word)).transpose()?;
                texts.push(match &default {
                    Some(default) => format!("{name}={default}"),
                    None => name.clone(),
                });
                stage.scope.declare(&stage.build.arguments, &name, default);
            }
            format!("ARG {}", texts.join(" "))
        }
        Kind::Workdir(path) => {
            let path = stage.word(path)?;
            let path = stage.absolute(&path);
            stage.config.config.working_dir.clone_from(&path);
            let user = stage.config.config.user.clone();
            stage.pending = Some(WorkingDirectory { path: path.clone(), user });
            format!("WORKDIR {path}")
        }
        Kind::User(user) => {
            stage.config.config.user = stage.word(user)?;
            format!("USER {}", stage.config.config.user)
        }
        Kind::Expose(words) => {
            let mut ports = Vec::new();
            for word in stage.words(words)?.iter().flat_map(|word| word.split_whitespace()) {
                let port = port(word).ok_or_else(|| {
                    Error::Refused(format!("`{word}` is not a port: expected `80`, `53/udp` or `8000-8010/tcp`"))
                })?;
                stage.config.config.exposed_ports.insert(port.clone(), json!({}));
                ports.push(port);
            }
            format!("EXPOSE {}", ports.join(" "))
        }
        Kind::Volume(paths) => {
            let paths = stage.words(paths)?;
            for path in &paths {
                stage.config.config.volumes.insert(path.clone(), json!({}));
            }
            format!("VOLUME {}", json!(paths))
        }
        Kind::Cmd(command) => {
            stage.config.config.cmd = Some(stage.command(command));
            stage.has_command = true;
            format!("CMD {}", json!(stage.config.config.cmd))
        }
        Kind::Entrypoint(command) => {
            // The image's command was meant for the image's entry point.
            if !stage.has_command {
                stage.config.config.cmd = None;
            }
            let words = stage.command(command);
            stage.config.config.entrypoint = Some(words).filter(|words| !words.is_empty());
            format!("ENTRYPOINT {}", json!(stage.config.config.entrypoint))
        }
        Kind::Shell(words) => {
            stage.config.config.shell = Some(words.clone());
            format!("SHELL {}", json!(words))
        }
        Kind::StopSignal(signal) => {
            let signal = stage.word(signal)?;
            if !(stage.build.request.is_signal)(&signal) {
                return Err(Error::Refused(format!("`{signal}` is not a signal")));
            }
            stage.config.config.stop_signal = Some(signal.clone());
            format!("STOPSIGNAL {signal}")
        }
        Kind::HealthCheck(check) => {
            let check = health(check);
            let text = format!("HEALTHCHECK {}", json!(check));
            stage.config.config.healthcheck = Some(check);
            text
        }
        Kind::OnBuild(OnBuild { text, .. }) => {
            stage.config.config.on_build.push(text.clone());
            format!("ONBUILD {text}")
        }
        Kind::Maintainer(name) => {
            let name = stage.word(name)?;
            let text = format!("MAINTAINER {name}");
            stage.config.author = Some(name);
            text
        }
        // What makes a layer is done elsewhere, and a FROM begins a stage.
        Kind::From(_) | Kind::Run(_) | Kind::Copy(_) | Kind::Add(_) => return Ok(()),
    };
    stage.note(nop(text));
    Ok(())
}

/// Bytes of one variable with its name, and of all: execve(2) takes 128 KiB for each string, and a quarter of the stack's
/// limit, 8 MiB as a rule, for the environment and the words of a command.
const VARIABLE: usize = (128 << 10) - 1;
const VARIABLES: usize = 1 << 20;

/// Refuses what no program could be started with.
pub fn check_environment(env: &[String]) -> Result<()> {
    let name = |pair: &String| pair.split('=').next().unwrap_or_default().chars().take(80).collect::<String>();
    let text = match env.iter().find(|pair| pair.len() > VARIABLE) {
        Some(pair) => {
            let (name, length) = (name(pair), pair.len());
            format!(
                "the variable `{name}` has {length} bytes, and the kernel starts no program with more than {VARIABLE}"
            )
        }
        None => {
            let all: usize = env.iter().map(|pair| pair.len() + 1).sum();
            if all <= VARIABLES {
                return Ok(());
            }
            format!("the variables have {all} bytes together, and no program is started with more than {VARIABLES}")
        }
    };
    Err(Error::Hinted { text, hint: "a text of that length goes into a file: by COPY, or a heredoc of COPY".into() })
}

/// As the history has had it since Docker's first versions: nothing was run.
pub fn nop(text: String) -> String {
    format!("/bin/sh -c #(nop) {text}")
}

fn expanded(stage: &Stage<'_>, pairs: &[(Word, Word)]) -> Result<Vec<(String, String)>> {
    pairs.iter().map(|(name, value)| Ok((stage.word(name)?, stage.word(value)?))).collect()
}

fn joined(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn health(check: &HealthCheck) -> Healthcheck {
    let HealthCheck::Check { interval, timeout, start_period, start_interval, retries, command } = check else {
        return Healthcheck { test: vec!["NONE".into()], ..Healthcheck::default() };
    };
    let nanoseconds = |time: &Option<std::time::Duration>| time.and_then(|time| i64::try_from(time.as_nanos()).ok());
    let test = match command {
        Command::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
        Command::Exec(words) => std::iter::once("CMD".to_owned()).chain(words.iter().cloned()).collect(),
    };
    Healthcheck {
        test,
        interval: nanoseconds(interval),
        timeout: nanoseconds(timeout),
        start_period: nanoseconds(start_period),
        start_interval: nanoseconds(start_interval),
        retries: retries.map(i64::from),
        ..Healthcheck::default()
    }
}

/// With its protocol.
fn port(text: &str) -> Option<String> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let number = |text: &str| text.parse::<u16>().ok();
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let fits = number(first)? <= number(last)? && ["tcp", "udp", "sctp"].contains(&protocol.as_str());
    fits.then(|| format!("{range}/{protocol}"))
}
