//! The program as a service: what the service manager is told, and what a container is given of the manager's.

mod idle;
mod notify;
mod quadlet;
pub mod sockets;
mod unit;

use std::sync::OnceLock;

use crate::harness::{Image, Layer, compiled};

/// An image with the program `service` in it, which nobody has pulled.
fn image() -> &'static str {
    static PUSHED: OnceLock<String> = OnceLock::new();
    PUSHED.get_or_init(|| {
        let program = compiled("service", include_str!("service.c"));
        Image::busybox().layer(Layer::new().file("bin/service", 0o755, program)).push("service:latest")
    })
}
