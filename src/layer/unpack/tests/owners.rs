//! The table of owners that comes out of a layer.

use super::*;

#[test]
fn owners_are_told_by_where_the_files_lie_at_last() {
    let owned = |uid: u64, gid: u64| move |header: &mut Header| (header.set_uid(uid), header.set_gid(gid)).1;
    let device = |header: &mut Header| {
        header.set_uid(0);
        (header.set_device_major(1).unwrap(), header.set_device_minor(3).unwrap()).1
    };
    let archive = tar()
        .dir("real", 0o755)
        .symlink("way", "/real")
        .file("way/through", "")
        .change_last(owned(1, 2))
        .link("second/name", "real/through")
        .file("gone", "")
        .change_last(owned(3, 3))
        .file("gone", "root's")
        .dir("tree", 0o000)
        .change_last(owned(4, 4))
        .file("tree/leaf", "")
        .symlink("tree", "instead")
        .change_last(owned(5, 0))
        .node("pipe", EntryType::Fifo)
        .change_last(owned(0, 6))
        .node("null", EntryType::Char)
        .change_last(device)
        .dir("./", 0o755)
        .change_last(owned(7, 7));
    let scratch = Scratch::new("owners");
    let root = fs::File::open(scratch.root()).unwrap();
    let (_, table) = unpack(archive.end().as_slice(), root.as_fd(), Mode::Recorded).unwrap();
    let text = String::from_utf8(table.bytes()).unwrap().replace('\0', "|");
    let expected = "coracle-owners 1\n7:7 - |0:0 c1:3 null|0:6 - pipe|1:2 - real/through|1:2 - second/name|5:0 - tree|";
    assert_eq!(text, expected);
}
