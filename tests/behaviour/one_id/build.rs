//! `build` on an account with one id: the same image as with subordinate ids, owners included.

use super::no_ids;
use crate::behaviour::build::programs;
use crate::behaviour::build::run::the_same_everywhere;
use crate::behaviour::faults::build::points::every_point_of_a_build_is_cut;
use crate::harness::{Case, Driver};

fn the_same_input_gives_the_same_image(case: &Case) {
    if no_ids() && case.driver == Driver::Fuse {
        the_same_everywhere(case);
    }
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
    if no_ids() && case.driver == Driver::Fuse {
        every_point_of_a_build_is_cut(case);
    }
}

on_both_drivers!(the_same_input_gives_the_same_image, whole_programs, points);
