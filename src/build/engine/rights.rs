//! What instructions get when the user says so, and not because they ask for it: they may be anybody's.

use super::Build;
use crate::build::parse::{Kind, Run, RunNetwork, Security};
use crate::build::{Error, Result};
use crate::container::record::Network;

/// By the names that BuildKit gave them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `security.insecure`: `RUN --security=insecure`, which is run as `run --privileged` does.
    Insecure,
    /// `network.host`: `RUN --network=host`, with the services of this machine and of this account within reach.
    HostNetwork,
}

impl Right {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "security.insecure" => Some(Self::Insecure),
            "network.host" => Some(Self::HostNetwork),
            _ => None,
        }
    }
}

impl Build<'_> {
    /// Refuses a file that asks for more, before anything of it is done.
    pub(super) fn check_rights(&self) -> Result<()> {
        let file = self.request.file;
        let stages = self.order.iter().filter_map(|number| self.graph.stages.get(*number));
        for instruction in stages.flat_map(|stage| stage.instructions(file)) {
            if let Kind::Run(run) = &instruction.kind {
                let place = || file.source.place(instruction.span);
                self.may(run).map_err(|cause| Error::Step { place: place(), cause: Box::new(cause) })?;
            }
        }
        Ok(())
    }

    /// Whether a RUN has the rights that it asks for.
    pub fn may(&self, run: &Run) -> Result<()> {
        let lacks = |right| !self.request.rights.contains(&right);
        let (flag, name) = match run {
            Run { security: Security::Insecure, .. } if lacks(Right::Insecure) => {
                ("--security=insecure", "security.insecure")
            }
            Run { network: RunNetwork::Host, .. }
                if lacks(Right::HostNetwork) && self.request.template.network != Network::Host =>
            {
                ("--network=host", "network.host")
            }
            _ => return Ok(()),
        };
        Err(Error::Hinted {
            text: format!("`RUN {flag}` asks for a right that was not given"),
            hint: format!("`coracle build --allow={name}` gives it to these instructions, if you trust them"),
        })
    }
}
