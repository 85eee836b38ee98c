//! A hostile repository of git, or a hostile archive: as a build context, and as what ADD takes.

use std::os::unix::fs::symlink;

use super::Bait;
use crate::behaviour::build::Context;
use crate::behaviour::build::fetched::{clone_of, commit, git, repository};
use crate::behaviour::build::server::Server;
use crate::harness::{Case, Finished, Layer};

/// Ends with 9 if anything that the instructions took has the bait's secret.
const LOOK: &str = "RUN grep -r 'nobody els[e]' /all && exit 9; true\n";

#[track_caller]
fn nothing_was_taken(bait: &Bait, what: &str, done: &Finished) {
    bait.is_untouched();
    assert!(
        done.code != Some(9) && !done.stdout.contains(Bait::SECRET) && !done.stderr.contains(Bait::SECRET),
        "{what}: {done}"
    );
}

/// Submodules that are a command, or files of the user's, where the user's own configuration would allow both; links that lead out;
/// references and directories that are more than names.
fn repositories(case: &Case) {
    let (bait, server, context) = (Bait::new(case), Server::new(), Context::new(case, ""));
    let allowed =
        "[protocol]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n[protocol \"file\"]\n\tallow = always\n";
    std::fs::write(case.home.join(".gitconfig"), allowed).unwrap();
    let private = case.home.join("private");
    std::fs::create_dir(&private).unwrap();
    git(case, &private, &["init", "-q"]);
    std::fs::write(private.join("file"), Bait::SECRET).unwrap();
    git(case, &private, &["add", "-A"]);
    git(case, &private, &["commit", "-q", "-m", "x"]);
    let linked = git(case, &private, &["rev-parse", "HEAD"]);

    let work = repository(case);
    let image = case.busybox();
    commit(case, "Containerfile", &format!("FROM {image}\nCOPY . /all/\n{LOOK}"));
    let url = clone_of(case, &server);
    let bare = case.home.join("repositories/r.git");
    let push = || git(case, &work, &["push", "-q", "-f", bare.to_str().unwrap(), "main"]);
    let build = |what: &str, place: &str, flags: &[&str]| {
        let fixed = ["build", "-t", "built", "--network=none", "--no-cache"];
        let done = case.coracle(fixed.iter().chain(flags).copied().chain([place]));
        nothing_was_taken(&bait, what, &done);
        done
    };
    let added = |what: &str, source: &str| {
        context.instructions(&format!("FROM IMAGE\nADD {source} /all/\n{LOOK}"));
        let done = context.build(&["--no-cache"]);
        nothing_was_taken(&bait, what, &done);
        done
    };
    build("as it should be", &url, &[]).code(0);
    let planted = bait.path("planted");
    for module in [
        format!("ext::sh -c touch% {planted}"),
        format!("file://{}", private.display()),
        private.display().to_string(),
        format!("--upload-pack=touch {planted}"),
    ] {
        commit(case, ".gitmodules", &format!("[submodule \"m\"]\n\tpath = m\n\turl = \"{module}\"\n"));
        git(case, &work, &["update-index", "--add", "--cacheinfo", &format!("160000,{linked},m")]);
        git(case, &work, &["commit", "-q", "-m", "x"]);
        push();
        build(&module, &url, &[]).code(125);
        added(&module, &url).code(125);
    }
    git(case, &work, &["reset", "-q", "--hard", "HEAD"]);
    git(case, &work, &["rm", "-q", "--cached", "m"]);
    git(case, &work, &["rm", "-q", ".gitmodules"]);
    symlink(bait.path("file"), work.join("way")).unwrap();
    symlink(bait.path(""), work.join("folder")).unwrap();
    symlink(bait.path("file"), work.join(".dockerignore")).unwrap();
    commit(case, "Copies", &format!("FROM {image}\nCOPY way folder/file /all/\n{LOOK}"));
    commit(
        case,
        "Mounts",
        &format!("FROM {image}\nRUN --mount=target=/m cp -r /m /all; cp /m/way /m/folder/file /all/; true\n{LOOK}"),
    );
    push();
    build("an ignore file", &url, &[]).code(125).error("`.dockerignore` leads out of");
    git(case, &work, &["rm", "-q", ".dockerignore"]);
    commit(case, "plain", "plain");
    push();
    build("links stay links", &url, &[]).code(0);
    build("links that are copied", &url, &["-f", "Copies"]).code(125).error("`way` leads out of");
    build("links that are mounted", &url, &["-f", "Mounts"]).code(0);
    build("instructions", &url, &["-f", "way"]).code(125).error("`way` leads out of");
    build("a directory", &format!("{url}#main:folder"), &[]).code(125).error("leads out of");
    build("a directory above", &format!("{url}#main:../.."), &[]).code(125).error("leads out of");
    added("links that are added", &url).code(0);
    added("a link that is added", &format!("{url}#main:way"));
    added("a directory that is added", &format!("{url}#main:folder")).code(125).error("leads out of");
    let flag = format!("{url}#--upload-pack=touch${{IFS}}{planted}");
    build("a reference", &flag, &[]).code(125).error("is no name of a branch");
}

/// Names that climb, links to write or read through, by name and by number of links.
fn archives(case: &Case) {
    let bait = Bait::new(case);
    let up = format!("{}{}", "../".repeat(10), bait.path("").trim_start_matches('/'));
    let (folder, file) = (bait.path(""), bait.path("file"));
    let instructions = format!("FROM {}\nCOPY . /all/\n{LOOK}", case.busybox());
    let of = || Layer::new().file("Containerfile", 0o644, &instructions);
    for (what, archive) in [
        ("a name that climbs", of().file(&format!("{up}planted"), 0o644, "x")),
        ("a name from the root on", of().file(&bait.path("planted"), 0o644, "x")),
        ("a file over another", of().file(&file, 0o644, "x")),
        ("through a link", of().symlink("way", &folder).file("way/planted", 0o644, "x")),
        ("through a link that climbs", of().symlink("way", &up).file("way/planted", 0o644, "x")),
        ("over what a link leads to", of().symlink("way", &file).file("way", 0o600, "x")),
        ("the mode of what a link leads to", of().symlink("way", &folder).dir("way", 0o777).dir("way/inner", 0o777)),
        ("a second name", of().hard_link("stolen", &file)),
        ("a second name that climbs", of().hard_link("stolen", &format!("{up}file"))),
        ("a second name through a link", of().symlink("way", &folder).hard_link("stolen", "way/file")),
        ("a second name of a link", of().symlink("way", &file).hard_link("stolen", "way").file("stolen", 0o600, "x")),
        ("a link in place of a folder", of().dir("way", 0o755).symlink("way", &folder).file("way/planted", 0o644, "x")),
        ("instructions that are a link", Layer::new().symlink("Containerfile", &file)),
        ("an ignore file that is a link", of().symlink(".dockerignore", &file)),
    ] {
        let command = case.command(["build", "-t", "built", "--network=none", "--no-cache", "-"]);
        nothing_was_taken(&bait, what, &command.stdin(archive.tar()).finish());
    }
    let plain = case.command(["build", "-t", "built", "--network=none", "-"]).stdin(of().tar());
    plain.finish().code(0);
}

on_both_drivers!(repositories, archives);
