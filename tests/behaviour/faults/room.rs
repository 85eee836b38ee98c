//! A disk without a free byte, or without a free inode: everything that makes room still works, and makes it.

use crate::harness::image::noise;
use crate::harness::{Case, Image, Layer, binary, set_mode};

/// In a namespace where we may mount a disk of our own, with a quarter of it taken by what is then removed.
const SCRIPT: &str = r#"
    mount --bind subids /etc/subuid && mount --bind subids /etc/subgid && mkdir disk && mount -t tmpfs -o size=64m,nr_inodes=20k none disk
    coracle() { "$CORACLE" --root disk/store "$@"; }
    free() { stat -f -c "$format" disk; }
    tidy() {
        # Behind its answer a command still removes files.
        for try in $(seq 500); do [ -z "$(ls disk/store/tmp)" ] && break || sleep 0.02; done
    }
    must() { "$@" >said 2>&1 || { echo "$*: $?"; cat said; }; }
    more() { tidy; now=$(free); [ "$now" -gt "$before" ] && echo "$1 makes room" || echo "$1: $before, then $now"; before=$now; }
    for format in %f %d; do
        case $format in
            %f) fill() { cat /dev/zero >disk/filler 2>/dev/null; free; } ;;
            %d) fill() { mkdir disk/filler; (cd disk/filler && seq 20000 | xargs touch 2>/dev/null); free; } ;;
        esac
        must coracle pull -q "$1"
        must coracle pull -q "$2"
        must coracle run -d --network=none --name up "$1" sh -c 'mkdir /m; cd /m; seq 1000 | xargs touch; head -c 2000000 /dev/zero >/m/large; touch /ready; exec sleep 1000'
        until coracle exec up test -e /ready; do sleep 0.05; done
        must coracle create --network=none --name over "$1" true
        must coracle volume create spare
        must coracle run --rm --network=none -v spare:/v "$1" sh -c 'cd /v; seq 1000 | xargs touch; head -c 2000000 /dev/zero >large'
        before=$(fill)
        echo "free: $before"
        must coracle ps -a
        must coracle images
        must coracle logs up
        must coracle stop -t0 up
        coracle inspect --format '{{.State.Status}} {{.State.ExitCode}}' up
        must coracle rm over
        must coracle rm up; more rm
        must coracle volume rm spare; more "volume rm"
        must coracle rmi "$2"; more rmi
        must coracle system prune -a -f; more prune
        coracle images -q | wc -l
        rm -r disk/filler
        must coracle pull -q "$1"
        must coracle run --rm --network=none "$1" true
        must coracle rmi "$1"
        must coracle system check
    done"#;

fn what_makes_room_works_without_room(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let mut layer = Layer::new().file("large", 0o644, noise(2_000_000));
    for number in 0..1000 {
        layer = layer.file(&format!("many/{number}"), 0o644, "x");
    }
    let other = Image::of(vec![layer]).push("room:1");
    let subids = case.home.join("subids");
    std::fs::write(&subids, "root:1:60000\n").unwrap();
    set_mode(&subids, 0o644);
    let program = binary().display().to_string();
    let unshare = ["--user", "--map-root-user", "--map-auto", "--mount", "sh", "-c", SCRIPT, "sh", &image, &other];
    let finished = case.command_of("unshare".as_ref(), unshare).env("CORACLE", &program).finish().code(0);
    let each = "free: 0\nexited 137\nrm makes room\nvolume rm makes room\nrmi makes room\nprune makes room\n0\n";
    assert_eq!(finished.stdout, each.repeat(2), "{finished}");
}

on_both_drivers!(what_makes_room_works_without_room);
