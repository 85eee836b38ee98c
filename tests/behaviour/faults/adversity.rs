//! A machine that is not kind: others rename files all the time, and the disk is full.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::image::noise;
use crate::harness::{Case, Finished, Image, Layer, binary, set_mode};

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

/// Runs the script with the arguments in a namespace where we may mount a disk of our own. The script begins with one for `coracle`,
/// of which `fill ROOM` leaves so many pages free.
pub fn on_a_small_disk(case: &Case, script: &str, arguments: &[&str]) -> Finished {
    let subids = case.home.join("subids");
    std::fs::write(&subids, "root:1:60000\n").unwrap();
    set_mode(&subids, 0o644);
    let script = [
        r#"
        mount --bind subids /etc/subuid && mount --bind subids /etc/subgid && mkdir disk && mount -t tmpfs -o size=16m none disk
        coracle() { "$CORACLE" --root disk/store "$@"; }
        fill() { head -c "$((($(stat -f -c %f disk) - $1) * 4096))" /dev/zero >disk/filler; }"#,
        script,
    ]
    .concat();
    let unshare = ["--user", "--map-root-user", "--map-auto", "--mount", "sh", "-c", &script, "sh"];
    let unshare = unshare.iter().chain(arguments).copied();
    case.command_of("unshare".as_ref(), unshare).env("CORACLE", binary()).finish().code(0)
}

/// However little room is left on the disk of the store, a start that fails says so and what helps, and leaves nothing.
fn a_full_disk(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let other = Image::of(vec![Layer::new().file("large", 0o644, noise(100_000))]).push("filler:latest");
    let script = r#"
        left() {
            for try in $(seq 500); do
                # Behind its answer a command still removes files.
                [ -z "$(ls disk/store/tmp)" ] && break || sleep 0.02
            done
            ls disk/store/containers disk/store/names disk/store/tmp | grep -v -e : -e '^$'
        }
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
    let finished = on_a_small_disk(case, script, &[&image, &other]);
    assert_eq!(
        finished.stdout, "with room: 0\npull: 125\n1\npulled\ncommit: 125\ncommit: 125\ncommit: 125\n4\n2\ncommitted\n",
        "{finished}"
    );
}

