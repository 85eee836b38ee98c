//! The file that is to be built: its stages, and what it asks for.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Candidate;
use super::place::Place;
use crate::build::parse::{self, Dockerfile, Kind};

/// The stages that have names.
pub fn stages(place: &Place<'_>) -> Vec<Candidate> {
    let name = |kind: &Kind| match kind {
        Kind::From(from) => Some(Candidate::new(from.name.as_ref()?.text.clone(), format!("FROM {}", from.image.text))),
        _ => None,
    };
    read(place).into_iter().flat_map(|file| file.instructions).filter_map(|one| name(&one.kind)).collect()
}

/// What `--build-arg` can give: `NAME=`.
pub fn arguments(place: &Place<'_>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for instruction in read(place).into_iter().flat_map(|file| file.instructions) {
        let Kind::Arg(all) = instruction.kind else { continue };
        for (name, default) in all {
            let about = default.map(|value| format!("ARG {}={}", name.text, value.text)).unwrap_or_default();
            let candidate = Candidate::new(format!("{}=", name.text), about);
            if !found.iter().any(|other| other.value == candidate.value) {
                found.push(candidate);
            }
        }
    }
    found
}

/// The file that the line names, else that of the context, if it can be read.
fn read(place: &Place<'_>) -> Option<Dockerfile> {
    let context = Path::new(place.given.first().copied().unwrap_or("."));
    let files = match place.said("file") {
        Some(file) => vec![PathBuf::from(file), context.join(file)],
        None => vec![context.join("Containerfile"), context.join("Dockerfile")],
    };
    files.iter().filter(|path| path.is_file()).find_map(|path| {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(parse::LONGEST as u64).read_to_end(&mut bytes).ok()?;
        parse::parse("", &bytes).ok()
    })
}
