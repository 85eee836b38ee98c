//! What users look at: lists, records, figures, what has happened.

mod events;
mod inspect;
mod keys;
mod ps;
mod repair;
mod store;
mod top;
