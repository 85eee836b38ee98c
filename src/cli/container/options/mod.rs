//! What `run` and `create` have in common: flags, and what they make of an image's defaults.
//!
//! A file, or folder, for each thing that flags are about: a struct `Flags`, and its `fill`, which writes what they mean into the
//! container's record. Here they are put together. (`group(skip)`: clap would name a group after each struct, and they are all called so.)

mod accounts;
pub mod environment;
pub mod health;
mod identity;
pub mod idle;
mod life;
pub mod limits;
mod log;
mod namespaces;
pub mod network;
mod origin;
mod process;
mod publish;
mod secrets;
mod security;
mod storage;
mod user_namespace;
pub mod value;
pub mod volumes;

use clap::{ArgAction, Args, FromArgMatches};

use self::origin::Origin;
use crate::cli::{Context, Report};
use crate::container::life::create::{Created, create};
use crate::container::life::replace;
use crate::container::record::{Container, Driver};
use crate::container::{name, state};
use crate::store::{Store, Tmp};

#[derive(Debug, Args)]
pub struct Options {
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    #[command(flatten)]
    process: process::Flags,
    #[command(flatten)]
    accounts: accounts::Flags,
    #[command(flatten)]
    environment: environment::Flags,
    #[command(flatten)]
    identity: identity::Flags,
    #[command(flatten)]
    image: origin::Flags,
    #[command(flatten)]
    life: life::Flags,
    #[command(flatten)]
    limits: limits::Flags,
    #[command(flatten)]
    group: limits::group::Flags,
    #[command(flatten)]
    health: health::Flags,
    #[command(flatten)]
    log: log::Flags,
    #[command(flatten)]
    namespaces: namespaces::Flags,
    #[command(flatten)]
    network: network::Flags,
    #[command(flatten)]
    publish: publish::Flags,
    #[command(flatten)]
    idle: idle::Flags,
    #[command(flatten)]
    security: security::Flags,
    #[command(flatten)]
    storage: storage::Flags,
    #[command(flatten)]
    volumes: volumes::Flags,
    #[command(flatten)]
    devices: volumes::devices::Flags,
    #[command(flatten)]
    secrets: secrets::Flags,
    #[command(flatten)]
    user_namespace: user_namespace::Flags,
    /// Name, or ID, of an image; then the program and its arguments [default: the image's]
    #[arg(required = true, trailing_var_arg = true, value_names = ["IMAGE", "COMMAND"])]
    image_and_command: Vec<String>,
}

impl Options {
    /// Finds or pulls the image, and writes a container down that is started at once, with the lock that it is launched under.
    pub fn create(&self, context: &Context, store: &Store) -> Result<Created, Report> {
        self.make(context, store, false)
    }

    /// As [`Options::create`], one that may wait for its start for ever.
    pub fn create_only(&self, context: &Context, store: &Store) -> Result<Container, Report> {
        Ok(self.make(context, store, true)?.container)
    }

    /// Whether the container goes when it ends.
    pub fn removes(&self) -> bool {
        self.life.rm || self.life.rmi
    }

    /// What words of `run` say of any container, whatever it is made from: for the steps of a build.
    pub fn template(words: Vec<String>, context: &Context, store: &Store) -> Result<Container, Report> {
        let flags = Self::augment_args(clap::Command::new("build").no_binary_name(true).disable_help_flag(true));
        // An image and a command, which are each step's own.
        let words = words.into_iter().chain(["scratch".to_owned(), "true".to_owned()]);
        let matches = flags.try_get_matches_from(words).map_err(|error| Report::new(error.to_string().trim()))?;
        let options = Self::from_arg_matches(&matches).map_err(|error| Report::new(error.to_string().trim()))?;
        let origin = Origin::nothing(store)?;
        let mut container = options.container(context, store, &origin)?;
        options.volumes.fill(&mut container, &origin.config, store)?;
        options.devices.fill(&mut container)?;
        drop(options.user_namespace.settle(store, &mut container, false)?);
        options.limits.fill_defaults(&mut container)?;
        Ok(container)
    }

