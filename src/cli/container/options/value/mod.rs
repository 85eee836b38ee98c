//! What several flags take as their value.

pub mod empty;
mod path;
mod patience;
mod signal;
mod size;

pub use path::absolute;
pub use patience::patience;
pub use signal::{name_of_signal, number_of_signal, signal};
pub use size::bytes;
