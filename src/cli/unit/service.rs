//! What the services of containers have in common.

use super::Made;
use crate::cli::{Report, quadlet};
use crate::systemd::quadlet::Service;

/// Seconds beyond a container's own that a unit gives it to stop.
const MORE_TO_STOP: u32 = 60;

/// How its processes are ended.
fn end(service: &mut Service, stop: u32) {
    service.add("Service", "TimeoutStopSec", &stop.saturating_add(MORE_TO_STOP).to_string());
    service.add("Service", "KillMode", "mixed");
    // A program that its stop signal has ended has not failed.
    service.add("Service", "SuccessExitStatus", "143");
}

/// A service in which the container runs that is there, by its name or ID.
pub fn again(service: &mut Service, made: &Made, called: &str, stop: u32) -> Result<(), Report> {
    end(service, stop);
    // Of what it was made with only the words before the command are said again.
    if let Some(directory) = made.directory.as_ref().filter(|_| !made.global.is_empty()) {
        service.add("Service", "WorkingDirectory", directory);
    }
    // A program that is to say when it is ready may be any, unless its user has said so.
    let ready = made.says_ready.as_ref().is_some_and(|mode| mode != "ignore");
    service.add("Service", "Type", if ready { "notify" } else { "exec" });
    let command = |words: &[&str]| command(&made.global, words);
    service.command("ExecStart", &command(&["start", "--attach", called])?);
    service.command("ExecStop", &command(&["stop", "--ignore", &format!("--time={stop}"), called])?);
    Ok(())
}

/// A service that makes the container for each start, and removes it at its end.
pub fn anew(service: &mut Service, made: Made, name: &str, stop: u32) -> Result<(), Report> {
    end(service, stop);
    let Made { global, flags, image, program, says_ready, directory } = made;
    if let Some(directory) = directory {
        service.add("Service", "WorkingDirectory", &directory);
    }
    let ready = says_ready.unwrap_or_else(|| "conmon".to_owned());
    service.add("Service", "Type", if ready == "ignore" { "exec" } else { "notify" });
    service.add("Service", "Delegate", "yes");
    let own = [format!("--name={name}"), "--replace".to_owned(), "--rm".to_owned()];
    let how = ["--cgroups=split".to_owned(), format!("--sdnotify={ready}")];
    let flags = flags.into_iter().map(|(flag, value)| format!("--{flag}={value}")).collect();
    let start = [command(&global, &["run"])?, own.to_vec(), how.to_vec(), flags, vec![image], program].concat();
    service.command("ExecStart", &start);
    let stop = format!("--time={stop}");
    service.command("ExecStop", &command(&global, &["stop", "--ignore", &stop, name])?);
    let mut last = command(&global, &["rm", "--force", "--ignore", &stop, name])?;
    if let Some(first) = last.first_mut() {
        first.insert(0, '-');
    }
    service.command("ExecStopPost", &last);
    Ok(())
}

fn command(global: &[String], words: &[&str]) -> Result<Vec<String>, Report> {
    let words = words.iter().map(|word| (*word).to_owned());
    Ok([quadlet::program()?].into_iter().chain(global.iter().cloned()).chain(words).collect())
}
