//! Results beside the store, and layers that become one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Context;
use crate::harness::Case;
use crate::harness::image::registry;

const FILES: &str = "FROM IMAGE AS made\n\
     RUN mkdir -p /o/deep && echo x >/o/program && chown 33:44 /o/program && chmod 4751 /o/program && ln -s program /o/link\n\
     FROM scratch\n\
     COPY --from=made /o /\n";

pub fn files_of_the_image(case: &Case) {
    let context = Context::new(case, FILES);
    let out = case.home.join("out");
    context.build(&["-o", out.to_str().unwrap()]).code(0);
    assert_eq!(fs::read_to_string(out.join("program")).unwrap(), "x\n");
    assert_eq!(fs::read_link(out.join("link")).unwrap().to_str(), Some("program"));
    // As the user's own: nobody runs it as somebody else.
    assert_eq!(fs::metadata(out.join("program")).unwrap().permissions().mode() & 0o7777, 0o751);
    assert!(out.join("deep").is_dir());
    // What is there under other names stays.
    fs::write(out.join("mine"), "mine").unwrap();
    fs::write(out.join("program"), "old").unwrap();
    let dest = format!("type=local,dest={}", out.display());
    context.build(&["--output", &dest]).code(0);
    assert_eq!(fs::read_to_string(out.join("program")).unwrap(), "x\n");
    assert_eq!(fs::read_to_string(out.join("mine")).unwrap(), "mine");
    // A symlink in the directory leads nowhere else.
    let outside = case.home.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::remove_dir(out.join("deep")).unwrap();
    std::os::unix::fs::symlink(&outside, out.join("deep")).unwrap();
    context.instructions("FROM scratch\nCOPY <<EOF /deep/file\nx\nEOF\n");
    context.build(&["-o", out.to_str().unwrap()]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    // As an archive: owners and modes are the image's.
    context.instructions(FILES);
    let tar = case.home.join("x.tar");
    context.build(&["-o", &format!("type=tar,dest={}", tar.display())]).code(0);
    let listed = |input: Vec<u8>| {
        let tar = case.command_of("tar".as_ref(), ["-tvf", "-", "--numeric-owner"]).env("TZ", "UTC").stdin(input);
        let lines = tar.finish().code(0).stdout;
        lines
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .map(|all| all.join(" "))
            .collect::<Vec<_>>()
    };
    let lines = listed(fs::read(&tar).unwrap());
    assert!(lines.iter().any(|line| line.starts_with("-rwsr-x--x 33/44 2") && line.ends_with(" program")), "{lines:?}");
    // To standard output: nothing else goes there.
    let script = format!(
        "{} build -q --network=none -o - {} >{}",
        crate::harness::binary().display(),
        context.path.display(),
        case.home.join("y.tar").display()
    );
    case.command_of("sh".as_ref(), ["-c", &script]).finish().code(0);
    assert_eq!(listed(fs::read(case.home.join("y.tar")).unwrap()), lines);
    let loud = context.build(&["--output=type=tar,dest=/dev/null"]).code(0);
    assert!(loud.stdout.contains("STEP "), "{loud}");
    for (word, error) in [("type=nothing,dest=x", "`nothing` is not known"), ("type=tar", "`dest` says where to")] {
        context.build(&["--output", word]).code(125).error(error);
    }
}

fn images_in_archives(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo x >/x\n");
    for (kind, transport) in [("oci", "oci-archive"), ("docker", "docker-archive")] {
        let path = case.home.join(kind);
        context.build(&["-o", &format!("type={kind},dest={}", path.display())]).code(0);
        case.coracle(["rmi", "built"]).code(0);
        case.coracle(["load", "-i", path.to_str().unwrap()]).code(0);
        assert_eq!(context.prints("cat /x"), "x\n", "{transport}");
    }
    context.build(&["-o", "type=docker"]).code(0);
    // One more name, and to its registry.
    let name = format!("{}/build/pushed-{}:1", registry(), case.driver.name());
    context.build(&["-o", &format!("type=image,name={name},push=true")]).code(0);
    let id = context.config("{{.Id}}");
    case.coracle(["rmi", "-f", &name, "built"]).code(0);
    case.coracle(["pull", "-q", &name]).code(0).stdout(&format!("{id}\n"));
    let other = format!("{}/build/pushed-{}:2", registry(), case.driver.name());
    case.coracle(["build", "-q", "--network=none", "--push", "-t", &other, context.path.to_str().unwrap()]).code(0);
    case.coracle(["rmi", &other]).code(0);
    case.coracle(["pull", "-q", &other]).code(0);
}

/// One layer above the base's does what all of them did.
pub fn new_layers_in_one(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE AS below\n\
         RUN rm /etc/group && mkdir -p /d/kept && echo 1 >/d/one && echo 1 >/replaced && rm -r /var && mkdir /var && echo x >/var/new\n\
         FROM below\n\
         RUN rm -r /d && mkdir /d && echo 2 >/d/two && chown 33:44 /d/two\n\
         RUN rm /replaced && mkdir /replaced && rm /etc/passwd && ln /d/two /hard\n\
         ENV A=1\n",
    );
    let show = "find /d /var /etc /replaced /hard | sort; stat -c '%u:%g %h' /d/two; cat /hard";
    context.build(&[]).code(0);
    let expected = context.prints(show);
    assert_eq!(context.config("{{len .RootFS.Layers}}"), "4");
    context.build(&["--squash"]).code(0);
    assert_eq!(context.prints(show), expected);
    assert_eq!(context.config("{{len .RootFS.Layers}} {{index .Config.Env 1}}"), "2 A=1");
    assert_eq!(
        case.coracle(["image", "inspect", "--format", "{{index .RootFS.Layers 0}}", "built"]).code(0).stdout,
        case.coracle(["image", "inspect", "--format", "{{index .RootFS.Layers 0}}", &case.busybox()]).code(0).stdout
    );
    case.coracle(["history", "built"]).code(0);
    // The base's layer is still what is below it.
    let other = Context::new(case, "FROM built\nRUN test ! -e /etc/passwd && test ! -e /d/one\n");
    other.build(&["--squash"]).code(0);
    assert_eq!(context.config("{{len .RootFS.Layers}}"), "3");
    let alone = Context::new(case, "FROM IMAGE\n");
    alone.build(&["--squash"]).code(0);
    assert_eq!(context.config("{{len .RootFS.Layers}}"), "1");
}

on_both_drivers!(files_of_the_image, images_in_archives, new_layers_in_one);
