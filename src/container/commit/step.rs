//! A container that one step of a build is done in: nobody knows it by name.
//!
//! It lies under the store's `tmp/`, whose lock is its own: while the builder lives it is in nobody's way, and when the builder
//! dies its monitor ends and any later command sweeps it. Nothing in it is synced before it becomes a layer, and what its secrets
//! hold is in memory alone, which goes with the processes.

use std::os::fd::AsFd;

use crate::container::control::{CHUNK, ToClient};
use crate::container::find::Found;
use crate::container::into::copy::Mounted;
use crate::container::job::Streams;
use crate::container::life::create::furnish;
use crate::container::life::start::{self, How};
use crate::container::record::Container;
use crate::container::spec::selinux;
use crate::container::{Error, Result, tree};
use crate::host::subid::IdMaps;
use crate::image::make::layer::NewLayer;
use crate::layer::pack::Form;
use crate::layer::worker;
use crate::runtime::handshake::receive_with_fd;
use crate::store::{Store, Tmp, records};

/// Which of its outputs a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Standard,
    Error,
}

#[derive(Debug)]
pub struct Step<'a> {
    store: &'a Store,
    ids: &'a IdMaps,
    /// Until it is a layer, or nothing.
    tmp: Option<Tmp>,
    found: Found,
    /// In the order of the record.
    secrets: Vec<Vec<u8>>,
}

impl<'a> Step<'a> {
    /// A container as its record says, with the contents of its secrets, in their order.
    pub fn make(store: &'a Store, ids: &'a IdMaps, container: Container, secrets: Vec<Vec<u8>>) -> Result<Self> {
        let selinux = selinux::choose(store, &container)?;
        let container = Container { is_step: true, remove: false, selinux, ..container };
        let tmp = store.tmp_dir()?;
        furnish(store, &container, tmp.path())?;
        records::create(&tmp.path().join(RECORD), &container, false)?;
        let found = Found { directory: tmp.path().to_owned(), container };
        Ok(Self { store, ids, tmp: Some(tmp), found, secrets })
    }

    /// Runs its program to the end; the exit code. What it writes is told as it comes. The caller has one thread.
    pub fn run(&self, told: &mut dyn FnMut(Output, &[u8])) -> Result<i32> {
        let streams = Streams::Pipes { input: false };
        let how = How { streams, secrets: Some(&self.secrets), ..start::IDLE };
        let launched = start::start(self.store, &self.found, self.lock()?, how)?;
        let mut buffer = vec![0; CHUNK + 16];
        let code = loop {
            let (count, _pidfd) = receive_with_fd(launched.talk.as_fd(), &mut buffer)?;
            match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
                Some(ToClient::Started(_) | ToClient::Notice(_)) => {}
                Some(ToClient::Output(bytes)) => told(Output::Standard, bytes),
                Some(ToClient::ErrorOutput(bytes)) => told(Output::Error, bytes),
                Some(ToClient::Exited(code)) => break code,
                Some(ToClient::Failed { code, message }) => {
                    launched.monitor.wait()?;
                    return Err(Error::Refused { code, message: message.to_owned() });
                }
                None => return Err(Error::Refused { code: 125, message: "its monitor died".to_owned() }),
            }
        };
        drop(launched.talk);
        // What was written is in the upper directory when it has ended.
        launched.monitor.wait()?;
        Ok(code)
    }

    /// Its file system, mounted for as long as the value lives. The caller has one thread.
    pub fn mount(&self) -> Result<Mounted<'_>> {
        Mounted::hold(self.store, &self.found, self.ids, self.lock()?)
    }

    /// What was changed in it, as a layer that nobody sees yet. `targets`: where something was mounted, absolute. `latest`: no file
    /// of it is younger, in seconds since 1970.
    pub fn into_layer(mut self, targets: &[String], latest: Option<i64>) -> Result<NewLayer> {
        let container = &self.found.container;
        let tree = tree::at_rest(self.store, &self.found);
        let mut leave_out = tree::own_files(container);
        leave_out.extend(targets.iter().map(|target| target.trim_matches('/')));
        let form = Form { latest, ..Form::LAYER };
        let layer = NewLayer::pack(self.store, self.ids, container.mode, &tree, form, &leave_out);
        self.clear();
        Ok(layer?)
    }

    fn lock(&self) -> Result<Option<crate::host::lock::Lock>> {
        Ok(self.tmp.as_ref().map(|tmp| tmp.lock().share()).transpose()?)
    }

    fn clear(&mut self) {
        if let Some(tmp) = self.tmp.take() {
            // What can't be removed now, the next sweep meets.
            let _ = worker::remove_tmp(self.ids, tmp);
        }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

const RECORD: &str = "container.json";

/// The containers of steps whose builders live.
pub fn living(store: &Store) -> Vec<Container> {
    let entries = std::fs::read_dir(store.layout().tmp()).into_iter().flatten().flatten();
    // One that goes meanwhile needs nothing; and others were removed, and lie here until their files are.
    let read = |entry: std::fs::DirEntry| records::read(&entry.path().join(RECORD)).ok().flatten();
    entries.filter_map(read).filter(|container: &Container| container.is_step).collect()
}
