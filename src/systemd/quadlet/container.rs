//! `.container`: a service whose main process starts the container and stays with it, so that its readiness, its exit code and its
//! output are the service's.

use super::file::Entry;
use super::{Conversion, Error, Kind, Problem, Service, keys};

/// Types of services that a container can be.
const TYPES: [&str; 4] = ["notify", "notify-reload", "oneshot", "exec"];
/// The exit code of a program that SIGTERM has ended.
const STOPPED: &str = "143";
/// Ways to end one that leave the container the time to stop.
const KILL_MODES: [&str; 2] = ["mixed", "control-group"];

impl Conversion<'_> {
    pub fn container(&self, service: &mut Service) -> Result<(), Error> {
        self.check_service()?;
        service.default("Service", "Type", "notify");
        service.default("Service", "KillMode", "mixed");
        service.default("Service", "Delegate", "yes");
        // A program that its stop signal has ended has not failed.
        service.add("Service", "SuccessExitStatus", STOPPED);
        let name = self.container_name();
        let ready = match service.last("Service", "Type") {
            Some("notify" | "notify-reload") => self.notify()?,
            _ => "ignore",
        };
        let cgroups = self.quadlet.last("CgroupsMode").map_or("split", Entry::text);
        let program = self.program()?;
        let own = [
            "run".into(),
            format!("--name={name}"),
            "--replace".into(),
            "--rm".into(),
            format!("--cgroups={cgroups}"),
            format!("--sdnotify={ready}"),
        ];
        let mut command: Vec<String> = program.iter().cloned().chain(own).collect();
        // There it is found by the unit and by the container, and with it `logs` reads it.
        if self.quadlet.last("LogDriver").is_none() {
            command.push("--log-driver=journald".into());
        }
        command.extend(keys::flags(self.quadlet)?);
        command.extend(self.more_flags()?);
        command.extend(self.places(service)?);
        command.extend(self.quadlet.words("PodmanArgs")?);
        command.extend(self.origin(service)?);
        command.extend(self.quadlet.last("Exec").map(Entry::words).transpose()?.unwrap_or_default());
        service.command("ExecStart", &command);
        self.reload(service, &program, &name)?;
        let remove = ["rm", "--volumes", "--force", "--ignore", &name].map(str::to_owned);
        let remove: Vec<String> = program.into_iter().chain(remove).collect();
        service.command("ExecStop", &remove);
        // Whatever became of the main process.
        let [first, rest @ ..] = remove.as_slice() else { return Ok(()) };
        service.command("ExecStopPost", &[&[format!("-{first}")][..], rest].concat());
        Ok(())
    }

    fn check_service(&self) -> Result<(), Error> {
        for (key, known, why) in [
            ("Type", &TYPES[..], "a container is `notify`, `notify-reload`, `exec` or `oneshot`"),
            ("KillMode", &KILL_MODES[..], "a container is stopped by `mixed` or `control-group`"),
        ] {
            if let Some(entry) = self.quadlet.file.last("Service", key)
                && !known.contains(&entry.text())
            {
                return Err(entry.problem(Problem::Value(key.to_owned(), entry.value.clone(), why)));
            }
        }
        Ok(())
    }

    fn container_name(&self) -> String {
        let usual = if self.quadlet.name.contains('@') { "systemd-%p_%i" } else { "systemd-%N" };
        self.quadlet.last("ContainerName").map_or(usual, Entry::text).to_owned()
    }

    /// Who says that it is ready.
    fn notify(&self) -> Result<&'static str, Error> {
        match self.quadlet.last("Notify") {
            None => Ok("conmon"),
            Some(entry) if entry.text() == "healthy" => Ok("healthy"),
            Some(entry) => Ok(if entry.is_on()? { "container" } else { "conmon" }),
        }
    }

    fn more_flags(&self) -> Result<Vec<String>, Error> {
        let quadlet = self.quadlet;
        let mut flags = Vec::new();
        for entry in quadlet.values("AddDevice") {
            for device in entry.words()? {
                match device.strip_prefix('-') {
                    // Left out where it is not there.
                    Some(device) if !std::path::Path::new(device.split(':').next().unwrap_or(device)).exists() => {}
                    found => flags.push(format!("--device={}", found.unwrap_or(&device))),
                }
            }
        }
        for (key, option) in [
            ("NoNewPrivileges", "no-new-privileges"),
            ("SecurityLabelDisable", "label=disable"),
            ("SecurityLabelNested", "label=nested"),
        ] {
            if quadlet.is_on(key)? {
                flags.push(format!("--security-opt={option}"));
            }
        }
        if quadlet.is_on("VolatileTmp")? && !quadlet.is_on("ReadOnly")? {
            flags.push("--tmpfs=/tmp:rw,size=512M,mode=1777".to_owned());
        }
        if let Some(entry) = quadlet.last("AutoUpdate") {
            flags.push(format!("--label=io.containers.autoupdate={}", entry.text()));
        }
        match (quadlet.last("User"), quadlet.last("Group")) {
            (Some(user), Some(group)) => flags.push(format!("--user={}:{}", user.text(), group.text())),
            (Some(user), None) => flags.push(format!("--user={}", user.text())),
            (None, Some(group)) => {
                let why = "a group needs a `User=`";
                return Err(group.problem(Problem::Value("Group".to_owned(), group.value.clone(), why)));
            }
            (None, None) => {}
        }
        for entry in quadlet.values("EnvironmentFile") {
            flags.push(format!("--env-file={}", self.path(entry.text())));
        }
        Ok(flags)
    }

    /// What leads to other quadlets, or into this machine's files.
    fn places(&self, service: &mut Service) -> Result<Vec<String>, Error> {
        let mut flags = self.networks(service)?;
        flags.extend(self.volumes(service)?);
        for entry in self.quadlet.values("Mount") {
            flags.push(format!("--mount={}", self.mount(service, entry)?));
        }
        Ok(flags)
    }

    /// `--network`, of quadlets and others.
    pub fn networks(&self, service: &mut Service) -> Result<Vec<String>, Error> {
        let mut flags = Vec::new();
        for entry in self.quadlet.values("Network") {
            let (name, options) = entry.text().split_once(':').unwrap_or((entry.text(), ""));
            let found = match self.other(service, entry, name, &[Kind::Network])? {
                None => self.other(service, entry, name, &[Kind::Container])?.map(|name| format!("container:{name}")),
                found if options.is_empty() => found,
                found => found.map(|name| format!("{name}:{options}")),
            };
            flags.push(format!("--network={}", found.as_deref().unwrap_or(entry.text())));
        }
        Ok(flags)
    }

    /// `--volume`, of quadlets and others.
    pub fn volumes(&self, service: &mut Service) -> Result<Vec<String>, Error> {
        let values = self.quadlet.values("Volume").into_iter();
        values.map(|entry| Ok(format!("--volume={}", self.volume_flag(service, entry)?))).collect()
    }

    fn volume_flag(&self, service: &mut Service, entry: &Entry) -> Result<String, Error> {
        let Some((source, rest)) = entry.text().split_once(':') else { return Ok(entry.text().to_owned()) };
        Ok(format!("{}:{rest}", self.source(service, entry, source, &[Kind::Volume])?))
    }

    /// Of a mount: another quadlet's name, or a path, which is to be mounted before.
    fn source(&self, service: &mut Service, entry: &Entry, source: &str, kinds: &[Kind]) -> Result<String, Error> {
        if let Some(name) = self.other(service, entry, source, kinds)? {
            return Ok(name);
        }
        let path = if source.starts_with('.') { self.path(source) } else { source.to_owned() };
        if path.starts_with('/') {
            service.add("Unit", "RequiresMountsFor", &path);
        }
        Ok(path)
    }

    fn mount(&self, service: &mut Service, entry: &Entry) -> Result<String, Error> {
        let mut parts = Vec::new();
        for part in entry.text().split(',') {
            match part.split_once('=') {
                Some((key @ ("source" | "src"), source)) => {
                    let source = self.source(service, entry, source, &[Kind::Volume, Kind::Image, Kind::Build])?;
                    parts.push(format!("{key}={source}"));
                }
                _ => parts.push(part.to_owned()),
            }
        }
        Ok(parts.join(","))
    }

    /// The image, or the directory in its place with the flag that says so.
    fn origin(&self, service: &mut Service) -> Result<Vec<String>, Error> {
        match (self.quadlet.last("Image"), self.quadlet.last("Rootfs")) {
            (Some(image), None) => {
                let other = self.other(service, image, image.text(), &[Kind::Image, Kind::Build])?;
                Ok(vec![other.unwrap_or(image.text().to_owned())])
            }
            (None, Some(rootfs)) => Ok(vec!["--rootfs".to_owned(), rootfs.text().to_owned()]),
            (None, None) => Err(Problem::Missing("Image").of(&self.quadlet.path)),
            (Some(_), Some(rootfs)) => {
                let why = "there is an `Image=`, too";
                Err(rootfs.problem(Problem::Value("Rootfs".to_owned(), rootfs.value.clone(), why)))
            }
        }
    }

    /// `systemctl reload`.
    fn reload(&self, service: &mut Service, program: &[String], name: &str) -> Result<(), Error> {
        let words = match (self.quadlet.last("ReloadCmd"), self.quadlet.last("ReloadSignal")) {
            (None, None) => return Ok(()),
            (Some(command), None) => [vec!["exec".to_owned(), name.to_owned()], command.words()?].concat(),
            (None, Some(signal)) => vec!["kill".to_owned(), format!("--signal={}", signal.text()), name.to_owned()],
            (Some(_), Some(signal)) => {
                let why = "there is a `ReloadCmd=`, too";
                return Err(signal.problem(Problem::Value("ReloadSignal".to_owned(), signal.value.clone(), why)));
            }
        };
        service.command("ExecReload", &[program, &words].concat());
        Ok(())
    }
}
