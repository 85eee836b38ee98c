//! COPY and ADD.

use super::Context;
use crate::harness::Case;

/// Name, mode and owner of all below a directory.
fn listed(context: &Context<'_>, directory: &str) -> String {
    context.prints(&format!("cd {directory}; find . ! -name . -exec stat -c '%n %a %u:%g' {{}} + | sort"))
}

fn from_the_context(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         WORKDIR /app\n\
         COPY one renamed\n\
         COPY one two ./both/\n\
         COPY dir ./content\n\
         COPY dir /app/deep/er/\n\
         COPY --chown=33:44 --chmod=600 one owned\n\
         COPY t* patterns/\n\
         COPY --exclude=*.md dir excluded/\n\
         COPY --parents dir/sub/./below dir/sub/below/leaf kept/\n\
         COPY <<one.txt <<\"two.txt\" here/\nhello ${HOME:-nobody}\none.txt\nhello $HOME\ntwo.txt\n\
         RUN ln -s both link\n\
         COPY one link/three\n",
    );
    for (path, text) in
        [("one", "1"), ("two", "2"), ("dir/a.md", "a"), ("dir/b.txt", "b"), ("dir/sub/below/leaf", "leaf")]
    {
        context.file(path, text);
    }
    context.build(&[]).code(0);
    let files = context.prints("cd /app; find . -type f | sort");
    let expected = "./both/one\n./both/three\n./both/two\n./content/a.md\n./content/b.txt\n./content/sub/below/leaf\n\
        ./deep/er/a.md\n./deep/er/b.txt\n./deep/er/sub/below/leaf\n./excluded/b.txt\n./excluded/sub/below/leaf\n\
        ./here/one.txt\n./here/two.txt\n./kept/below/leaf\n./kept/dir/sub/below/leaf\n./owned\n./patterns/two\n./renamed\n";
    assert_eq!(files, expected);
    assert_eq!(context.prints("cat /app/here/*"), "hello nobody\nhello $HOME\n");
    let history = case.coracle(["history", "--no-trunc", "--format={{.CreatedBy}}", "built"]).code(0).stdout;
    for text in ["COPY multi:<<one.txt <<two.txt in /app/here", "COPY multi:one two in /app/both", "COPY dir:"] {
        assert!(history.contains(text), "{text}: {history}");
    }
    assert_eq!(listed(&context, "/app").lines().find(|line| line.starts_with("./owned")), Some("./owned 600 33:44"));
    assert_eq!(context.prints("stat -c '%a %u:%g' /app /app/deep"), "755 0:0\n755 0:0\n");
}

fn from_stages_and_images(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE AS made\n\
         RUN mkdir -p /out/sub && echo 1 >/out/a.jar && echo 2 >/out/sub/b && chown 33:44 /out/a.jar && ln -s a.jar /out/link\n\
         FROM scratch AS bare\n\
         COPY --from=made /out/a.jar /only\n\
         FROM IMAGE\n\
         COPY --from=made /out /copied\n\
         COPY --from=made /out/*.jar /app.jar\n\
         COPY --from=bare /only /dir/\n\
         COPY --from=0 --chown=0:0 /out/a.jar /plain\n\
         COPY --from=IMAGE /bin/busybox /second\n",
    );
    context.build(&[]).code(0);
    assert_eq!(
        context.prints(
            "cd /copied; find . | sort; readlink link; cat /app.jar /dir/only; cmp /second /bin/busybox && echo same"
        ),
        ".\n./a.jar\n./link\n./sub\n./sub/b\na.jar\n1\n1\nsame\n"
    );
    assert_eq!(context.prints("stat -c %u:%g /copied/a.jar /app.jar /plain"), "33:44\n33:44\n0:0\n");
    // Only what is needed is built.
    let built = context.build(&["--target=bare"]).code(0);
    assert!(!built.stdout.contains("/copied"), "{built}");
}

fn archives_are_unpacked_by_add(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nADD a.tar.gz plain /x/\nCOPY a.tar.gz /y/\n");
    context.file("plain", "no archive");
    context.file("inner/file", "packed");
    let pack = format!("cd {} && tar -czf a.tar.gz -C inner file", context.path.display());
    case.command_of("sh".as_ref(), ["-c", &pack]).env("PATH", "/usr/bin:/bin").finish().code(0);
    context.build(&[]).code(0);
    assert_eq!(context.prints("cat /x/file /x/plain; ls /y"), "packedno archivea.tar.gz\n");
}

fn what_the_ignore_file_lists_is_not_there(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nCOPY . /c\n");
    context.file(".dockerignore", "# no comment\n*.log\nnode_modules\n!keep.log\nContainerfile\n.dockerignore\n");
    for path in ["a.log", "keep.log", "node_modules/x", "src/b.log", "src/c"] {
        context.file(path, path);
    }
    context.build(&[]).code(0);
    assert_eq!(context.prints("cd /c; find . -type f | sort"), "./keep.log\n./src/b.log\n./src/c\n");
    context.instructions("FROM IMAGE\nCOPY a.log /\n");
    context.build(&[]).code(125).error("`a.log` is excluded by the ignore file");
}

on_both_drivers!(
    from_the_context,
    from_stages_and_images,
    archives_are_unpacked_by_add,
    what_the_ignore_file_lists_is_not_there
);