    /// As `--rm`, and the image after it.
    pub fn remove_with_image(&mut self) {
        self.life.rmi = true;
    }

    /// What is made of these goes again at once: it has nobody's name.
    pub fn only_look(&mut self) {
        self.life.only_look();
        self.identity.forget_name();
    }

    /// The locks keep the image, and the container's ids, until the container uses them.
    fn make(&self, context: &Context, store: &Store, waits: bool) -> Result<Created, Report> {
        let id_file = self.life.id_file()?;
        let (origin, turn) = self.origin(context, store)?;
        let mut container = Container { waits, ..self.container(context, store, &origin)? };
        self.volumes.fill(&mut container, &origin.config, store)?;
        self.secrets.fill(&mut container, store)?;
        self.devices.fill(&mut container)?;
        // First of all for the names that they still hold.
        crate::container::life::sweep::sweep(store);
        let ids = self.user_namespace.settle(store, &mut container, self.process.user.is_some())?;
        self.limits.fill_defaults(&mut container)?;
        let created = create(store, container, self.identity.name(), turn.is_some())?;
        drop(ids);
        // The record keeps the image now, and who is replaced may take long to end.
        drop(origin);
        let Created { container, lock, replaced } = replace::finish(store, created)?;
        if let Some(Err(report)) = id_file.map(|file| file.fill(&container.id)) {
            let directory = store.layout().container(&container.id);
            let found = crate::container::find::Found { directory, container };
            drop(lock);
            // The first failure is what the user must know.
            let _ = crate::container::life::remove::remove(store, &found, false, std::time::Duration::ZERO);
            return Err(report);
        }
        Ok(Created { container, lock, replaced })
    }

    /// Finds or pulls the image; and with `--replace` the turn to take the name. Who waits for it keeps no image from others.
    fn origin(&self, context: &Context, store: &Store) -> Result<(Origin, Option<Tmp>), Report> {
        let find = || Origin::find(&self.image, self.name_of_image(), context, store);
        let origin = find()?;
        let Some(name) = self.life.replaces(self.identity.name())? else { return Ok((origin, None)) };
        if let Some(turn) = replace::try_begin(store, name)? {
            return Ok((origin, Some(turn)));
        }
        drop(origin);
        let turn = replace::begin(store, name)?;
        Ok((find()?, Some(turn)))
    }

    /// With `--rootfs`, of the directory.
    fn name_of_image(&self) -> &str {
        self.image_and_command.first().map_or("", String::as_str)
    }

    /// All defaults filled in.
    fn container(&self, context: &Context, store: &Store, origin: &Origin) -> Result<Container, Report> {
        let mut container = Container {
            id: name::random_id()?,
            created: state::now(),
            image: origin.image.clone(),
            rootfs: origin.rootfs.clone(),
            mode: origin.mode,
            layers: origin.layers.clone(),
            driver: context.driver()?.unwrap_or(Driver::Auto),
            create_command: std::env::args().collect(),
            create_directory: std::env::current_dir().ok(),
            ..Container::default()
        };
        let config = &origin.config;
        self.process.fill(&mut container, config, self.image_and_command.get(1..).unwrap_or_default())?;
        self.accounts.fill(&mut container)?;
        self.identity.fill(store, &mut container, config)?;
        self.life.fill(&mut container, config)?;
        self.health.fill(&mut container, config)?;
        self.log.fill(&mut container)?;
        self.network.fill(store, &mut container, config)?;
        self.publish.fill(store, &mut container)?;
        self.idle.fill(&mut container)?;
        self.namespaces.fill(store, &mut container, self.identity.hostname.is_some())?;
        self.environment.fill(&mut container, config)?;
        self.limits.fill(&mut container)?;
        self.group.fill(context, &mut container)?;
        self.security.fill(&mut container)?;
        self.storage.fill(&mut container, &context.global.storage_opt)?;
        Ok(container)
    }
}
