//! The part `Config`: what the image and the command line say of the program.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cli::container::options::health::{LOG_COUNT, LOG_SIZE};
use crate::cli::container::options::value::name_of_signal;
use crate::cli::container::published;
use crate::container::mount::secret::{Place, Secret};
use crate::container::record::Container;
use crate::container::watch::health::Check;

pub fn config(container: &Container) -> Value {
    let health = container.health.as_ref();
    let none_if_empty = |list: &[String]| if list.is_empty() { Value::Null } else { json!(list) };
    json!({
        "Hostname": container.hostname,
        "Domainname": "",
        "User": container.user,
        // As in Podman: nothing remembers what a client was attached to.
        "AttachStdin": false,
        "AttachStdout": false,
        "AttachStderr": false,
        "Tty": container.terminal,
        "OpenStdin": container.interactive,
        "StdinOnce": false,
        "Env": env(container),
        "Cmd": none_if_empty(&container.command),
        "Image": container.image_name(),
        "Volumes": null,
        "WorkingDir": container.working_dir,
        "Entrypoint": none_if_empty(&container.entrypoint),
        "OnBuild": null,
        "Labels": container.labels,
        "Annotations": annotations(container),
        "StopSignal": name_of_signal(container.stop_signal),
        "CreateCommand": container.create_command,
        "Timezone": container.time_zone.as_deref().unwrap_or_default(),
        "Umask": format!("{:04o}", container.umask),
        "SystemdMode": container.systemd.is_some(),
        "Timeout": container.timeout,
        "StopTimeout": container.stop_timeout,
        "Healthcheck": health.map(|health| check(&health.check)),
        "StartupHealthCheck": health.and_then(|health| health.startup.as_ref()).map(check),
        "HealthcheckOnFailureAction": health.map_or("none", |health| health.on_failure.name()),
        "HealthLogDestination": health.map_or(Path::new("local"), |health| health.log_destination()),
        "HealthcheckMaxLogCount": health.map_or(LOG_COUNT, |health| health.max_log_count),
        "HealthcheckMaxLogSize": health.map_or(LOG_SIZE, |health| health.max_log_size),
        "sdNotifyMode": container.notify.name(),
        "Passwd": container.introductions.is_some(),
        "Secrets": container.secrets.iter().filter_map(secret).collect::<Vec<_>>(),
        "ExposedPorts": published::with_exposed(container).keys().map(|port| (port.clone(), json!({}))).collect::<Map<_, _>>(),
    })
}

/// With the names of secret variables, and without what they are.
fn env(container: &Container) -> Vec<String> {
    let hidden = container.secrets.iter().filter_map(|secret| match &secret.place {
        Place::Variable(name) => Some(format!("{name}=*******")),
        Place::File { .. } => None,
    });
    container.env.iter().cloned().chain(hidden).collect()
}

/// One that is a file.
fn secret(Secret { id, name, place }: &Secret) -> Option<Value> {
    match place {
        Place::File { uid, gid, mode, .. } => {
            Some(json!({ "Name": name, "ID": id, "UID": uid, "GID": gid, "Mode": mode }))
        }
        Place::Variable(_) => None,
    }
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

/// Those of the user, and the mode of the user namespace, where Podman has it.
pub fn annotations(container: &Container) -> BTreeMap<&str, &str> {
    let own = container.user_namespace.as_ref().map(|own| ("io.podman.annotations.userns", own.mode.as_str()));
    container.annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(own).collect()
}
