//! `info`: this machine, this account and the store, under the keys of `podman info`.
//!
//! It takes no lock and starts nothing, so it answers whatever else goes on; secrets are not in it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::version;
use crate::cli::container::options::network::DefaultMaker;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, yaml};
use crate::cli::{Context, Report};
use crate::container::log::LogDriver;
use crate::container::record::Driver;
use crate::host::kernel::cgroup::Cgroups;
use crate::host::subid::{Extent, IdMaps};
use crate::host::systemd;
use crate::host::{kernel, lock, selinux, system_file};
use crate::network::pasta;
use crate::network::way::Maker;
use crate::oci::capability::CapabilitySet;
use crate::overlay::probe::Probed;
use crate::registry::registries;
use crate::store::{Layout, Store};

/// Show facts about this machine, this account and the store
#[derive(Debug, Args)]
pub struct Info {
    /// Print as `json`, or by a Go template: '{{.Store.GraphRoot}}'
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    #[command(flatten)]
    network: DefaultMaker,
}

impl Info {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let helper = pasta::find(&self.network.default_helper_folder).unwrap_or_default();
        let info = info(context, self.network.get()?.unwrap_or_default(), &helper)?;
        match self.format.as_deref() {
            None => output::print(&yaml::yaml(&info)),
            Some("json") => output::print(&format::json(&info)?),
            Some(text) => output::print(&Template::parse("info", text)?.each(&[go_names(&info)])?),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn info(context: &Context, way: Maker, helper: &Path) -> Result<Value, Report> {
    Ok(json!({
        "host": host(way, helper),
        "plugins": plugins(),
        "registries": registries(),
        "store": store(context)?,
        "version": version::client(),
    }))
}

/// For templates.
pub fn fields(context: &Context) -> Result<Value, Report> {
    info(context, Maker::default(), Path::new("")).map(|info| go_names(&info))
}

fn host(way: Maker, helper: &Path) -> Value {
    let memory = kernel::memory();
    let distribution = kernel::distribution();
    let groups = Cgroups::of_account();
    let executable = std::env::current_exe().unwrap_or_default();
    json!({
        "arch": version::arch(),
        "cgroupControllers": groups.controllers,
        // Groups are entered, not made.
        "cgroupManager": maker(&groups),
        "cgroupVersion": if groups.is_v2 { "v2" } else { "v1" },
        "cpus": std::thread::available_parallelism().map_or(1, usize::from),
        "distribution": {
            "codename": distribution.codename,
            "distribution": distribution.id,
            "version": distribution.version,
        },
        "eventLogger": "file",
        "hostname": kernel::host_name(),
        "idMappings": id_mappings(),
        "kernel": kernel::release(),
        "logDriver": LogDriver::default().name(),
        "memFree": memory.free,
        "memTotal": memory.total,
        "networkBackend": way.name(),
        "ociRuntime": { "name": "coracle", "path": executable, "version": env!("CARGO_PKG_VERSION") },
        "os": "linux",
        "pasta": { "executable": helper },
        "remoteSocket": { "exists": false, "path": "" },
        "rootlessNetworkCmd": way.name(),
        "security": security(),
        "serviceIsRemote": false,
        "swapFree": memory.swap_free,
        "swapTotal": memory.swap_total,
        "uptime": uptime(kernel::uptime()),
    })
}

/// Who makes the control groups of containers, where nobody has asked for one.
pub fn maker(groups: &Cgroups) -> &'static str {
    match (groups.is_v2, groups.delegated.is_some()) {
        (true, _) if systemd::has_bus() => "systemd",
        (true, true) => "cgroupfs",
        _ => "none",
    }
}

/// What `--log-driver` and `volume create --driver` take.
fn plugins() -> Value {
    json!({ "authorization": null, "log": LogDriver::ALL.map(LogDriver::name), "network": ["bridge"], "volume": ["local"] })
}

/// Where short names of images are looked for. A file that can't be read is told to who looks for one.
fn registries() -> Value {
    let search = registries::of_account().map(|registries| registries.search().to_vec()).unwrap_or_default();
    if search.is_empty() { json!({}) } else { json!({ "search": search }) }
}

fn security() -> Value {
    let capabilities: Vec<String> = CapabilitySet::DEFAULT.into();
    json!({
        "apparmorEnabled": false,
        "capabilities": capabilities.join(","),
        "rootless": !rustix::process::getuid().is_root(),
        "seccompEnabled": true,
        "selinuxEnabled": selinux::is_enabled(),
    })
}

/// The ids that a container has, as they would be mapped now.
fn id_mappings() -> Value {
    let list = |extents: &[Extent]| -> Value {
        let one =
            |extent: &Extent| json!({ "container_id": extent.inside, "host_id": extent.outside, "size": extent.count });
        extents.iter().map(one).collect()
    };
    match IdMaps::of_account() {
        Ok(maps) => json!({ "gidmap": list(&maps.gids), "uidmap": list(&maps.uids) }),
        // The reason is `doctor`'s to tell.
        Err(_) => json!({ "gidmap": [], "uidmap": [] }),
    }
}

fn uptime(seconds: u64) -> String {
    format!("{}h {}m {}.00s", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn store(context: &Context) -> Result<Value, Report> {
    let dirs = context.dirs()?;
    let layout = Layout::new(&dirs);
    // A store that does not exist is not made by asking.
    let images = if layout.root().exists() { Store::open(&dirs)?.images()?.len() } else { 0 };
    let (running, stopped) = count_containers(&layout.containers());
    let (allocated, used) = space(layout.root());
    Ok(json!({
        "containerStore": { "number": running + stopped, "paused": 0, "running": running, "stopped": stopped },
        "graphDriverName": "overlay",
        "graphOptions": {},
        "graphRoot": layout.root(),
        "graphRootReason": dirs.moved.as_deref().unwrap_or("the account's data directory, or what `--root` names"),
        "graphRootAllocated": allocated,
        "graphRootUsed": used,
        "graphStatus": driver(context, &layout)?,
        "imageStore": { "number": images },
        "runRoot": layout.run(),
        "transientStore": false,
        "volumePath": layout.volumes(),
    }))
}

/// How a container would be mounted now, why, and what the first start after boot found out.
fn driver(context: &Context, layout: &Layout) -> Result<Value, Report> {
    let boot_id = system_file::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let probed = Probed::remembered(&layout.probe(), boot_id.trim());
    let (driver, reason) = match (context.driver()?.unwrap_or(Driver::Auto), &probed) {
        (Driver::Kernel, _) => ("kernel", "asked for"),
        (Driver::Fuse, _) => ("fuse", "asked for"),
        (Driver::Auto, Some(probed)) => (if probed.works { "kernel" } else { "fuse" }, probed.reason.as_str()),
        (Driver::Auto, None) => ("auto", "not tried since this machine started: the next container will"),
    };
    let mut status = json!({ "Driver": driver, "Reason": reason });
    if let (Some(probed), Some(status)) = (&probed, status.as_object_mut()) {
        status.insert("Kernel overlay".to_owned(), probed.works.to_string().into());
        status.extend(
            probed.abilities.list().map(|(name, has)| (format!("Kernel overlay: {name}"), has.to_string().into())),
        );
    }
    Ok(status)
}

/// Running and other containers. A container is alive while someone holds its lock.
fn count_containers(directory: &Path) -> (usize, usize) {
    let mut counts = (0, 0);
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match lock::is_held(&entry.path().join("lock")) {
            Ok(true) => counts.0 += 1,
            _ => counts.1 += 1,
        }
    }
    counts
}

/// Size and use in bytes of the file system that the store is on, or would be.
fn space(root: &Path) -> (u64, u64) {
    let there = root.ancestors().find_map(|directory| rustix::fs::statvfs(directory).ok());
    there.map_or((0, 0), |stat| {
        (stat.f_blocks * stat.f_frsize, stat.f_blocks.saturating_sub(stat.f_bfree) * stat.f_frsize)
    })
}

/// The same with the names that templates know, which are those of Podman's source: `.Host.OCIRuntime.Name`.
fn go_names(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (go_name(key), go_names(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.iter().map(go_names).collect(),
        other => other.clone(),
    }
}

fn go_name(key: &str) -> String {
    let odd = match key {
        "apparmorEnabled" => "AppArmorEnabled",
        "capabilities" => "DefaultCapabilities",
        "cgroupControllers" => "CgroupControllers",
        "cgroupManager" => "CgroupManager",
        "cgroupVersion" => "CGroupsVersion",
        "container_id" => "ContainerID",
        "cpus" => "CPUs",
        "gidmap" => "GIDMap",
        "host_id" => "HostID",
        "idMappings" => "IDMappings",
        "ociRuntime" => "OCIRuntime",
        "os" => "OS",
        // Of a map, not of a struct.
        "search" => "search",
        "seccompEnabled" => "SECCOMPEnabled",
        "selinuxEnabled" => "SELinuxEnabled",
        "uidmap" => "UIDMap",
        _ => "",
    };
    if !odd.is_empty() {
        return odd.to_owned();
    }
    let mut letters = key.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_use_the_names_of_the_source() {
        let info = json!({ "host": host(Maker::default(), Path::new("")), "plugins": plugins(), "version": version::client() });
        let named = go_names(&info);
        let text = "{{.Host.OCIRuntime.Name}} {{.Host.Security.SECCOMPEnabled}} {{.Version.Version}} {{.Host.OS}} \
            {{.Host.LogDriver}} {{.Host.ServiceIsRemote}} {{.Host.RemoteSocket.Exists}} {{.Plugins.Volume}}";
        let expected = format!("coracle true {} linux k8s-file false false [local]\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(Template::parse("info", text).unwrap().each(&[named]).unwrap(), expected);
        assert_eq!(uptime(3_725), "1h 2m 5.00s");
    }
}
