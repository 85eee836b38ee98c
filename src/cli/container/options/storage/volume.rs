//! `--volume` and `--tmpfs`: from their texts to what is mounted.

use std::path::Path;

use clap::Args;

use crate::cli::Report;
use crate::container::record::{Bind, Container, Tmpfs};

#[derive(Debug, Args)]
#[command(next_help_heading = "Volumes")]
#[group(skip)]
pub struct Flags {
    /// Mount a tmpfs
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// Show a file or directory of this machine in the container; with the option `U` its files become the container's user's,
    /// with `mine` yours are shown as that user's and stay yours
    #[arg(long, short, value_name = "SOURCE:TARGET[:OPTIONS]")]
    volume: Vec<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        container.binds = self.volume.iter().map(|text| bind(text)).collect::<Result<_, _>>()?;
        container.tmpfs = self.tmpfs.iter().map(|text| tmpfs(text)).collect();
        Ok(())
    }
}

/// `SOURCE:TARGET[:OPTIONS]`; volumes by name come with a later version and are named in the error.
fn bind(text: &str) -> Result<Bind, Report> {
    let mut fields = text.split(':');
    let (source, target, options) = match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(source), Some(target), options, None) if !source.is_empty() => {
            (source, target, options.unwrap_or_default())
        }
        _ => {
            return Err(Report::new(format!("`{text}` is not SOURCE:TARGET[:OPTIONS]")));
        }
    };
    if !source.starts_with(['/', '.']) {
        return Err(Report::new(format!("volumes by name, such as `{source}`, are not supported by this version"))
            .hint(format!("for a directory of that name write `./{source}`")));
    }
    if !target.starts_with('/') {
        return Err(Report::new(format!("invalid container path \"{target}\", must be an absolute path")));
    }
    let absolute = std::path::absolute(Path::new(source)).map_err(Report::new)?;
    if let Err(error) = std::fs::metadata(&absolute) {
        return Err(Report::new(format!("statfs {}: {}", absolute.display(), words_of(&error)))
            .hint("a path of this machine must exist before it can be shown in a container"));
    }
    let mut kept = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" | "rw" | "nosuid" | "suid" | "nodev" | "dev" | "noexec" | "exec" | "private" | "rprivate"
            | "slave" | "rslave" | "shared" | "rshared" => kept.push(option.to_owned()),
            "U" if is_precious(&absolute) => {
                return Err(Report::new(format!(
                    "`{}` as a whole can't be given to a container's user",
                    absolute.display()
                ))
                .hint("name a directory in it"));
            }
            "mine" if !absolute.is_dir() => {
                return Err(Report::new(format!("`mine` of `{text}`: only a directory can be shown so"))
                    .hint("name the directory that the file lies in"));
            }
            "U" | "mine" if kept.iter().any(|other| other != option && ["U", "mine"].contains(&other.as_str())) => {
                return Err(Report::new(format!("`U` and `mine` of `{text}` exclude each other")));
            }
            "U" | "mine" => kept.push(option.to_owned()),
            "idmap" => return Err(idmap(text)),
            other if other.starts_with("idmap=") => return Err(idmap(text)),
            // SELinux labels, where there is none; what a bind does anyway.
            "z" | "Z" | "bind" | "rbind" | "nocopy" => {}
            other => {
                return Err(Report::new(format!("the volume option `{other}` of `{text}` is not known")).hint(
                    "`ro`, `rw`, `nosuid`, `nodev`, `noexec`, `rslave`, `rprivate`, `rshared`, `z`, `Z`, `U` and `mine` are",
                ));
            }
        }
    }
    Ok(Bind { source: absolute, target: target.to_owned(), options: kept })
}

/// Whether nobody means all of it when they give its files away.
fn is_precious(path: &Path) -> bool {
    let home = std::env::var_os("HOME").unwrap_or_default();
    std::fs::canonicalize(path).is_ok_and(|path| Path::new(&home).starts_with(path))
}

fn idmap(text: &str) -> Report {
    Report::new(format!("`idmap` of `{text}`: only root can have the kernel show other ids of a directory of the host"))
        .hint("`mine` shows your files as the container's user's, `U` makes them that user's")
}

fn words_of(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn tmpfs(text: &str) -> Tmpfs {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let mut all = vec!["nosuid".to_owned(), "nodev".to_owned(), "noexec".to_owned()];
    for option in options.split(',').filter(|option| !option.is_empty()) {
        all.retain(|kept| kept.trim_start_matches("no") != option);
        all.push(option.to_owned());
    }
    Tmpfs { target: target.to_owned(), options: all }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_flags_become_mounts() {
        assert_eq!(tmpfs("/t:size=1m,exec").options, ["nosuid", "nodev", "size=1m", "exec"]);
        let bound = bind("/tmp:/x:ro,Z").unwrap();
        assert_eq!((bound.target.as_str(), bound.options), ("/x", vec!["ro".to_owned()]));
        assert_eq!(bind("/tmp:/x:U").unwrap().options, ["U"]);
        assert_eq!(bind("/tmp:/x:mine,ro").unwrap().options, ["mine", "ro"]);
        for bad in [
            "/tmp:/x:mine,U",
            "/etc/passwd:/x:mine",
            "/:/x:U",
            "/tmp:/x:idmap",
            "/tmp:/x:idmap=uids=0-1-10",
            "/nowhere-at-all:/x",
            "name:/x",
            "/tmp:x",
            "/tmp:/x:frob",
            "/tmp",
            ":/x",
        ] {
            assert!(bind(bad).is_err(), "{bad}");
        }
    }
}
