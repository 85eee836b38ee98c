//! What is allowed in the instructions and seldom meant: told before a build, or instead of one.

use std::process::ExitCode;

use super::{Build, Given, inputs};
use crate::build::arguments::Arguments;
use crate::build::checks::{self, Facts, Finding, Rules};
use crate::build::engine::Build as Engine;
use crate::build::graph::Graph;
use crate::cli::{Report, output};
use crate::image::find::find;
use crate::oci::Platform;
use crate::store::Store;

/// So many are told before a build.
const TOLD: usize = 20;
/// Goes before what the file says, as in BuildKit.
const RULES: &str = "BUILDKIT_DOCKERFILE_CHECK";

/// `--check`: nothing is built, pulled or asked for; findings are what is printed.
pub fn only(build: &Build, store: &Store, given: &Given) -> Result<ExitCode, Report> {
    let values = inputs::arguments(&build.build_arg, &build.build_arg_file)?;
    let rules = Rules::of(&given.file, values.get(RULES).map(String::as_str))?;
    let platform = build.from.asked()?.unwrap_or_else(Platform::host);
    let mut arguments = Arguments::new(values, &Platform::host(), &platform, build.target.as_deref());
    arguments.read(&given.file)?;
    let names = build.build_context.iter().filter_map(|word| Some(word.split_once('=')?.0.to_owned()));
    let facts = Facts {
        arguments: &arguments,
        environment: &|name, _| {
            let config = find(store, name).ok()??.config.config;
            config.on_build.is_empty().then_some(config.env)
        },
        contexts: names.collect(),
        is_left_out: &|path| given.context.as_ref().is_some_and(|context| context.leaves_out(path)),
    };
    let findings = checks::find(&given.file, &facts, &rules);
    if !build.quiet {
        findings.iter().for_each(|finding| output::line(&output::printable(&shown(finding))));
    }
    // What no build would begin with is an error here, too, unless it has been told.
    let contexts: Vec<_> = facts.contexts.iter().map(|name| (name.clone(), None)).collect();
    let graph = Graph::new(&given.file, &arguments, &contexts);
    if findings.is_empty() {
        let graph = graph?;
        let target = graph.target(build.target.as_deref()).map_err(crate::build::Error::from)?;
        graph.order(&given.file, target)?;
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Before anything is built.
pub fn before(engine: &Engine<'_>, quiet: bool) -> Result<(), Report> {
    let rules = Rules::of(engine.request.file, engine.request.build_args.get(RULES).map(String::as_str))?;
    let findings = engine.findings(&rules);
    let told = if quiet && !rules.is_error { 0 } else { TOLD };
    findings.iter().take(told).for_each(|finding| output::complain(&output::printable(&finding.to_string())));
    if told > 0 && findings.len() > told {
        output::complain(&format!("and {} more: `--check` tells all", findings.len() - told));
    }
    if rules.is_error && !findings.is_empty() {
        return Err(Report::new("`# check=error=true` takes what was found for an error, so nothing is built")
            .hint("`# check=skip=NAME;error=true` leaves a check out"));
    }
    Ok(())
}

/// With its line below.
fn shown(finding: &Finding) -> String {
    format!("{finding}\n{}", finding.place.excerpt())
}
