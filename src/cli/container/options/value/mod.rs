//! What several flags take as their value.

mod signal;
mod size;

pub use signal::{name_of_signal, number_of_signal, signal};
pub use size::bytes;
