//! Units of systemd: what becomes of the files of an account.

use std::path::Path;

use coracle::systemd::quadlet::file::UnitFile;
use coracle::systemd::quadlet::{self, Kind, Quadlet, words};

/// A quadlet of any kind: what becomes a unit is one that systemd reads as it was meant, and stays in its folder.
pub fn quadlet(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for kind in Kind::ALL {
        let name = format!("web.{}", kind.extension());
        let path = Path::new("/q").join(&name);
        let mut file = UnitFile::default();
        if file.add(&path, &text).is_err() {
            return;
        }
        let quadlet = Quadlet { name, path, kind, file };
        let (services, errors) = quadlet::services(&[quadlet], "/bin/coracle");
        assert_eq!(services.len() + errors.len(), 1);
        for service in services {
            let mut again = UnitFile::default();
            again.add(Path::new("/u/web.service"), &service.text()).expect("a unit");
            let start = again.last("Service", "ExecStart").expect("a command").words().expect("words");
            assert_eq!(start[0], "/bin/coracle");
            assert_eq!(words::split(&words::join(&start)).unwrap(), start);
            assert!(!service.name.contains('/') && service.links.iter().all(|(link, _)| link.split('/').count() <= 2));
        }
    }
}
