//! A disk that fills while a layer is unpacked: the cause is said in one line with what helps, nothing shows, nothing is left, and
//! once there is room the same pull works.

use std::time::Duration;

use super::archives::build::Archive;
use super::layers::{gzip, image};
use super::server::{Answer, Parts, Server};
use crate::behaviour::faults::adversity::on_a_small_disk;
use crate::harness::image::{busybox_layer, noise};
use crate::harness::{Case, Driver, LIMIT, Layer, wait_until};

/// `fails WORDS COMMAND...`: the command fails of the disk, with an error that holds the words, and leaves nothing.
const FAILS: &str = r#"
    left() {
        coracle images -aq
        for try in $(seq 500); do
            # Behind its answer a command still removes files.
            [ -z "$(ls disk/store/tmp)" ] && break || sleep 0.02
        done
        find disk/store/layers disk/store/tmp disk/store/partial disk/store/images -mindepth 1 2>/dev/null |
            grep -v -x -e disk/store/images/blobs -e disk/store/images/blobs/sha256 -e disk/store/images/oci-layout \
                -e disk/store/images/index.json || true
    }
    failed() { # CODE WORDS
        [ "$1" = 125 ] && [ "$(grep -c '^Error: ' said)" = 1 ] && grep '^Error: .*No space left on device' said | grep -q "$2" &&
            grep -q '^hint: free space' said || { echo "code $1:"; cat said; }
        left
    }
    fails() {
        words=$1; shift
        coracle "$@" >said 2>&1
        failed $? "$words"
    }
"#;

/// More files than the disk has blocks for, though their bytes would fit; and more than it has inodes for.
fn of_blocks_and_of_inodes(case: &Case) {
    let many = (0..5000)
        .fold(busybox_layer().dir("many", 0o755), |layer, number| layer.file(&format!("many/{number}"), 0o644, "x"));
    let plain = many.tar();
    let server = Server::start(image(gzip(&plain), &plain));
    let name = format!("{}/x:1", server.address);
    std::fs::write(case.home.join("archive.tar"), Archive::oci(&Parts::of(&[many]), &["q.io/x:1"]).tar()).unwrap();
    let script = [
        FAILS,
        r#"
        for small in size=16m,nr_inodes=100000 size=64m,nr_inodes=1500; do
            mount -o remount,"$small" disk
            fails "the archive's entry .many/" pull "$1"
            fails "" load -q -i archive.tar
            fails "" run --rm --network=none "$1" true
            mount -o remount,size=64m,nr_inodes=100000 disk
            coracle pull -q "$1" >/dev/null && coracle run --rm --network=none "$1" sh -c 'ls /many | wc -l'
            coracle rmi -af >/dev/null
            coracle load -q -i archive.tar
            coracle rmi -af >/dev/null
            left
        done"#,
    ]
    .concat();
    let finished = on_a_small_disk(case, &script, &[&name]);
    assert_eq!(finished.stdout, "5000\nLoaded image: q.io/x:1\n".repeat(2), "{finished}");
}

/// Layers of which each would fit by itself: what they unpack to is counted together, and so are their blobs, before one is asked
/// for.
fn of_layers_together(case: &Case) {
    let serve = |size: usize, packed: bool| {
        let layers = ["a", "b", "c"].map(|name| Layer::new().file(name, 0o644, vec![b'x'; size]));
        let mut parts = Parts::of(&layers);
        let mut answers = parts.answers();
        if packed {
            let blobs = layers.map(|layer| gzip(&layer.tar()));
            let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
            parts.manifest["layers"] = blobs.iter().map(|blob| Parts::descriptor(kind, blob)).collect();
            answers = parts.answers();
            answers.extend(parts.layer_paths().into_iter().zip(blobs.map(|blob| vec![Answer::Whole(200, blob)])));
        }
        (Server::start(answers), parts.layer_paths())
    };
    let ((bombs, _), (large, paths), (honest, _)) =
        (serve(30_000_000, true), serve(25_000_000, false), serve(15_000_000, true));
    let script = [
        FAILS,
        r#"
        mount -o remount,size=64m disk
        fails "it unpacks, with the image's other layers, to more than the [0-9]* bytes" pull "$1"
        fails "what is missing of its layers takes 75[0-9]* bytes, and [0-9]* are free" pull "$2"
        coracle pull -q "$3" >/dev/null && coracle images --format '{{.Size}}'"#,
    ]
    .concat();
    let names = [&bombs, &large, &honest].map(|server| format!("{}/x:1", server.address));
    let finished = on_a_small_disk(case, &script, &names.each_ref().map(String::as_str));
    assert_eq!(finished.stdout, "45 MB\n", "{finished}");
    assert!(paths.iter().all(|path| large.asked(path) == 0), "a blob was asked for");
}

/// Somebody else fills it while the layer is on its way, at its beginning, in its middle and near its end.
fn by_somebody_else(case: &Case) {
    for part in [1, 8, 15] {
        let layer = busybox_layer().file("large", 0o644, noise(3_000_000));
        let parts = Parts::of(&[layer]);
        let mut answers = parts.answers();
        let (whole, first) = (parts.layer.clone(), parts.layer.len() - 3_000_000 + part * 180_000);
        answers.insert(parts.layer_path(), vec![Answer::Held(whole.clone(), first), Answer::Whole(200, whole)]);
        let server = Server::start(answers);
        let script = [
            FAILS,
            r#"
            coracle pull "$1" >said 2>&1 &
            until [ "$(cat disk/store/partial/* 2>/dev/null | wc -c)" = "$2" ]; do sleep 0.02; done
            fill 8
            touch filled
            wait $!
            failed $? ""
            rm disk/filler filled
            coracle pull -q "$1" >/dev/null && coracle run --rm --network=none "$1" sh -c 'wc -c </large'"#,
        ]
        .concat();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                wait_until("the disk is full", LIMIT + Duration::from_secs(5), || case.home.join("filled").exists());
                server.release();
            });
            let finished = on_a_small_disk(case, &script, &[&format!("{}/x:1", server.address), &first.to_string()]);
            assert_eq!(finished.stdout, "3000000\n", "{finished}");
        });
        std::fs::remove_dir(case.home.join("disk")).unwrap();
    }
}

#[test]
fn of_blocks_and_inodes() {
    Case::with(Driver::Auto, of_blocks_and_of_inodes);
}

#[test]
fn of_layers_that_would_fit_one_by_one() {
    Case::with(Driver::Auto, of_layers_together);
}

#[test]
fn while_a_layer_is_on_its_way() {
    Case::with(Driver::Auto, by_somebody_else);
}
