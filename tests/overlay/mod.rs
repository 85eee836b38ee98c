//! The overlay, both drivers: every test of behaviour runs on each, and expects the same; then the other driver is mounted
//! over the same directories, and must show the same tree. What is expected is what the bare disk does, where that can be asked.
//!
//! The tests need a user namespace in which the caller is root: `stage` makes it with unshare(1) and newuidmap, and runs this
//! same test binary in it (the ignored test `inside`), which makes the layers, mounts the stack and runs one of `cases` there.

mod cases;
mod crowd;
mod disks;
mod faults;
mod limits;
mod marks;
mod moves;
mod pjdfstest;
mod programs;
mod random;
mod snapshot;
mod stage;
mod views;

use stage::Case;

/// Makes a test of a case on each driver, `NAME::DRIVER`.
macro_rules! case {
    ($name:ident: $($driver:ident)+) => {
        mod $name {
            $(#[test]
            fn $driver() {
                super::stage::run(stringify!($driver), stringify!($name));
            })+
        }
    };
}

/// The cases in the order of `cases`: first what the bare disk must do as well, then what an overlay alone has.
macro_rules! cases {
    ($($name:ident),+; $($own:ident),+ $(,)?) => {
        $(case!($name: bare kernel fuse);)+
        $(case!($own: kernel fuse);)+

        fn tree(name: &str) -> Option<fn()> {
            match name {
                $(stringify!($name) => Some(cases::$name),)+
                $(stringify!($own) => Some(cases::$own),)+
                _ => None,
            }
        }
    };
}

/// What `stage` is to run.
fn case(name: &str) -> Case {
    match name {
        "a_disk_without_device_nodes" => Case::Stage(disks::a_disk_without_device_nodes),
        "five_hundred_layers" => Case::Stage(disks::five_hundred_layers),
        "a_limited_directory" => Case::Stage(disks::a_limited_directory),
        "a_living_directory" => Case::Stage(disks::a_living_directory),
        "ids_are_translated" => Case::Stage(views::ids_are_translated),
        "linked_pipe" => Case::Stage(faults::linked_pipe),
        "written_link" => Case::Stage(faults::written_link),
        "leftovers" => Case::Stage(faults::leftovers),
        "holes" => Case::Stage(faults::holes),
        "limited_marks" => Case::Stage(faults::limited_marks),
        "limited_bits" => Case::Stage(faults::limited_bits),
        "mapped" => Case::Stage(faults::mapped),
        "limited_attributes" => Case::Stage(faults::limited_attributes),
        "a_closed_device" => Case::Stage(limits::a_closed_device),
        "few_descriptors" => Case::Stage(limits::few_descriptors),
        "removed_files" => Case::Stage(limits::removed_files),
        "mounts_in_a_row" => Case::Stage(limits::mounts_in_a_row),
        "marks" => Case::Stage(marks::marks),
        "memory_of_each" => Case::Stage(limits::memory_of_each),
        "memory" => Case::Stage(limits::memory),
        "moves" => Case::Stage(moves::moves),
        "crowd" => Case::Stage(crowd::crowd),
        "programs" => Case::Stage(programs::check),
        "random" => Case::Stage(random::sequence),
        "pjdfstest" => Case::Stage(pjdfstest::suite),
        // By hand, for a workload or a measurement.
        "script" => Case::Tree(|| {
            let script = std::env::var("CORACLE_SCRIPT").unwrap();
            assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
        }),
        name => Case::Tree(tree(name).unwrap_or_else(|| panic!("no case {name}"))),
    }
}

cases!(
    merges,
    removes,
    directories_replace_what_was_removed,
    renames,
    renames_lower_directories,
    exchanges,
    links_keep_one_inode,
    lower_links_stay_one_file,
    a_known_link_outlives_the_others,
    moved_directories_keep_their_times,
    the_inode_survives_copy_up,
    unlinked_files_live_while_open,
    readers_see_what_is_written_after_copy_up,
    masks_of_the_caller,
    set_group_id_directories,
    writes_take_set_user_id,
    set_user_id_given_before_close_stays,
    attributes,
    holes_and_long_names,
    removal_while_listing,
    listing_while_others_make,
    one_device_number;
    what_is_refused,
    the_kernel_drivers_probe,
);
