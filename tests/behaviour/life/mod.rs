//! Containers from their creation to their end.

mod changes;
mod crowd;
mod cycle;
mod elsewhere;
mod health;
mod long;
mod melee;
mod pause;
mod replace;
mod restart;
mod run;
mod stops;
mod verbs;
