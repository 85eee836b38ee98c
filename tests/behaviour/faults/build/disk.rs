//! A disk that fills while a build writes to it.

use crate::behaviour::faults::adversity::on_a_small_disk;
use crate::harness::{Case, Image};

/// In RUN, in COPY, or where a layer is made of what they wrote: the cause is said with what helps, what was done before stays
/// done, and with room again the rest is.
fn a_full_disk(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let script = r#"
        coracle pull -q "$1" >/dev/null
        mkdir context && head -c 3000000 /dev/urandom >context/large
        build() { coracle build -q --network=none --timestamp 1000000000 -t built context; }
        tidy() {
            for try in $(seq 500); do
                # Behind its answer a command still removes files.
                [ -z "$(ls disk/store/tmp)" ] && return || sleep 0.02
            done
            ls disk/store/tmp
        }
        reached() { ls disk/store/build-cache/steps 2>/dev/null | wc -l; }
        for last in 'RUN dd if=/dev/urandom of=/large bs=100000 count=30 conv=fsync' 'COPY large /' 'WORKDIR /made'; do
            printf 'FROM %s\nRUN echo first >/first\n%s\n' "$1" "$last" >context/Containerfile
            for room in 1 4 8 16 40 100 300 500 700; do
                fill "$room"
                build >said 2>&1
                code=$?
                rm disk/filler
                case $code in
                    0) ;;
                    125) grep -q '^Error: .*No space left on device' said && grep -q '^hint: free space' said || { echo "$last, room for $room:"; cat said; } ;;
                    # What the command itself says of a full disk.
                    1) grep -q '^Error: .*ended with exit code 1' said && grep -q 'No space left on device' said || { echo "$last, room for $room:"; cat said; } ;;
                    *) echo "$last, room for $room: code $code"; cat said ;;
                esac
                tidy
                coracle image exists built && [ $code != 0 ] && echo "$last, room for $room: half an image is there"
                coracle system check >said 2>&1 || cat said
                coracle rmi -f built >/dev/null 2>&1
                coracle image prune -f >/dev/null
            done
            build >/dev/null && coracle run --rm --network=none built cat /first
            coracle rmi -f built >/dev/null
            coracle image prune -f >/dev/null
        done
        printf 'FROM %s\nRUN echo first >/first\nCOPY large /\n' "$1" >context/Containerfile
        fill 300
        build >said 2>&1; echo "build: $?"
        reached
        rm disk/filler
        build >/dev/null && reached"#;
    let finished = on_a_small_disk(case, script, &[&image]);
    assert_eq!(finished.stdout, "first\nfirst\nfirst\nbuild: 125\n1\n2\n", "{finished}");
}

/// A cache mount that is full is the command's own trouble, and stays usable.
fn a_full_cache(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let script = r#"
        coracle pull -q "$1" >/dev/null
        mkdir context
        printf 'FROM %s\nRUN --mount=type=cache,target=/cache cat /cache/kept 2>/dev/null; echo kept >/cache/kept; dd if=/dev/zero of=/cache/large bs=100000 count=40\n' "$1" >context/Containerfile
        fill 500
        coracle build -q --network=none context >said 2>&1; echo "build: $?"
        grep -c 'No space left on device' said
        rm disk/filler
        coracle build --network=none context | grep -c '^kept$'
        coracle system check >said 2>&1 || cat said"#;
    let finished = on_a_small_disk(case, script, &[&image]);
    assert_eq!(finished.stdout, "build: 1\n1\n1\n", "{finished}");
}

on_both_drivers!(a_full_disk, a_full_cache);
