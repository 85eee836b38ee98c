//! `build` on an account with one id: the same image as with subordinate ids, owners included.

use super::no_ids;
use crate::behaviour::build::context::stdin;
use crate::behaviour::build::programs;
use crate::behaviour::build::run::{a_command_without_a_network, agents_have_owners_and_modes, the_same_everywhere};
use crate::behaviour::build::{docker, fetched, inputs, outputs};
use crate::behaviour::faults::build::points::every_point_of_a_build_is_cut;
use crate::harness::{Case, Driver};

fn with_one_id(case: &Case, test: fn(&Case)) {
    if no_ids() && case.driver == Driver::Fuse {
        test(case);
    }
}

fn the_same_input_gives_the_same_image(case: &Case) {
    with_one_id(case, the_same_everywhere);
}

fn modes_change_by_letters(case: &Case) {
    with_one_id(case, inputs::modes_change_by_letters);
}

fn contexts_on_standard_input(case: &Case) {
    with_one_id(case, stdin::archives);
}

fn archives_stay_where_they_are(case: &Case) {
    with_one_id(case, stdin::archives_stay_where_they_are);
}

fn files_of_other_machines(case: &Case) {
    with_one_id(case, fetched::files);
}

fn files_of_the_image(case: &Case) {
    with_one_id(case, outputs::files_of_the_image);
}

fn new_layers_in_one(case: &Case) {
    with_one_id(case, outputs::new_layers_in_one);
}

fn agents_for_ssh(case: &Case) {
    with_one_id(case, agents_have_owners_and_modes);
}

fn a_command_has_no_network(case: &Case) {
    with_one_id(case, a_command_without_a_network);
}

fn images_of_dockers(case: &Case) {
    with_one_id(case, docker::images_of_dockers);
}

/// Programs build and run as with subordinate ids: users of their own, files that are given away, package managers.
fn whole_programs(case: &Case) {
    if no_ids() && case.driver == Driver::Fuse {
        programs::rust(case);
        programs::python(case);
        programs::node(case);
    }
}

fn points(case: &Case) {
    with_one_id(case, every_point_of_a_build_is_cut);
}

on_both_drivers!(
    the_same_input_gives_the_same_image,
    whole_programs,
    agents_for_ssh,
    a_command_has_no_network,
    images_of_dockers,
    points,
    modes_change_by_letters,
    contexts_on_standard_input,
    archives_stay_where_they_are,
    files_of_other_machines,
    files_of_the_image,
    new_layers_in_one
);
