//! What people have written for podman: `scripts/`, run with a `podman` that is this program, and nothing else changed.
//!
//! Each is a script of its own that checks what it gets, and was tried with Podman 5.4.

use std::os::unix::fs::symlink;

use crate::architecture::root;
use crate::harness::{Case, Driver, binary};

/// Runs one of them on the overlay driver.
fn script(name: &str, driver: Driver) {
    let case = Case::new(driver);
    let image = case.busybox();
    let bin = case.home.join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(binary(), bin.join("podman")).unwrap();
    let script = root().join("tests/behaviour/scripts").join(name);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display());
    let bash = case.command_of("bash".as_ref(), ["-eu", script.to_str().unwrap()]);
    bash.env("PATH", path).env("IMAGE", &image).finish().code(0);
}

/// A test a script with the driver that the program takes by itself and with its own, and one that they are all.
macro_rules! scripts {
    ($($name:ident => $file:literal),+ $(,)?) => {
        $(mod $name {
            use $crate::harness::Driver;

            #[test]
            fn auto() {
                super::script($file, Driver::Auto);
            }

            #[test]
            fn fuse() {
                super::script($file, Driver::Fuse);
            }
        })+

        #[test]
        fn none_is_left_out() {
            let mut named = vec![$($file),+];
            named.sort_unstable();
            let listed = std::fs::read_dir(root().join("tests/behaviour/scripts")).unwrap();
            let mut found: Vec<_> = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, named);
        }
    };
}

scripts!(
    ci_job => "ci-job",
    cron_task => "cron-task",
    deploy_and_roll_back => "deploy-and-roll-back",
    development_database => "development-database",
    image_by_commit => "image-by-commit",
    one_shot_tools => "one-shot-tools",
    parallel_jobs => "parallel-jobs",
    pipes => "pipes",
    secrets => "secrets",
    spring_cleaning => "spring-cleaning",
    volume_backup => "volume-backup",
    watchdog => "watchdog",
);
