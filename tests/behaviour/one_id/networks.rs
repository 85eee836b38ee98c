//! Named networks, for an account whose containers have one id.

use super::no_ids;
use crate::behaviour::isolation::ports;
use crate::behaviour::network::{changes, death, names, services};
use crate::behaviour::service::sockets;
use crate::harness::{Case, Driver};

#[test]
fn containers_find_each_other() {
    if no_ids() {
        names::containers_find_each_other(&Case::new(Driver::Auto));
    }
}

/// With a port that is published there, and a name that several have; who is on no common network finds nobody.
#[test]
fn a_way_in_and_none_across() {
    if no_ids() {
        for each in [names::a_way_out, names::an_alias_of_many, names::networks_are_apart] {
            each(&Case::new(Driver::Auto));
        }
    }
}

#[test]
fn connected_while_it_runs() {
    if no_ids() {
        changes::while_it_runs(&Case::new(Driver::Auto));
    }
}

#[test]
fn ports_lead_inside() {
    if no_ids() {
        ports::they_lead_inside(&Case::new(Driver::Auto));
    }
}

#[test]
fn a_socket_file_leads_inside() {
    if no_ids() {
        ports::lead_by_a_file(&Case::new(Driver::Auto));
    }
}

#[test]
fn socket_files_come_and_go_while_it_runs() {
    if no_ids() {
        ports::socket_files_come_and_go(&Case::new(Driver::Auto));
    }
}

#[test]
fn ports_come_and_go_while_it_runs() {
    if no_ids() {
        ports::they_come_and_go(&Case::new(Driver::Auto));
    }
}

#[test]
fn who_floods_names_slows_nobody_else() {
    if no_ids() {
        names::a_flood_of_questions(&Case::new(Driver::Auto));
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

#[test]
fn sockets_of_a_service_manager_lead_inside() {
    if no_ids() {
        sockets::a_socket_becomes_a_published_port(&Case::new(Driver::Auto));
        sockets::a_socket_leads_to_a_container_on_a_network(&Case::new(Driver::Auto));
    }
}
