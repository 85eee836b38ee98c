//! Every parser of what comes from outside, each with what must hold whatever it is given: no panic, its limits, and what its
//! result promises. cargo-fuzz runs these bodies by the hour (`main.rs`), the ordinary tests for a second (`mod.rs`).

mod archive;
mod build;
mod documents;
mod packets;
mod tables;
mod units;

/// A target: its name, the folder of its seeds, its body.
pub type Target = (&'static str, &'static str, fn(&[u8]));

pub const ALL: [Target; 23] = [
    ("tar_stream", "archive", archive::tar_stream),
    ("unpack", "archive", archive::unpack),
    ("pack", "archive", archive::pack),
    ("manifest", "manifest", documents::manifest),
    ("image_config", "image_config", documents::image_config),
    ("image_index", "manifest", documents::image_index),
    ("reference", "reference", documents::reference),
    ("credentials", "credentials", documents::credentials),
    ("accounts", "accounts", tables::accounts),
    ("subordinate_ids", "subordinate_ids", tables::subordinate_ids),
    ("resolv", "resolv", tables::resolv),
    ("hosts", "hosts", tables::hosts),
    ("template", "template", documents::template),
    ("configuration", "configuration", documents::configuration),
    ("registries", "registries", documents::registries),
    ("policy", "policy", documents::policy),
    ("seccomp", "seccomp", documents::seccomp),
    ("devices", "devices", documents::devices),
    ("question", "question", packets::question),
    ("packet", "packet", packets::packet),
    ("quadlet", "quadlet", units::quadlet),
    ("containerfile", "containerfile", build::containerfile),
    ("ignore", "ignore", build::ignore),
];

/// Gives `bytes` to the target of that name.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, _, body) = ALL.into_iter().find(|(target, ..)| *target == name).expect("a target of that name");
    body(bytes);
}

/// A folder of this process's own.
fn scratch(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("coracle-fuzz-{}-{name}", std::process::id()));
    coracle::host::change::create_dirs(&path).unwrap();
    path
}
