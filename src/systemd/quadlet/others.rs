//! `.volume`, `.network` and `.image`: services that make what is not there, and are done.

use super::file::Entry;
use super::{Conversion, Error, Kind, Problem, Service, keys};

impl Conversion<'_> {
    pub fn volume(&self, service: &mut Service) -> Result<(), Error> {
        let quadlet = self.quadlet;
        let mut flags = keys::flags(quadlet)?;
        if let Some(entry) = quadlet.last("Image") {
            let kinds = [Kind::Image, Kind::Build];
            let image = self.other(service, entry, entry.text(), &kinds)?.unwrap_or(entry.text().to_owned());
            flags.push(format!("--opt=image={image}"));
        }
        if let Some(entry) = quadlet.last("Copy") {
            flags.push(format!("--opt={}", if entry.is_on()? { "copy" } else { "nocopy" }));
        }
        if let Some(device) = quadlet.last("Device") {
            if device.text().starts_with('/') {
                service.add("Unit", "RequiresMountsFor", device.text());
            }
            flags.push(format!("--opt=device={}", device.text()));
        }
        flags.extend(quadlet.last("Type").map(|entry| format!("--opt=type={}", entry.text())));
        let option = |key: &str, name: &str| quadlet.last(key).map(|entry| format!("{name}{}", entry.text()));
        let options: Vec<String> =
            [option("User", "uid="), option("Group", "gid="), option("Options", "")].into_iter().flatten().collect();
        if !options.is_empty() {
            flags.push(format!("--opt=o={}", options.join(",")));
        }
        self.create(service, flags)
    }

    pub fn network(&self, service: &mut Service) -> Result<(), Error> {
        let flags = keys::flags(self.quadlet)?;
        if self.quadlet.is_on("NetworkDeleteOnStop")? {
            let remove = ["network".to_owned(), "rm".to_owned(), self.quadlet.resource()];
            service.command("ExecStopPost", &[self.program()?, remove.to_vec()].concat());
        }
        self.create(service, flags)
    }

    /// Of a volume or a network.
    fn create(&self, service: &mut Service, flags: Vec<String>) -> Result<(), Error> {
        let command = [self.quadlet.kind.command(), &["--ignore"]].concat();
        let command = command.into_iter().map(str::to_owned).collect();
        let name = vec![self.quadlet.resource()];
        self.once(service, &[self.program()?, command, flags, self.quadlet.words("PodmanArgs")?, name].concat());
        Ok(())
    }

    pub fn image(&self, service: &mut Service) -> Result<(), Error> {
        let quadlet = self.quadlet;
        let image =
            quadlet.last("Image").map(Entry::text).ok_or_else(|| Problem::Missing("Image").of(&quadlet.path))?;
        let flags = [keys::flags(quadlet)?, quadlet.words("PodmanArgs")?, vec![image.to_owned()]].concat();
        self.once(service, &[self.program()?, vec!["pull".to_owned()], flags].concat());
        Ok(())
    }

    pub fn once(&self, service: &mut Service, command: &[String]) {
        service.command("ExecStart", command);
        service.default("Service", "Type", "oneshot");
        service.default("Service", "RemainAfterExit", "yes");
    }
}
