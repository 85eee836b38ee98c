//! A container as lists show it: cells of a table, fields of a template, keys of JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::container::published;
use crate::cli::output::time;
use crate::container::find::{Broken, Found};
use crate::container::mount::shown;
use crate::container::record::Network;
use crate::container::state::{State, Status};

/// The state of a container whose record can't be read.
const BROKEN: &str = "broken";

/// What Go's zero time is in seconds since 1970: never.
const NEVER: i64 = -62_135_596_800;

/// Namespaces of a process: our field, the kernel's name.
pub const NAMESPACES: [(&str, &str); 7] = [
    ("CGROUPNS", "cgroup"),
    ("IPC", "ipc"),
    ("MNT", "mnt"),
    ("NET", "net"),
    ("PIDNS", "pid"),
    ("USERNS", "user"),
    ("UTS", "uts"),
];

/// Bytes of a container: what it wrote, and that with its image.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub written: u64,
    pub whole: u64,
}

/// A row as `--format` sees it: Podman's fields.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    #[serde(rename = "ID")]
    pub id: String,
    pub names: String,
    pub image: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    pub command: String,
    created: String,
    created_at: String,
    pub created_human: String,
    running_for: String,
    started_at: i64,
    pub status: String,
    state: &'static str,
    exit_code: i32,
    exited: bool,
    exited_at: i64,
    pub pid: i32,
    pub ports: String,
    labels: BTreeMap<String, String>,
    mounts: Vec<String>,
    networks: String,
    auto_remove: bool,
    pub size: String,
    restarts: u32,
    pub pod: String,
    pub pod_name: String,
    is_infra: bool,
    #[serde(rename = "CIDFile")]
    id_file: String,
    exposed_ports: BTreeMap<String, Vec<String>>,
    /// By the kernel's names.
    #[serde(rename = "Namespaces")]
    kernel_namespaces: BTreeMap<&'static str, String>,
    /// Those of [`NAMESPACES`], by their fields.
    #[serde(flatten)]
    pub namespaces: BTreeMap<&'static str, String>,
}

/// What is known of a container, and of what was asked about it.
#[derive(Debug)]
pub struct Shown {
    pub found: Found,
    pub state: State,
    pub size: Option<Size>,
}

impl Shown {
    /// `whole`: nothing is cut short.
    pub fn row(&self, whole: bool) -> Row {
        let Found { container, .. } = &self.found;
        let state = &self.state;
        let mut command = container.args().join(" ");
        if !whole && command.chars().count() > 20 {
            command = command.chars().take(17).chain("...".chars()).collect();
        }
        let short = |id: &str| if whole { id.to_owned() } else { id.chars().take(12).collect() };
        let ago = time::ago(seconds(&container.created));
        Row {
            id: short(&container.id),
            names: container.name.clone(),
            image: container.image_name().to_owned(),
            image_id: short(container.image_id()),
            command,
            created: container.created.clone(),
            created_at: container.created.clone(),
            created_human: ago.clone(),
            running_for: ago,
            started_at: moment(&state.started_at),
            status: status(&self.found, state),
            state: state.name(),
            exit_code: exit_code(state),
            exited: state.status == Status::Exited,
            exited_at: moment(&state.finished_at),
            pid: state.living_pids().0,
            restarts: state.restart_count,
            labels: container.labels.clone(),
            mounts: shown::targets(container).into_iter().map(str::to_owned).collect(),
            networks: self.networks().join(","),
            ports: published::cell(container),
            exposed_ports: published::exposed(container),
            auto_remove: container.remove,
            size: self.size.map_or_else(String::new, |size| {
                format!("{} (virtual {})", time::go_size(size.written), time::go_size(size.whole))
            }),
            kernel_namespaces: self.namespaces().into_iter().map(|(_, name, number)| (name, number)).collect(),
            namespaces: self.namespaces().into_iter().map(|(field, _, number)| (field, number)).collect(),
            ..Row::default()
        }
    }

