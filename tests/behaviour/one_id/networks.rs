//! Named networks, for an account whose containers have one id.

use super::no_ids;
use crate::behaviour::network::{changes, death, names, services};
use crate::harness::{Case, Driver};

#[test]
fn containers_find_each_other() {
    if no_ids() {
        names::containers_find_each_other(&Case::new(Driver::Auto));
    }
}

#[test]
fn connected_while_it_runs() {
    if no_ids() {
        changes::while_it_runs(&Case::new(Driver::Auto));
    }
}

#[test]
fn whoever_dies() {
    if no_ids() {
        death::in_any_order(&Case::new(Driver::Auto));
    }
}

#[test]
fn web_database_and_client() {
    if no_ids() {
        services::web_database_and_client(&Case::new(Driver::Auto));
    }
}
