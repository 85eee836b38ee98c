//! `tag` and `untag`: names of images.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::image::tag::{tag, untag};

/// Give an image more names
#[derive(Debug, Args)]
pub struct Tag {
    /// A name or the start of an id
    image: String,
    /// The new names; `localhost/` and `:latest` may be left out
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Tag {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        for name in &self.names {
            let id = tag(&store, &self.image, name)?;
            events::record(store.layout().root(), &[Event::new(Kind::Image, Action::Tag, id.hex(), name)]);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Take names away from an image, which itself stays
#[derive(Debug, Args)]
pub struct Untag {
    /// A name or the start of an id
    image: String,
    /// The names to take away [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Untag {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (id, names) = untag(&store, &self.image, &self.names)?;
        let event = |name: &String| Event::new(Kind::Image, Action::Untag, id.hex(), name);
        events::record(store.layout().root(), &names.iter().map(event).collect::<Vec<_>>());
        Ok(ExitCode::SUCCESS)
    }
}