    fn networks(&self) -> Vec<String> {
        let container = &self.found.container;
        match container.network {
            Network::Private => vec![container.network_mode()],
            Network::Named => container.networks.iter().map(|attachment| attachment.network.clone()).collect(),
            Network::None | Network::Host | Network::Joined => Vec::new(),
        }
    }

    /// The numbers of its namespaces, empty where it does not run: our field, the kernel's name, the number.
    fn namespaces(&self) -> Vec<(&'static str, &'static str, String)> {
        let number = |name: &str| {
            if self.state.pid == 0 {
                return String::new();
            }
            let link = std::fs::read_link(format!("/proc/{}/ns/{name}", self.state.pid)).unwrap_or_default();
            link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
        };
        NAMESPACES.into_iter().map(|(field, name)| (field, name, number(name))).collect()
    }

    /// An element of `--format json`: lists and maps stay what they are.
    pub fn object(&self) -> Value {
        let Found { container, .. } = &self.found;
        let state = &self.state;
        let namespaces: BTreeMap<&str, String> = match state.status {
            Status::Running => self.namespaces().into_iter().map(|(_, name, number)| (name, number)).collect(),
            _ => BTreeMap::new(),
        };
        json!({
            "AutoRemove": container.remove,
            "Command": container.args(),
            "Created": seconds(&container.created),
            "CreatedAt": time::ago(seconds(&container.created)),
            "CIDFile": "",
            "Exited": state.status == Status::Exited,
            "ExitedAt": moment(&state.finished_at),
            "ExitCode": exit_code(state),
            "ExposedPorts": if container.exposed_ports.is_empty() { Value::Null } else { json!(published::exposed(container)) },
            "Id": container.id,
            "Image": container.image_name(),
            "ImageID": container.image_id(),
            "IsInfra": false,
            "Labels": if container.labels.is_empty() { Value::Null } else { json!(container.labels) },
            "Mounts": shown::targets(&self.found.container),
            "Names": [&container.name],
            "Namespaces": namespaces,
            "Networks": self.networks(),
            "Pid": state.living_pids().0,
            "Pod": "",
            "PodName": "",
            "Ports": published::objects(container),
            "Restarts": state.restart_count,
            "Size": self.size.map(|size| json!({ "rootFsSize": size.whole, "rwSize": size.written })),
            "StartedAt": moment(&state.started_at),
            "State": state.name(),
            "Status": status(&self.found, state),
        })
    }
}

/// The row of a container whose record can't be read.
pub fn broken(Broken { id, .. }: &Broken, whole: bool) -> Row {
    Row {
        id: if whole { id.clone() } else { id.chars().take(12).collect() },
        status: "Broken".into(),
        state: BROKEN,
        ..Row::default()
    }
}

pub fn broken_object(Broken { id, .. }: &Broken) -> Value {
    json!({ "Id": id, "State": BROKEN, "Status": "Broken" })
}

/// Seconds since 1970.
pub fn seconds(time: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time).map_or(0, |time| time.timestamp())
}

fn moment(time: &str) -> i64 {
    if time.is_empty() { NEVER } else { seconds(time) }
}

/// -1: nobody knows.
fn exit_code(state: &State) -> i32 {
    state.exit_code.unwrap_or(if state.status == Status::Exited { -1 } else { 0 })
}

/// `Up 3 seconds (healthy)`, `Exited (137) 3 seconds ago`; a code that nobody saw is not made up.
fn status(found: &Found, state: &State) -> String {
    match state.status {
        Status::Created => "Created".into(),
        Status::Running if state.paused => "Paused".into(),
        Status::Running if state.is_here() => {
            let health = found.health().ok().flatten().map_or("", |health| health.status.name());
            let health = if health.is_empty() { String::new() } else { format!(" ({health})") };
            format!("Up {}{health}", time::duration(time::now() - seconds(&state.started_at)))
        }
        Status::Running => format!("Up on {}", state.host),
        Status::Exited => match state.exit_code {
            Some(code) => {
                let what = if state.restarting { "Restarting" } else { "Exited" };
                format!("{what} ({code}) {}", time::ago(seconds(&state.finished_at)))
            }
            None => "Exited (unknown)".into(),
        },
    }
}