/// A log for which there is no room is cut, and says by how much once there is some again; the container goes on.
fn a_full_disk_and_the_log(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let script = r#"
        turn() { touch "talk/$1"; until [ -e "talk/done$1" ]; do sleep 0.02; done; }
        mkdir talk && coracle run -d --network=none --name box -v "$PWD/talk:/talk" "$1" sh -c '
            for turn in 1 2 3; do
                until [ -e /talk/$turn ]; do sleep 0.02; done
                for line in $(seq 1500); do echo "turn $turn line $line end"; done
                touch /talk/done$turn
            done
            exec sleep 1000' >/dev/null
        turn 1
        until coracle logs --tail 1 box | grep -q 'turn 1 line 1500'; do sleep 0.02; done
        fill 0
        turn 2
        rm disk/filler
        turn 3
        until coracle logs --tail 1 box | grep -q 'turn 3 line 1500'; do sleep 0.02; done
        coracle logs box >out 2>err
        kept=$(grep -c '^turn 2 .*end$' out)
        lost=$(sed -n 's/^coracle: \([0-9]*\) lines of this log are lost: no space left on device$/\1/p' err)
        [ "$kept" -lt 1500 ] && [ $((kept + lost)) -eq 1500 ] || echo "kept $kept, lost $lost"
        grep -c '^turn [13] .*end$' out
        grep -c . err
        # No room until the end, and later.
        rm talk/*; coracle restart -t 0 box >/dev/null; turn 1
        until coracle logs --tail 1 box | grep -q 'turn 1 line 1500'; do sleep 0.02; done
        fill 0
        turn 2
        coracle stop -t 0 box >/dev/null
        coracle logs --tail 1 box 2>&1 >/dev/null | grep -c 'container box: [0-9]* lines of this log are lost: no space'
        rm disk/filler; rm talk/*; coracle start box >/dev/null; turn 1
        coracle logs box 2>&1 >/dev/null | grep -c '^coracle: [0-9]* lines of this log are lost: no space left on device$'
        coracle rm -f -t 0 box >/dev/null"#;
    let finished = on_a_small_disk(case, script, &[&image]);
    // A tmpfs has users' attributes since Linux 6.6.
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let release: Vec<u32> = release.split('.').take(2).map(|part| part.parse().unwrap_or(0)).collect();
    let later = if release >= vec![6, 6] { "1\n2\n" } else { "0\n1\n" };
    assert_eq!(finished.stdout, format!("3000\n1\n{later}"), "{finished}");
}

/// However little room is left, what is loaded, copied in or imported says that there is none and what helps, leaves nothing half of
/// the store's, and works once there is room.
fn a_full_disk_and_what_is_brought(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let other = Image::of(vec![Layer::new().file("large", 0o644, noise(400_000))]).push("brought:1");
    case.coracle(["pull", "-q", &other]).succeeded();
    case.coracle(["save", "-q", "-o", "other.tar", &other]).succeeded();
    std::fs::write(case.home.join("large"), noise(400_000)).unwrap();
    case.command_of("tar".as_ref(), ["cf", "large.tar", "large"]).finish().code(0);
    let script = r#"
        quiet() { for try in $(seq 500); do [ -z "$(ls disk/store/tmp)" ] && break || sleep 0.02; done; ls disk/store/tmp; }
        said() { case $1 in 0) ;; 125) grep -q '^Error: .*No space left on device' said && grep -q '^hint: ' said || { echo "$2 with room for $room:"; cat said; } ;; *) echo "$2 with room for $room: $1"; cat said ;; esac; }
        coracle pull -q "$1" >/dev/null
        coracle create --network=none --name idle "$1" true >/dev/null
        coracle run -d --network=none --name box "$1" sleep 1000 >/dev/null
        coracle volume create vol >/dev/null
        before=$(ls disk/store/layers disk/store/images/blobs/sha256 | sort)
        for room in 0 1 2 4 8 16 50 97 99 101 104 120 220; do
            fill "$room"
            coracle load -q -i other.tar >said 2>&1; code=$?; said $code load; [ $code = 0 ] && loads="$loads $room"
            rm disk/filler; [ $code = 0 ] || quiet
            [ $code = 0 ] || [ "$(ls disk/store/layers disk/store/images/blobs/sha256 | sort)" = "$before" ] || echo "load left something with room for $room"
            coracle rmi -f "$2" >/dev/null 2>&1; quiet
            for box in box idle; do
                fill "$room"
                coracle cp large $box:/tmp/large >said 2>&1; code=$?; said $code "cp $box"; [ $code = 0 ] && copies="$copies $room"
                rm disk/filler
                # Whole, or not there.
                coracle cp $box:/tmp/large back >/dev/null 2>&1 && { cmp -s large back || echo "half of it in $box with room for $room"; } || [ $code != 0 ] || echo "it is not in $box"
                rm -f back
                [ $box = idle ] || coracle exec box rm -f /tmp/large
            done
            coracle rm -f idle >/dev/null; coracle create --network=none --name idle "$1" true >/dev/null
            quiet
            fill "$room"
            coracle volume import vol large.tar >said 2>&1; code=$?; said $code "volume import"; [ $code = 0 ] && imports="$imports $room"
            rm disk/filler
            coracle volume rm vol >/dev/null && coracle volume create vol >/dev/null
        done
        [ -n "$loads" ] && [ -n "$copies" ] && [ -n "$imports" ] && echo "each was done with room"
        coracle system check >said 2>&1 || cat said
        coracle rm -f -t0 -a >/dev/null
        echo over"#;
    let finished = on_a_small_disk(case, script, &[&image, &other]);
    assert_eq!(finished.stdout, "each was done with room\nover\n", "{finished}");
}

on_both_drivers!(renames_elsewhere, a_full_disk, a_full_disk_and_what_is_brought, a_full_disk_and_the_log);
