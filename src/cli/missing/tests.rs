//! Every command and flag of Podman's and Docker's is here, or refused in words.

use clap::Command;

/// As their own help lists them: `command, command: flag flag`, of which a line that begins with spaces is the rest.
const PODMAN: &str = include_str!("podman");
const DOCKER: &str = include_str!("docker");

/// Commands, and the flags of each of them.
fn listed(text: &str) -> Vec<(String, Vec<String>)> {
    let joined = text.replace("\n    ", " ");
    let lines = joined.lines().filter_map(|line| line.rsplit_once(':'));
    let of_line = |(commands, flags): (&str, &str)| {
        let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
        commands.split(", ").map(|command| (command.to_owned(), flags.clone())).collect::<Vec<_>>()
    };
    lines.flat_map(of_line).collect()
}

/// Whether there is such a flag, by whichever of its names.
fn has(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|arg| match flag.strip_prefix("--") {
        Some(name) => arg.get_long() == Some(name) || arg.get_all_aliases().unwrap_or_default().contains(&name),
        None => {
            let name = flag.chars().next_back();
            arg.get_short() == name
                || name.is_some_and(|name| arg.get_all_short_aliases().unwrap_or_default().contains(&name))
        }
    })
}

/// What is wrong with a command and its flags.
fn wrong(root: &Command, line: &str, flags: &[String]) -> Vec<String> {
    let mut command = root;
    let mut path = Vec::new();
    for word in line.split(' ') {
        let Some(below) = command.find_subcommand(word) else {
            let above = path.last().copied();
            let told = above.and_then(|above| super::why_below(above, word)).or_else(|| super::why(word));
            return told.is_none().then(|| format!("there is no {line}")).into_iter().collect();
        };
        path.push(below.get_name());
        command = below;
    }
    let tell = |flag: &String| match (has(command, flag), super::why_flag(&path, flag)) {
        (true, None) | (false, Some(_)) => None,
        (true, Some(_)) => Some(format!("{line} {flag} is here, and refused")),
        (false, None) => Some(format!("{line} {flag} is neither here nor refused")),
    };
    flags.iter().filter_map(tell).collect()
}

#[test]
fn every_command_and_flag_is_there_or_refused_in_words() {
    let root = crate::cli::root::whole();
    let listed: Vec<_> = [PODMAN, DOCKER].into_iter().flat_map(listed).collect();
    assert!(listed.len() > 250, "{} commands", listed.len());
    let wrong: Vec<String> = listed.iter().flat_map(|(line, flags)| wrong(&root, line, flags)).collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
