//! `--userns` and what goes with it: which ids a container gets.

mod id_maps;

use std::os::fd::AsFd;
use std::path::Path;

use clap::Args;

use crate::cli::Report;
use crate::container::find::find;
use crate::container::namespace::Namespace;
use crate::container::record::Container;
use crate::container::user_namespace::{self, Asked, UserNamespace};
use crate::host::lock::Lock;
use crate::host::subid::{self, Extent, IdMaps};
use crate::overlay::open_directory;
use crate::runtime::identity::{Accounts, Login};
use crate::store::Store;

/// The modes that give a container the account's namespace as it is.
const HOST: [&str; 2] = ["", "host"];

#[derive(Debug, Args)]
#[command(next_help_heading = "User namespace")]
#[group(skip)]
pub struct Flags {
    /// Map group ids: a group of the container to one of yours; may be given several times
    #[arg(long, value_name = "CONTAINER:FROM[:AMOUNT]")]
    gidmap: Vec<String>,
    /// Map the subordinate group ids of this account, which is to be named: as `--userns=nomap`
    #[arg(long, value_name = "NAME")]
    subgidname: Option<String>,
    /// Map the subordinate user ids of this account, which is to be named: as `--userns=nomap`
    #[arg(long, value_name = "NAME")]
    subuidname: Option<String>,
    /// Map user ids: a user of the container to one of yours; may be given several times
    #[arg(long, value_name = "CONTAINER:FROM[:AMOUNT]")]
    uidmap: Vec<String>,
    /// `host`: you are root inside; `keep-id`: you are yourself; `auto`: ids that no other container has; `nomap`: all but yours;
    /// `container:NAME`: that container's
    #[arg(long, value_name = "MODE[:OPTIONS]")]
    userns: Option<String>,
}

impl Flags {
    /// Gives a container its ids, and with `keep-id` its user unless the user or the image has named one. The lock, where there
    /// is one, is to be held until the container is on disk.
    pub fn settle(&self, store: &Store, container: &mut Container, user_given: bool) -> Result<Option<Lock>, Report> {
        let maps_given = !(self.uidmap.is_empty() && self.gidmap.is_empty());
        let mode = self.mode()?;
        let named = mode.strip_prefix("container:");
        // What is another's namespace can be used with its user namespace alone.
        let joined = container.namespaces.containers().next().filter(|_| !maps_given && self.userns.is_none());
        if let Some(name) = named.or(joined) {
            let shared = find(store, name)?.container;
            container.namespaces.user = Some(shared.namespaces.user.unwrap_or(shared.id));
            container.user_namespace = shared.user_namespace;
            return Ok(None);
        }
        if container.namespaces.pid != Namespace::Private && container.namespaces.pid != Namespace::Host {
            return Err(Report::new("the pid namespace of a container can't be used with other ids than its own")
                .hint("leave `--userns`, `--uidmap` and `--gidmap` out: the ids are those of that container"));
        }
        if !maps_given && HOST.contains(&mode.as_str()) {
            return Ok(None);
        }
        let account = IdMaps::of_account()?;
        let asked = match maps_given {
            true => Asked::Maps(id_maps::maps(&self.uidmap, &self.gidmap, &account)?),
            false => asked(&mode)?,
        };
        let lock = matches!(asked, Asked::Auto { .. }).then(|| store.lock_ids()).transpose()?;
        let user = container.user.split(':').next().and_then(|user| user.parse::<u32>().ok()).unwrap_or(0);
        let maps = asked.maps(
            &account,
            || user_namespace::taken(store, &account),
            || user_namespace::estimate(store, container.mode, &container.layers, user.saturating_add(1)),
        )?;
        let login = match asked {
            Asked::KeepId { uid, gid, .. } => Some(login(uid, gid, container)?),
            _ => None,
        };
        if let Some(Login { uid, gid, .. }) = login {
            // The image's user stays, where there is an id for them.
            if container.user.is_empty() || (account.is_single() && !user_given) {
                container.user = format!("{uid}:{gid}");
            }
            container.additional_groups.push(gid.to_string());
        }
        container.user_namespace = Some(UserNamespace { mode, maps, login });
        Ok(lock)
    }

    /// What `--userns` or else the environment says; nothing where the maps are given.
    fn mode(&self) -> Result<String, Report> {
        let names: Vec<&String> = [&self.subuidname, &self.subgidname].into_iter().flatten().collect();
        for name in &names {
            check_own(name)?;
        }
        let given = !(self.uidmap.is_empty() && self.gidmap.is_empty());
        match &self.userns {
            Some(mode) if (given || !names.is_empty()) && !mode.is_empty() => {
                Err(Report::new("--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive"))
            }
            Some(mode) => Ok(mode.clone()),
            // Those that are chosen among all the same.
            None if given => Ok(String::new()),
            None if !names.is_empty() => Ok("nomap".to_owned()),
            None => Ok(std::env::var("PODMAN_USERNS").unwrap_or_default()),
        }
    }
}

