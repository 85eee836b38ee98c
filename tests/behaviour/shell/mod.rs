//! At a shell: completion, in the engine's answers and under the shells themselves.

mod answers;
mod manual;
mod screen;
mod screens;
mod terminals;
mod words;
