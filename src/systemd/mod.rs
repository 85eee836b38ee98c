//! Units of systemd in which containers run: written from quadlets, files that say what a container, a volume, a network or an image is to
//! be, in the syntax of units.

pub mod quadlet;
