//! Networks, on a stage of their own: a user namespace with a network namespace that plays the host.

mod pasta;
