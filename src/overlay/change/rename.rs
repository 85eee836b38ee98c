//! Rename, in all its forms.
//!
//! A directory that merges lower layers is copied up whole first: where it goes to, the lower layers have something else or
//! nothing. Afterwards it is opaque. (A redirect, as the kernel's driver could leave, can't be read by it in a user namespace.)

use std::ffi::OsStr;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, RenameFlags, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;

use super::whiteout::{make_opaque, point, remove_entries, remove_whiteouts};
use crate::overlay::inode::{Found, Key, Layers, Node, UPPER, lock};
use crate::overlay::lookup::is_whiteout;
use crate::overlay::tree::{Op, Tree, open_beneath};

/// One side of a rename.
struct Side<'a> {
    parent: Arc<Node>,
    name: &'a OsStr,
}

impl Tree {
    /// FUSE rename. Each side: the directory's number and the name.
    pub fn rename(&self, from: (u64, &OsStr), to: (u64, &OsStr), flags: RenameFlags) -> Op<()> {
        if flags.intersects(!(RenameFlags::NOREPLACE | RenameFlags::EXCHANGE)) {
            return Err(Errno::INVAL);
        }
        let from = Side { parent: self.node(from.0)?, name: from.1 };
        let to = Side { parent: self.node(to.0)?, name: to.1 };
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        self.copy_up(&from.parent, None)?;
        self.copy_up(&to.parent, None)?;
        self.check_unmarked(&from, &to)?;
        if exchange {
            self.check_unmarked(&to, &from)?;
        }
        self.copy_up_side(&from, true)?;
        self.copy_up_side(&to, exchange)?;
        point("overlay: rename")?;
        let _names = self.renaming();
        let source = self.find(&from.parent, from.name)?.ok_or(Errno::NOENT)?;
        let target = self.find(&to.parent, to.name)?;
        match target {
            Some(_) if flags.contains(RenameFlags::NOREPLACE) => Err(Errno::EXIST),
            // Two names of one file: nothing happens.
            Some(target) if target.key == source.key => Ok(()),
            Some(target) if exchange => self.exchange(&from, &source, &to, &target),
            None if exchange => Err(Errno::NOENT),
            target => self.replace(&from, &source, &to, target.as_ref()),
        }
    }

    /// Where a directory can't be kept from merging with what lies below its new name, the program has to copy it. Takes `names`
    /// itself.
    fn check_unmarked(&self, side: &Side<'_>, to: &Side<'_>) -> Op<()> {
        if self.marks {
            return Ok(());
        }
        let _names = self.reading();
        let directory = self.find(&side.parent, side.name)?.is_some_and(|found| found.kind() == FileType::Directory);
        if directory && self.shows_below(&to.parent, to.name)? { Err(Errno::XDEV) } else { Ok(()) }
    }

    /// Brings what is to be moved wholly into the upper directory. What is only replaced: if it was copied up under another
    /// name, which may be the one that replaces it. Takes `names` itself.
    fn copy_up_side(&self, side: &Side<'_>, moves: bool) -> Op<()> {
        let found = {
            let _names = self.reading();
            self.find(&side.parent, side.name)?
        };
        let Some(found) = found.filter(|found| !found.layers.are_upper_only()) else { return Ok(()) };
        let was_copied = || self.table.known(&found.key).is_some_and(|node| node.in_upper() && !node.is_dir());
        if !moves && !was_copied() && self.must_rise(&found).is_none() {
            return Ok(());
        }
        let Some(node) = self.bring_up(&side.parent, side.name)? else { return Ok(()) };
        let copied = if node.is_dir() { self.copy_up_tree(&node) } else { Ok(()) };
        self.table.forget(node.ino, 1);
        copied
    }

