//! coracle: containers without a daemon, without root, without an administrator.
//!
//! This page is the map. Each room (a folder, named after a noun of the field) opens with what it is for and what must stay
//! true in it. A room imports from lower floors only, and neighbours on a floor do not import each other;
//! `tests/architecture.rs` holds the building to that.
//!
//! ```text
//! 8  cli        the command line: one file a command; report turns errors into words; the only room that prints
//!    process    the cast: worker, mounter, net, monitor, joiner, init; the session of a program and its clients
//! 7  systemd    quadlet: files that say which containers are to run, and the units made of them
//! 6  build      a Containerfile: its words, its stages, what is left out of the context
//! 5  container  record, state, life: create start stop remove list inspect; into: attach exec
//! 4  image      pull, archive: load and save, import, list, history, inspect, mount, remove, manifest: lists of images
//! 3  registry   a client over the network        layer    unpack: from a tar stream to a directory
//!    overlay    the file system of a container   runtime  plan (data), outside and inside (who executes it)
//!    network    pasta, named networks and their names, resolv.conf, hosts
//! 2  store      what is on disk: images, layers, names, networks, records, sweep
//! 1  oci        formats and parsers, no I/O      host     this machine and this account: dirs, ids, locks, roles
//! 0  sys        the kernel's door: the only unsafe code
//! ```
//!
//! One binary plays several roles (see [`host::role`]): the *cli* speaks to the user and the network; it clones the *monitor*,
//! which is PID 1 of an outer pid namespace and the container's parent; the monitor clones *init*, which becomes the program.
//! A build clones itself for each stage, which, as these, only a process with one thread may do; a *fetcher* gets it files of other
//! machines, a *forwarder* lets its commands speak to agents for ssh.
//! A *mounter* serves the FUSE overlay, a *companion* connects a container to named networks and answers for names there, a
//! *worker* does file work as root of the user's namespace, a *joiner* is the parent of a command in a container that runs.

pub mod build;
pub mod cli;
pub mod container;
pub mod host;
pub mod image;
pub mod layer;
pub mod network;
pub mod oci;
pub mod overlay;
pub mod process;
pub mod registry;
pub mod runtime;
pub mod store;
pub mod sys;
pub mod systemd;