/// Whether the ranges of this name are the account's own: nobody may map those of others.
fn check_own(name: &str) -> Result<(), Report> {
    let uid = rustix::process::getuid().as_raw();
    if name == uid.to_string() || subid::account_name(uid)?.as_deref() == Some(name) {
        return Ok(());
    }
    Err(Report::new(format!("the ranges of `{name}` can't be mapped: containers of this account have its own"))
        .hint("`--uidmap` and `--gidmap` choose among those, by their host ids with `@`"))
}

fn asked(mode: &str) -> Result<Asked, Report> {
    let (name, options) = mode.split_once(':').unwrap_or((mode, ""));
    match (name, options) {
        ("nomap", "") => Ok(Asked::NoMap),
        ("keep-id", options) => keep_id(options),
        ("auto", options) => auto(options),
        ("ns", _) => Err(Report::new(format!("the user namespace `{mode}` can't be entered by its path"))
            .hint("`--userns=container:NAME` enters that of a container")),
        _ => Err(Report::new(format!("unrecognized namespace mode {mode} passed"))
            .hint("`host`, `keep-id`, `auto`, `nomap` and `container:NAME` are known")),
    }
}

/// The options of a mode: `key=value`, separated by commas.
fn pairs(options: &str) -> impl Iterator<Item = (&str, &str)> {
    let options = options.split(',').filter(|option| !option.is_empty());
    options.map(|option| option.split_once('=').unwrap_or((option, "")))
}

fn unknown(key: &str) -> Report {
    Report::new(format!("unknown option specified: \"{key}\""))
}

/// An id, or how many; none is larger.
fn number(text: &str) -> Result<u32, Report> {
    let number = text.parse().ok().filter(|number| *number < i32::MAX as u32);
    number
        .ok_or_else(|| Report::new(format!("parsing \"{text}\": invalid syntax")).hint("expected a number, from 0 on"))
}

fn keep_id(options: &str) -> Result<Asked, Report> {
    let (mut uid, mut gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let mut size = None;
    for (key, value) in pairs(options) {
        match key {
            "uid" => uid = number(value)?,
            "gid" => gid = number(value)?,
            "size" => size = Some(number(value)?).filter(|size| *size > 0),
            key => return Err(unknown(key)),
        }
    }
    Ok(Asked::KeepId { uid, gid, size })
}

fn auto(options: &str) -> Result<Asked, Report> {
    let mut size = None;
    let mut fixed = IdMaps { uids: Vec::new(), gids: Vec::new() };
    for (key, value) in pairs(options) {
        match key {
            "size" => size = Some(number(value)?).filter(|size| *size > 0),
            "uidmapping" => fixed.uids.push(extent(value)?),
            "gidmapping" => fixed.gids.push(extent(value)?),
            key => return Err(unknown(key)),
        }
    }
    Ok(Asked::Auto { size, fixed })
}

/// `CONTAINER:FROM:AMOUNT`.
fn extent(text: &str) -> Result<Extent, Report> {
    let fields = text.split(':').map(number).collect::<Result<Vec<_>, _>>()?;
    match *fields.as_slice() {
        [inside, outside, count] if count > 0 && inside.max(outside) < i32::MAX as u32 - count => {
            Ok(Extent { inside, outside, count })
        }
        _ => Err(Report::new(format!("`{text}` is not CONTAINER:FROM:AMOUNT"))),
    }
}

/// The caller, as the container is to know them. At home where their home is shown, else in the working directory.
fn login(uid: u32, gid: u32, container: &Container) -> Result<Login, Report> {
    let (own_uid, own_gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let accounts = Accounts::read(open_directory("/").map_err(Report::new)?.as_fd())?;
    let name = match accounts.user(own_uid) {
        Some((name, _)) => Some(name.to_owned()),
        None => subid::account_name(own_uid)?,
    };
    let name = name.filter(|_| uid == own_uid);
    let group = accounts.group(own_gid).filter(|_| gid == own_gid);
    let home = std::env::var("HOME").unwrap_or_default();
    let shown = container.mounts.iter().any(|mount| Path::new(&home).starts_with(&mount.target));
    Ok(Login {
        name: name.unwrap_or_else(|| uid.to_string()),
        full_name: String::new(),
        group: group.map_or_else(|| gid.to_string(), str::to_owned),
        uid,
        gid,
        home: if shown { home } else { container.working_dir.clone() },
    })
}
