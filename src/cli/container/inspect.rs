//! `inspect`: everything about containers, and about images where no container has the name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::container::Error;
use crate::container::find::{self, Found};
use crate::container::mount::shown;
use crate::container::record::{Container, Rlimit};
use crate::container::state::Status;
use crate::container::watch::health::Check;
use crate::host::subid::{Extent, IdMaps};
use crate::store::Store;

/// Show everything about containers or images
#[derive(Debug, Args)]
pub struct Inspect {
    /// `container`, `image`, or `all`: whatever has the name
    #[arg(long = "type", short = 't', value_name = "TYPE", default_value = "all", hide_default_value = true)]
    kind: String,
    #[command(flatten)]
    common: InspectContainer,
}

/// Show everything about containers
#[derive(Debug, Args)]
pub struct InspectContainer {
    /// `json`, or a Go template
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<String>,
    /// Names or IDs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let (containers, images) = match self.kind.as_str() {
            "all" | "" => (true, true),
            "container" => (true, false),
            "image" => (false, true),
            other => {
                return Err(
                    Report::new(format!("the type `{other}` is not known")).hint("`container`, `image` and `all` are")
                );
            }
        };
        self.common.show(&context.store()?, containers, images)
    }
}

impl InspectContainer {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        self.show(&context.store()?, true, false)
    }

    fn show(&self, store: &Store, containers: bool, images: bool) -> Result<ExitCode, Report> {
        let mut shown: Vec<Value> = Vec::new();
        let mut failed: Option<Report> = None;
        for name in &self.names {
            match one(store, name, containers, images) {
                Ok(value) => shown.push(value),
                Err(report) => match &mut failed {
                    Some(failed) => failed.join(report),
                    None => failed = Some(report),
                },
            }
        }
        match self.format.as_deref() {
            None | Some("json") => output::print(&format::json(&shown)?),
            Some(text) => output::print(&Template::parse("inspect", text)?.each(&shown)?),
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}

fn one(store: &Store, name: &str, containers: bool, images: bool) -> Result<Value, Report> {
    if containers {
        match find::find(store, name) {
            Ok(found) => return container(store, &found),
            Err(Error::NotFound(_)) if images => {}
            Err(error) => return Err(error.into()),
        }
    }
    match crate::image::inspect::inspect(store, name)? {
        Some(image) => serde_json::to_value(image).map_err(Report::new),
        None => Err(Report::new(format!("no such object: \"{name}\""))),
    }
}

fn path_or_empty(path: &Option<PathBuf>) -> &Path {
    path.as_deref().unwrap_or(Path::new(""))
}

fn id_mappings(maps: &IdMaps) -> Value {
    let lines = |extents: &[Extent]| -> Vec<String> {
        extents.iter().map(|Extent { inside, outside, count }| format!("{inside}:{outside}:{count}")).collect()
    };
    json!({ "UidMap": lines(&maps.uids), "GidMap": lines(&maps.gids) })
}

/// Those of the user, and the mode of the user namespace, where Podman has it.
fn annotations(container: &Container) -> BTreeMap<&str, &str> {
    let own = container.user_namespace.as_ref().map(|own| ("io.podman.annotations.userns", own.mode.as_str()));
    container.annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(own).collect()
}

fn ulimit(Rlimit { name, soft, hard }: &Rlimit) -> Value {
    // -1: none.
    json!({ "Name": format!("RLIMIT_{}", name.to_uppercase()), "Soft": *soft as i64, "Hard": *hard as i64 })
}

/// Podman's keys, as far as this version has the things.
// flat: a table of keys
fn container(store: &Store, found: &Found) -> Result<Value, Report> {
    let container = &found.container;
    let state = found.state()?;
    let path = |file: &str| found.directory.join(file);
    let running = state.status == Status::Running;
    let args = container.args();
    let capabilities: Vec<String> = container.capabilities.iter().map(|capability| capability.name()).collect();
    Ok(json!({
        "Id": container.id,
        "ID": container.id,
        "Created": container.created,
        "Path": args.first(),
        "Args": args.get(1..).unwrap_or_default(),
        "State": {
            "OciVersion": "1.2.0",
            "Status": state.status.name(),
            "Running": running,
            "Paused": false,
            "Restarting": state.restarting,
            "OOMKilled": false,
            "Dead": false,
            "Pid": if running { state.pid } else { 0 },
            "ConmonPid": if state.lives() { state.monitor_pid } else { 0 },
            "ExitCode": state.exit_code.unwrap_or(if state.status == Status::Exited { -1 } else { 0 }),
            "ExitCodeKnown": state.exit_code.is_some() || state.status != Status::Exited,
            "Error": state.error,
            "StartedAt": state.started_at,
            "FinishedAt": state.finished_at,
            "Host": state.host,
            "Health": found.health()?,
        },
        "Image": container.image_id(),
        "ImageDigest": container.image.as_ref().map_or_else(String::new, |image| image.manifest.to_string()),
        "ImageName": container.image_name(),
        "Rootfs": container.rootfs.as_ref().map_or(Path::new(""), |rootfs| &rootfs.path),
        "ResolvConfPath": path("resolv.conf"),
        "HostnamePath": path("hostname"),
        "HostsPath": path("hosts"),
        "StaticDir": found.directory,
        "Name": container.name,
        "UseImageHosts": container.image_hosts,
        "UseImageHostname": container.image_hostname,
        "RestartCount": state.restart_count,
        "PidFile": path_or_empty(&container.pid_file),
        "ConmonPidFile": path_or_empty(&container.monitor_pid_file),
        "Driver": "overlay",
        "BoundingCaps": capabilities,
        "EffectiveCaps": capabilities,
        "GraphDriver": {
            "Name": "overlay",
            "Data": { "Driver": state.driver, "Reason": state.driver_reason, "UpperDir": path("upper"), "WorkDir": path("work") },
        },
        "Mounts": shown::mounts(container, store),
        "NetworkSettings": { "Ports": {}, "Networks": {} },
        "Config": config(container),
        "HostConfig": host_config(found),
    }))
}

/// Under the keys of images; what is 0 is left out, as there.
fn check(check: &Check) -> Value {
    let numbers = [
        ("StartPeriod", check.start_period),
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("Retries", check.retries.into()),
        ("Successes", check.successes.into()),
    ];
    let numbers = numbers.into_iter().filter(|(_, number)| *number > 0).map(|(key, number)| (key, json!(number)));
    [("Test", json!(check.test))].into_iter().chain(numbers).collect()
}

fn config(container: &Container) -> Value {
    json!({
        "Hostname": container.hostname,
        "User": container.user,
        "Tty": container.terminal,
        "OpenStdin": container.interactive,
        "Env": container.env,
        "Cmd": container.command,
        "Entrypoint": container.entrypoint,
        "Image": container.image_name(),
        "WorkingDir": container.working_dir,
        "Labels": container.labels,
        "StopSignal": container.stop_signal,
        "StopTimeout": container.stop_timeout,
        "Timeout": container.timeout,
        "Healthcheck": container.health.as_ref().map(|health| check(&health.check)),
        "StartupHealthCheck": container.health.as_ref().and_then(|health| health.startup.as_ref()).map(check),
        "HealthcheckOnFailureAction": container.health.as_ref().map_or("none", |health| health.on_failure.name()),
        "HealthLogDestination": container.health.as_ref().map_or(Path::new("local"), |health| health.log_destination()),
        "HealthcheckMaxLogCount": container.health.as_ref().map(|health| health.max_log_count),
        "HealthcheckMaxLogSize": container.health.as_ref().map(|health| health.max_log_size),
        "Annotations": annotations(container),
        "ExposedPorts": container.exposed_ports.iter().map(|port| (port.clone(), json!({}))).collect::<serde_json::Map<_, _>>(),
        "Timezone": container.time_zone.as_deref().unwrap_or_default(),
        "Passwd": container.introductions.is_some(),
        "Umask": format!("{:04o}", container.umask),
        "CreateCommand": container.create_command,
    })
}

fn host_config(found: &Found) -> Value {
    let container = &found.container;
    json!({
        "AutoRemove": container.remove,
        "Init": container.init.is_some(),
        "RestartPolicy": { "Name": container.restart.name(), "MaximumRetryCount": container.restart.most() },
        "Privileged": container.privileged,
        "ReadonlyRootfs": container.read_only,
        "NetworkMode": container.network.name(),
        "UsernsMode": if container.user_namespace.is_some() { "private" } else { "" },
        "IDMappings": container.user_namespace.as_ref().map(|own| id_mappings(&own.maps)),
        "Binds": shown::binds(container),
        "Tmpfs": shown::tmpfs(container),
        "ShmSize": container.shm_size,
        "DiskQuota": container.quota.unwrap_or(0),
        "ExtraHosts": container.add_hosts,
        "Dns": container.resolver.servers,
        "DnsOptions": container.resolver.options,
        "DnsSearch": container.resolver.searches,
        "GroupAdd": container.additional_groups,
        "OomScoreAdj": container.oom_score_adj.unwrap_or(0),
        "SecurityOpt": container.security_options,
        "Ulimits": container.rlimits.iter().map(ulimit).collect::<Vec<_>>(),
        "LogConfig": {
            "Type": container.log.driver.name(),
            "Path": container.log.file(&found.directory).path,
            "Tag": container.log.tag,
            "Size": container.log.max_size.map_or("0B".to_owned(), output::time::size),
        },
    })
}
