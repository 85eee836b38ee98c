//! `build` on an account with one id: the same image as with subordinate ids, owners included.

use super::no_ids;
use crate::behaviour::build::run::the_same_everywhere;
use crate::harness::{Case, Driver};

fn the_same_input_gives_the_same_image(case: &Case) {
    if no_ids() && case.driver == Driver::Fuse {
        the_same_everywhere(case);
    }
}

on_both_drivers!(the_same_input_gives_the_same_image);
