//! At a shell: completion, in the engine's answers and under the shells themselves; and what mistakes are told.

mod answers;
mod terminals;
mod words;
