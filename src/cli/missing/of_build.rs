//! Flags of `build`, by whichever of its names.

use super::flags::Refused;

const BUILD: &[&str] = &["build"];

// flat: an entry a reason
pub const FLAGS: &[Refused] = &[
    (
        BUILD,
        &["all-platforms", "manifest"],
        "a build is for one platform",
        "build for each with `--platform` and `--tag`, then `coracle manifest create LIST NAME...`",
    ),
    (
        BUILD,
        &["cache-ttl"],
        "steps are remembered until they are forgotten",
        "`--no-cache`, or `coracle builder prune --all`",
    ),
    (
        BUILD,
        &["call"],
        "instructions are built or checked, and neither outlined nor listed",
        "leave it out, or `--check` in place of `--call=check`",
    ),
    (
        BUILD,
        &["compat-volumes"],
        "what a command writes below a VOLUME is a part of the image, as BuildKit has it",
        "leave it out, or remove those files at the end of the command that makes them",
    ),
    (
        BUILD,
        &["cpp-flag"],
        "files of instructions do not go through the C preprocessor",
        "`cpp -E -P FILE | coracle build -f - CONTEXT`",
    ),
    (BUILD, &["cw"], "images for confidential workloads are not made", "`--output=type=tar,dest=FILE` gives the files"),
    (BUILD, &["decryption-key"], "encrypted images are not supported", "pull the image in the clear, over TLS"),
    (
        BUILD,
        &["hooks-dir", "runtime", "runtime-flag"],
        "this program is its own runtime",
        "leave it out: `--cap-add`, `--security-opt` and others say how commands run",
    ),
    (BUILD, &["layer-label"], "steps have layers and no images of their own", "`--label` is the image's"),
    (
        BUILD,
        &["logfile", "logsplit"],
        "what is told goes to standard output and standard error",
        "`--progress=plain`, and `>FILE 2>&1`",
    ),
    (BUILD, &["no-cache-filter"], "stages are not named to be built anew", "`--no-cache` does every step anew"),
    (
        BUILD,
        &["os-feature", "os-version"],
        "that is of images for Windows alone, in which nothing can be run here",
        "leave it out",
    ),
    (
        BUILD,
        &[
            "sbom-image-output",
            "sbom-image-purl-output",
            "sbom-merge-strategy",
            "sbom-output",
            "sbom-purl-output",
            "sbom-scanner-command",
            "sbom-scanner-image",
        ],
        "no bill of materials is made",
        "scanners read what `--output=type=oci,dest=FILE` writes",
    ),
    (BUILD, &["sign-by"], "images are not signed here", "`cosign sign` signs what is in a registry"),
    (
        BUILD,
        &["stdin"],
        "a command that is run has an empty input",
        "answer by a heredoc, `RUN program <<EOF`, or by the program's own flag (`apt-get -y`)",
    ),
    (
        BUILD,
        &["userns-gid-map", "userns-gid-map-group", "userns-uid-map", "userns-uid-map-user"],
        "files have the owners that the image gives them, whatever ids commands run with",
        "`--userns=auto:size=NUMBER` lets commands run with others",
    ),
];
