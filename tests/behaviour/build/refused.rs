//! What is wrong is said with its place, and leaves nothing.

use super::Context;
use crate::harness::Case;

fn mistakes(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\n");
    context.file("file", "x");
    std::os::unix::fs::symlink("/etc", context.path.join("out")).unwrap();
    for (instructions, error, hint) in [
        ("FROM IMAGE\nRUNN true\n", "Containerfile:2:1: unknown instruction `RUNN`", "did you mean `RUN`?"),
        ("FROM IMAGE\nCOPY missing /\n", "Containerfile:2:1: `missing` is not in the build context", "hint: "),
        ("FROM IMAGE\nCOPY ../up /\n", "`../up` leads out of the build context", "--build-context"),
        ("FROM IMAGE\nCOPY out/passwd /\n", "`out/passwd` leads out of the build context", "hint: "),
        ("FROM IMAGE\nCOPY file file /x\n", "must be a directory and end in a slash", ""),
        ("FROM IMAGE\nCOPY --from=0 /nowhere /\n", "Containerfile:2:", ""),
        ("FROM IMAGE AS a\nCOPY --from=b /x /\nFROM IMAGE AS b\nCOPY --from=a /x /\n", "Containerfile:", ""),
        ("FROM localhost/no-such-image\n", "localhost/no-such-image: image not known", "coracle pull"),
        ("FROM IMAGE\nSTOPSIGNAL NONSENSE\n", "`NONSENSE` is not a signal", ""),
        ("FROM $UNSET\n", "Containerfile:1:", ""),
        ("RUN true\n", "RUN before the first FROM", ""),
    ] {
        context.instructions(instructions);
        let refused = context.build(&["--pull=never"]).code(125);
        let words = refused.stderr.contains(error) && refused.stderr.contains(hint);
        assert!(words, "{instructions}\n{refused}");
    }
    case.coracle(["image", "exists", "built"]).code(1);
    case.coracle(["build", "/nowhere"]).code(125).error("no Containerfile or Dockerfile is in `/nowhere`");
    let path = context.path.display().to_string();
    context.instructions("FROM IMAGE AS first\n");
    case.coracle(["build", "--target=frist", &path]).code(125).says("hint: did you mean `first`?");
    context.file("Containerfile", &"#".repeat(2 << 20));
    context.build(&[]).code(125).error("bytes are too many for instructions");
}

/// Sockets, devices, what nobody may read: left out, or named.
fn odd_files_in_a_context(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nCOPY . /c\n");
    context.file("fine", "x");
    let _socket = std::os::unix::net::UnixListener::bind(context.path.join("socket")).unwrap();
    std::os::unix::fs::symlink("nowhere", context.path.join("dangling")).unwrap();
    context.build(&[]).code(0);
    assert_eq!(context.prints("cd /c; ls; readlink dangling"), "Containerfile\ndangling\nfine\nnowhere\n");
    context.file("secret", "x");
    crate::harness::set_mode(&context.path.join("secret"), 0);
    context.build(&[]).code(125).error("open(secret): Permission denied");
}

on_both_drivers!(mistakes, odd_files_in_a_context);