    fn replace(&self, from: &Side<'_>, source: &Found, to: &Side<'_>, target: Option<&Found>) -> Op<()> {
        let directory = source.kind() == FileType::Directory;
        if let Some(target) = target {
            self.check_replaceable(directory, to, target)?;
            self.keep_for_others(target)?;
        }
        let (from_dir, to_dir) = (self.directory(&from.parent, UPPER)?, self.directory(&to.parent, UPPER)?);
        let shows = self.shows_below(&from.parent, from.name)?;
        if directory {
            self.cut_off(from, source, &to.parent)?;
        }
        let lies = match statat(&to_dir, to.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Some((is_whiteout(&to_dir, to.name, &stat)?, FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error),
        };
        if let Some(target) = target.filter(|target| target.kind() == FileType::RegularFile)
            && source.kind() == FileType::RegularFile
        {
            self.pass_owner_on((&from.parent, from.name), (&to.parent, to.name), target)?;
        }
        match lies {
            // A directory does not replace what is none, so they change places; the whiteout may be wanted where it went.
            Some((true, _)) if directory => {
                self.change_places((&from_dir, from.name), (&to_dir, to.name))?;
                if !shows {
                    unlinkat(&from_dir, from.name, AtFlags::empty())?;
                }
            }
            lies => {
                if let Some((false, FileType::Directory)) = lies {
                    // It shows nothing; once opaque, its whiteouts are not needed for that.
                    let dir = open_beneath(&to_dir, to.name)?;
                    if self.marks {
                        make_opaque(&dir)?;
                    }
                    remove_entries(&dir)?;
                }
                let file = matches!(lies, Some((false, kind)) if kind != FileType::Directory);
                let aside = if file && self.renames_removed { Some(self.set_aside(&to_dir, to.name)?) } else { None };
                let moved = self.move_leaving_whiteout(from, to, shows);
                if let Some(staged) = aside {
                    let _ = match moved {
                        Ok(()) => unlinkat(self.work()?, &staged, AtFlags::empty()),
                        Err(_) => renameat(self.work()?, &staged, &to_dir, to.name),
                    };
                }
                moved?;
            }
        }
        if let Some(target) = target {
            self.gone(&to.parent, to.name, target);
        }
        self.moved(from, source, to);
        Ok(())
    }

    fn move_leaving_whiteout(&self, from: &Side<'_>, to: &Side<'_>, shows: bool) -> Op<()> {
        let (from_dir, to_dir) = (self.directory(&from.parent, UPPER)?, self.directory(&to.parent, UPPER)?);
        if !shows {
            return renameat(from_dir, from.name, to_dir, to.name);
        }
        match renameat_with(&from_dir, from.name, &to_dir, to.name, RenameFlags::WHITEOUT) {
            Err(Errno::INVAL | Errno::PERM | Errno::OPNOTSUPP) => {}
            result => return result,
        }
        // A disk without the call. A crash between the two steps shows the file below under the old name once more.
        let (work, staged) = (self.work()?, self.staged());
        super::whiteout::make(work, OsStr::new(&staged), &from_dir)?;
        let moved = renameat(&from_dir, from.name, &to_dir, to.name);
        let moved = moved.and_then(|()| {
            let hidden = renameat(work, &staged, &from_dir, from.name);
            hidden.inspect_err(|_| _ = renameat(&to_dir, to.name, &from_dir, from.name))
        });
        moved.inspect_err(|_| _ = unlinkat(work, &staged, AtFlags::empty()))
    }

    fn exchange(&self, from: &Side<'_>, source: &Found, to: &Side<'_>, target: &Found) -> Op<()> {
        if source.kind() == FileType::Directory {
            self.cut_off(from, source, &to.parent)?;
        }
        if target.kind() == FileType::Directory {
            self.cut_off(to, target, &from.parent)?;
        }
        let (from_dir, to_dir) = (self.directory(&from.parent, UPPER)?, self.directory(&to.parent, UPPER)?);
        renameat_with(from_dir, from.name, to_dir, to.name, RenameFlags::EXCHANGE)?;
        let nodes = (self.known_at(source), self.known_at(target));
        self.rename_node(nodes.0.as_ref(), from, to);
        self.rename_node(nodes.1.as_ref(), to, from);
        self.relist(&to.parent, to.name, nodes.0.as_deref());
        self.relist(&from.parent, from.name, nodes.1.as_deref());
        Ok(())
    }

    fn check_replaceable(&self, directory: bool, to: &Side<'_>, target: &Found) -> Op<()> {
        match (directory, target.kind() == FileType::Directory) {
            (true, false) => return Err(Errno::NOTDIR),
            (false, true) => return Err(Errno::ISDIR),
            (false, false) => return Ok(()),
            (true, true) => {}
        }
        let node = self.table.adopt(&to.parent, to.name, target);
        let empty = self.entries(&node).map(|entries| entries.is_empty());
        self.table.forget(node.ino, 1);
        if empty? { Ok(()) } else { Err(Errno::NOTEMPTY) }
    }

    /// Makes a directory that lies wholly in the upper one independent of all lower layers, here and in its new place.
    fn cut_off(&self, side: &Side<'_>, found: &Found, new_parent: &Arc<Node>) -> Op<()> {
        if found.layers.are_upper_only() && new_parent.layers().are_upper_only() {
            return Ok(());
        }
        let dir = self.directory(&side.parent, UPPER)?;
        let moved = open_beneath(&dir, side.name)?;
        if self.marks {
            make_opaque(&moved)?;
        }
        // The mark may have taken a block.
        self.count_open(&moved)?;
        if !found.layers.are_upper_only() {
            remove_whiteouts(moved)?;
        }
        let Some(top) = self.known_at(found) else { return Ok(()) };
        for node in self.table.merged_below(&top) {
            let stat = rustix::fs::fstat(self.directory(&node, UPPER)?)?;
            {
                let mut state = lock(&node.state);
                state.layers = Layers::One(UPPER);
                state.directories.retain(|(layer, _)| *layer == UPPER);
            }
            self.table.rekey(&node, Key::new(UPPER, &stat), false);
        }
        Ok(())
    }

    /// The node of what was found, if the kernel knows it; under its new key, too.
    fn known_at(&self, found: &Found) -> Option<Arc<Node>> {
        self.table.known(&found.key).or_else(|| self.table.known(&Key::new(UPPER, &found.stat)))
    }

    fn moved(&self, from: &Side<'_>, source: &Found, to: &Side<'_>) {
        let node = self.known_at(source);
        self.rename_node(node.as_ref(), from, to);
        self.relist(&from.parent, from.name, None);
        match node {
            Some(node) => self.relist(&to.parent, to.name, Some(&node)),
            // Unknown to the kernel, so without a number to list: list anew.
            None => lock(&to.parent.state).listing = None,
        }
    }

    fn rename_node(&self, node: Option<&Arc<Node>>, from: &Side<'_>, to: &Side<'_>) {
        if let Some(node) = node {
            self.table.add_name(node, &to.parent, to.name);
            self.table.unname(node, &from.parent, from.name, None);
        }
    }
}
