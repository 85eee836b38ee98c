//! At a shell: completion, in the engine's answers and under the shells themselves.

mod answers;
mod manual;
mod screens;
mod terminals;
mod words;
