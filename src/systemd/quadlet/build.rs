//! `.build`: a service that builds an image, of which all but what has changed is remembered, and is done.

use std::path::Path;

use super::file::Entry;
use super::{Conversion, Error, Problem, Service, keys};

impl Conversion<'_> {
    pub fn build(&self, service: &mut Service) -> Result<(), Error> {
        let quadlet = self.quadlet;
        if quadlet.last("ImageTag").is_none() {
            return Err(Problem::Missing("ImageTag").of(&quadlet.path));
        }
        let file = quadlet.last("File").map(Entry::text);
        let context = self.context(service, file)?;
        let mut command = [self.program()?, vec!["build".to_owned()], keys::flags(quadlet)?].concat();
        command.extend(self.networks(service)?);
        command.extend(self.volumes(service)?);
        command.extend(quadlet.words("PodmanArgs")?);
        command.extend(file.map(|file| format!("--file={file}")));
        command.extend(context);
        self.once(service, &command);
        Ok(())
    }

    /// The directory that files are copied from, in which the service works then, too. `None`: there is none.
    fn context(&self, service: &mut Service, file: Option<&str>) -> Result<Option<String>, Error> {
        let folder = |path: &str| Path::new(path).parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
        let entry = self.quadlet.last("SetWorkingDirectory");
        let own = match (entry.map(Entry::text), file) {
            (Some("unit"), _) => Some(folder(&self.quadlet.path.to_string_lossy())),
            (Some("file"), Some(file)) => Some(folder(&self.path(file))),
            (Some("file"), None) => return Err(Problem::Missing("File").of(&self.quadlet.path)),
            // Refused by `build`, in its own words.
            (Some(url), _) if url.contains("://") => return Ok(Some(url.to_owned())),
            (Some(path), _) => return Ok(Some(self.path(path))),
            (None, _) => None,
        };
        if let Some(own) = own {
            service.default("Service", "WorkingDirectory", &own);
            return Ok(Some(own));
        }
        match (service.last("Service", "WorkingDirectory"), file) {
            (Some(directory), _) => Ok(Some(directory.to_owned())),
            (None, Some(file)) if file.starts_with(['/', '%']) => Ok(None),
            (None, Some(_)) => {
                let why = "it counts from a directory: `SetWorkingDirectory=unit` is this file's";
                let entry = self.quadlet.last("File");
                let value = |entry: &Entry| entry.problem(Problem::Value("File".to_owned(), entry.value.clone(), why));
                Err(entry.map_or_else(|| Problem::Missing("File").of(&self.quadlet.path), value))
            }
            (None, None) => Err(Problem::Missing("File` or `SetWorkingDirectory").of(&self.quadlet.path)),
        }
    }
}
