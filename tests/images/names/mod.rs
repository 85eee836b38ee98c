//! Names: what short ones mean, and where registries.conf sends the others.

mod keychain;
mod login;
mod mirrors;
mod policy;
mod search;
mod short;

use super::server::{Parts, Server};
use crate::harness::{Case, Driver};

/// A registry with the image `x:1`.
fn registry() -> Server {
    Server::start(Parts::new().answers())
}

/// A user with this registries.conf.
fn user(registries: &str) -> Case {
    let case = Case::new(Driver::Auto);
    place(&case, ".config/containers/registries.conf", registries);
    case
}

fn place(case: &Case, file: &str, text: &str) {
    let path = case.home.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The names of the images that are there.
fn images(case: &Case) -> String {
    case.coracle(["images", "--format", "{{.Repository}}:{{.Tag}}"]).code(0).stdout
}
