//! A machine that is not kind: others rename files all the time, and the disk is full.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::image::noise;
use crate::harness::{Case, Image, Layer, binary, set_mode};

/// Renames folders in a loop, elsewhere on the machine, while `work` runs.
fn amid_renames(case: &Case, work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for name in ["storm-1", "storm-2"] {
            let place = case.home.join(name);
            std::fs::create_dir_all(place.join("a/moving")).unwrap();
            std::fs::create_dir(place.join("b")).unwrap();
            let (a, b) = (place.join("a/moving"), place.join("b/moving"));
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::fs::rename(&a, &b).unwrap();
                    std::fs::rename(&b, &a).unwrap();
                }
            });
        }
        // Also when `work` fails, so that the test ends.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

/// The kernel gives `..` beneath a root up (EAGAIN) when anything on the machine is renamed meanwhile: one walk of a hundred with
/// this link. Neither unpacking nor a start may fail of it.
fn renames_elsewhere(case: &Case) {
    let up_and_down = format!("{}d", "d/../".repeat(19));
    let mut layer = Layer::new().dir("d", 0o755).symlink("link", &up_and_down);
    for number in 0..1500 {
        layer = layer.file(&format!("link/{number}/file"), 0o644, "x");
    }
    let image = Image::busybox().layer(layer).push("renames:latest");
    let source = case.home.join("source");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("mine"), "").unwrap();
    let mounts: Vec<_> = (0..40).map(|number| format!("{}:/link/{number}", source.display())).collect();
    amid_renames(case, || {
        case.pull(&image);
        for _ in 0..10 {
            let mut arguments = vec!["run", "--rm", "--network=none"];
            arguments.extend(mounts.iter().flat_map(|mount| ["-v", mount]));
            arguments.extend([&image, "sh", "-c", "ls /d/1499 /d/39"]);
            case.coracle(arguments).code(0).stdout("/d/1499:\nfile\n\n/d/39:\nmine\n").stderr("");
        }
    });
}

/// However little room is left on the disk of the store, a start that fails says so and what helps, and leaves nothing. In a
/// namespace where we may mount a disk of our own.
fn a_full_disk(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let other = Image::of(vec![Layer::new().file("large", 0o644, noise(100_000))]).push("large:latest");
    let subids = case.home.join("subids");
    std::fs::write(&subids, "root:1:60000\n").unwrap();
    set_mode(&subids, 0o644);
    let script = r#"
        mount --bind subids /etc/subuid && mount --bind subids /etc/subgid && mkdir disk && mount -t tmpfs -o size=16m none disk
        coracle() { "$CORACLE" --root disk/store "$@"; }
        left() {
            for try in $(seq 500); do
                # Behind its answer a command still removes files.
                [ -z "$(ls disk/store/tmp)" ] && break || sleep 0.02
            done
            ls disk/store/containers disk/store/names disk/store/tmp | grep -v -e : -e '^$'
        }
        fill() { head -c "$((($(stat -f -c %f disk) - $1) * 4096))" /dev/zero >disk/filler; }
        coracle pull -q "$1" >/dev/null
        for room in 0 1 2 3 4 5 6 8 12 16 24; do
            fill "$room"
            coracle run --rm --network=none "$1" true >said 2>&1
            code=$?
            rm disk/filler
            case $code in
                0) ;;
                125) grep -q '^Error: .*No space left on device' said && grep -q '^hint: free space' said || { echo "room for $room:"; cat said; } ;;
                *) echo "room for $room: code $code"; cat said ;;
            esac
            left
        done
        echo "with room: $code"
        fill 10
        coracle pull "$2" >said 2>&1; echo "pull: $?"
        grep -q '^Error: .*No space left on device' said && grep -q '^hint: free space' said || cat said
        rm disk/filler
        left
        coracle images --format '{{.Repository}}' | wc -l
        coracle pull -q "$2" >/dev/null && echo pulled
        # No room for the new layer's files, then for its blob.
        coracle run --network=none --name box "$1" sh -c 'head -c 2000000 /dev/urandom >/root/large'
        for room in 10 300 700; do
            fill "$room"
            coracle commit -q box made >said 2>&1; echo "commit: $?"
            grep -q '^Error: .*No space left on device' said && grep -q '^hint: free space' said || cat said
            rm disk/filler
        done
        ls disk/store/tmp disk/store/layers | grep -c .
        coracle images -q | wc -l
        coracle commit -q box made >/dev/null && echo committed"#;
    let program = binary().display().to_string();
    let unshare = ["--user", "--map-root-user", "--map-auto", "--mount", "sh", "-c", script, "sh", &image, &other];
    let finished = case.command_of("unshare".as_ref(), unshare).env("CORACLE", &program).finish().code(0);
    assert_eq!(
        finished.stdout, "with room: 0\npull: 125\n1\npulled\ncommit: 125\ncommit: 125\ncommit: 125\n4\n2\ncommitted\n",
        "{finished}"
    );
}

on_both_drivers!(renames_elsewhere, a_full_disk);
