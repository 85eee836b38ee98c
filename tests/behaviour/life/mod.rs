//! Containers from their creation to their end.

mod changes;
mod crowd;
mod cycle;
mod elsewhere;
mod health;
mod pause;
mod melee;
mod replace;
mod restart;
mod run;
mod stops;
mod verbs;
