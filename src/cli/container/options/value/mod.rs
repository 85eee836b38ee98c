//! What several flags take as their value.

pub mod empty;
mod patience;
mod signal;
mod size;

pub use patience::patience;
pub use signal::{name_of_signal, number_of_signal, signal};
pub use size::bytes;
