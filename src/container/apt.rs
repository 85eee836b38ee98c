//! apt where there is but one id: it downloads as a user of its own and looks whether it has really become that one, so it is
//! told to stay root (apt.conf(5), `APT::Sandbox::User`), in a file that a variable names, not in the image's own.

use super::record::Container;
use crate::store::layers::Mode;

const VARIABLE: &str = "APT_CONFIG";

/// The file beside the container's record, and where the container finds it.
pub const FILE: (&str, &str) = ("apt.conf", "/run/.coracle-apt.conf");

pub const TEXT: &str = "APT::Sandbox::User \"root\";\n";

/// Whether the container gets the file: not with more ids than one, nor where somebody else has given apt a configuration.
pub fn is_told(container: &Container) -> bool {
    container.mode == Mode::Recorded && !is_set(&container.env)
}

/// The environment of a program in the container, with the variable.
pub fn environment(container: &Container, mut env: Vec<String>) -> Vec<String> {
    if is_told(container) && !is_set(&env) {
        env.push(format!("{VARIABLE}={}", FILE.1));
    }
    env
}

fn is_set(env: &[String]) -> bool {
    env.iter().any(|pair| pair.split_once('=').is_some_and(|(key, _)| key == VARIABLE))
}
