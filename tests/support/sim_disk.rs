//! A disk in memory whose power can go at every change: what was synced stays; of every other change, to a file or to a
//! directory's entries, any part may be there or not, in any order, cut at sectors. It can be told to lie about syncs.

use std::collections::BTreeMap;
use std::io::{self, IoSlice, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use milena::log::storage::{Access, Listed, Storage, StoredFile};

use super::dice::Dice;

/// Bytes that are written as a whole or not at all.
const SECTOR_BYTES: usize = 512;

type Inode = u64;
const ROOT: Inode = 0;

#[derive(Clone, Debug)]
enum Node {
    File(FileNode),
    Directory(DirectoryNode),
}

#[derive(Clone, Debug, Default)]
struct FileNode {
    now: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    /// What came since the last sync.
    pending: Vec<Arc<FileChange>>,
    modified_ms: i64,
}

#[derive(Debug)]
enum FileChange {
    Bytes { position: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Clone, Debug, Default)]
struct DirectoryNode {
    now: BTreeMap<String, Inode>,
    durable: BTreeMap<String, Inode>,
    pending: Vec<EntryChange>,
}

#[derive(Clone, Debug)]
enum EntryChange {
    Added(String, Inode),
    Removed(String),
    Renamed(String, String, Inode),
}

/// How much of the changes that nobody synced is there after a power loss.
#[derive(Clone, Copy, Debug)]
enum Survival {
    Nothing,
    Everything,
    /// The first so many of a thousand, the next one in part.
    Beginning(u64),
    /// Each by chance: whole, in part, or not.
    AnyPart,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Whole,
    Torn,
    Lost,
}

impl Survival {
    fn any(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2..=4 => Self::Beginning(dice.below(1001)),
            _ => Self::AnyPart,
        }
    }

    fn fate(self, index: usize, changes: usize, dice: &mut Dice) -> Fate {
        match self {
            Self::Nothing => Fate::Lost,
            Self::Everything => Fate::Whole,
            Self::Beginning(thousandths) => match index.cmp(&(changes * thousandths as usize / 1000)) {
                std::cmp::Ordering::Less => Fate::Whole,
                std::cmp::Ordering::Equal => Fate::Torn,
                std::cmp::Ordering::Greater => Fate::Lost,
            },
            Self::AnyPart => [Fate::Whole, Fate::Torn, Fate::Lost][dice.below(3) as usize],
        }
    }
}

impl FileNode {
    fn change(&mut self, change: FileChange) {
        apply(Arc::make_mut(&mut self.now), &change);
        self.pending.push(Arc::new(change));
    }

    fn sync(&mut self) {
        self.durable = self.now.clone();
        self.pending.clear();
    }

    fn after_power_loss(&self, dice: &mut Dice) -> Self {
        let survival = Survival::any(dice);
        let mut bytes = self.durable.to_vec();
        for (index, change) in self.pending.iter().enumerate() {
            match survival.fate(index, self.pending.len(), dice) {
                Fate::Whole => apply(&mut bytes, change),
                Fate::Torn => apply_in_part(&mut bytes, change, dice),
                Fate::Lost => {}
            }
        }
        let bytes = Arc::new(bytes);
        Self { now: bytes.clone(), durable: bytes, pending: Vec::new(), modified_ms: self.modified_ms }
    }
}

fn apply(file: &mut Vec<u8>, change: &FileChange) {
    match change {
        FileChange::Bytes { position, bytes } => {
            let end = position + bytes.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            file.splice(*position..end, bytes.iter().copied());
        }
        FileChange::Length(length) => file.resize(*length, 0),
    }
}

/// Some of the sectors that a write touches; the file may be as long as if all were there.
fn apply_in_part(file: &mut Vec<u8>, change: &FileChange, dice: &mut Dice) {
    let FileChange::Bytes { position, bytes } = change else { return };
    let mut at = 0;
    while at < bytes.len() {
        let sector_end = (position + at) / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES;
        let end = bytes.len().min(sector_end - position);
        if dice.below(2) == 0 {
            apply(file, &FileChange::Bytes { position: position + at, bytes: bytes[at..end].to_vec() });
        }
        at = end;
    }
    let end = position + bytes.len();
    if file.len() < end && dice.below(2) == 0 {
        file.resize(end, 0);
    }
}

impl DirectoryNode {
    fn change(&mut self, change: EntryChange) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        self.durable = self.now.clone();
        self.pending.clear();
    }

    fn after_power_loss(&self, dice: &mut Dice) -> Self {
        let survival = Survival::any(dice);
        let mut entries = self.durable.clone();
        for (index, change) in self.pending.iter().enumerate() {
            if survival.fate(index, self.pending.len(), dice) == Fate::Whole {
                change.apply(&mut entries);
            }
        }
        Self { now: entries.clone(), durable: entries, pending: Vec::new() }
    }
}

impl EntryChange {
    fn apply(&self, entries: &mut BTreeMap<String, Inode>) {
        match self {
            Self::Added(name, inode) => {
                entries.insert(name.clone(), *inode);
            }
            Self::Removed(name) => {
                entries.remove(name);
            }
            Self::Renamed(from, to, inode) => {
                entries.remove(from);
                entries.insert(to.clone(), *inode);
            }
        }
    }
}

/// The files and directories; clones share what does not change.
#[derive(Clone, Debug)]
struct Tree {
    nodes: BTreeMap<Inode, Arc<Node>>,
    next: Inode,
    /// Where the disk is mounted; it knows no other paths.
    root: PathBuf,
}

impl Tree {
    fn directory(&mut self, inode: Inode) -> &mut DirectoryNode {
        match Arc::make_mut(self.nodes.get_mut(&inode).unwrap()) {
            Node::Directory(directory) => directory,
            Node::File(_) => panic!("{inode} is a file"),
        }
    }

    fn file(&mut self, inode: Inode) -> &mut FileNode {
        match Arc::make_mut(self.nodes.get_mut(&inode).unwrap()) {
            Node::File(file) => file,
            Node::Directory(_) => panic!("{inode} is a directory"),
        }
    }

    fn add(&mut self, parent: Inode, name: &str, node: Node) -> Inode {
        let inode = self.next;
        self.next += 1;
        self.nodes.insert(inode, Arc::new(node));
        self.directory(parent).change(EntryChange::Added(name.into(), inode));
        inode
    }

    fn child(&self, parent: Inode, name: &str) -> Option<Inode> {
        match &**self.nodes.get(&parent)? {
            Node::Directory(directory) => directory.now.get(name).copied(),
            Node::File(_) => None,
        }
    }

    fn find(&self, path: &Path) -> io::Result<Inode> {
        self.names(path)
            .try_fold(ROOT, |inode, name| self.child(inode, name))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The directory that a path's last name stands in, and that name.
    fn place<'a>(&self, path: &'a Path) -> io::Result<(Inode, &'a str)> {
        let name = self.names(path).last().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.find(path.parent().unwrap())?, name))
    }

    fn remove_below(&mut self, inode: Inode) {
        let Node::Directory(directory) = &*self.nodes[&inode] else { return };
        for (name, child) in directory.now.clone() {
            self.remove_below(child);
            self.directory(inode).change(EntryChange::Removed(name));
        }
    }

    fn after_power_loss(&self, dice: &mut Dice, root: &Path) -> Self {
        let nodes = self.nodes.iter().map(|(inode, node)| {
            let node = match &**node {
                Node::File(file) => Node::File(file.after_power_loss(dice)),
                Node::Directory(directory) => Node::Directory(directory.after_power_loss(dice)),
            };
            (*inode, Arc::new(node))
        });
        Self { nodes: nodes.collect(), next: self.next, root: root.to_owned() }
    }

    fn names<'a>(&self, path: &'a Path) -> impl Iterator<Item = &'a str> + use<'a> {
        path.strip_prefix(&self.root).unwrap().iter().map(|name| name.to_str().unwrap())
    }
}

/// The disk as it was after one change, and what the one who watches knew by then.
pub struct Moment<W> {
    tree: Tree,
    /// What `watch` said.
    pub known: W,
}

impl<W> Moment<W> {
    /// The disk as the next process finds it when the one at work is killed at this moment.
    pub fn kill(&self) -> SimDisk<W> {
        SimDisk::of(self.tree.clone())
    }

    /// A disk as a power loss at this moment may leave it, mounted at `root`.
    pub fn lose_power(&self, dice: &mut Dice, root: &Path) -> SimDisk<W> {
        SimDisk::of(self.tree.after_power_loss(dice, root))
    }
}

type Watch<W> = Box<dyn Fn() -> W + Send>;
/// Whether the disk only says that it synced a file or directory of this name.
pub type Lie = fn(&str) -> bool;

struct State<W> {
    tree: Tree,
    watch: Option<Watch<W>>,
    moments: Vec<Moment<W>>,
    lie: Lie,
}

/// The disk. `W` is what is kept with each moment.
pub struct SimDisk<W>(Arc<Mutex<State<W>>>);

impl<W> Clone for SimDisk<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W> std::fmt::Debug for SimDisk<W> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SimDisk")
    }
}

impl<W> SimDisk<W> {
    /// An empty disk, mounted at `root`.
    pub fn new(root: &Path) -> Self {
        let node = Node::Directory(DirectoryNode::default());
        Self::of(Tree { nodes: [(ROOT, Arc::new(node))].into(), next: ROOT + 1, root: root.to_owned() })
    }

    fn of(tree: Tree) -> Self {
        Self(Arc::new(Mutex::new(State { tree, watch: None, moments: Vec::new(), lie: |_| false })))
    }

    /// Which syncs the disk does not do and says it did.
    pub fn lie(&self, lie: Lie) {
        self.lock().lie = lie;
    }

    /// The disk as the next process finds it when this one is killed now. It records from here on what this one did.
    pub fn kill(&self) -> Self {
        let mut state = self.lock();
        let state = State {
            tree: state.tree.clone(),
            watch: state.watch.take(),
            moments: std::mem::take(&mut state.moments),
            lie: state.lie,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Keeps the state after every change from now on, with what `watch` says just then.
    pub fn record(&self, watch: impl Fn() -> W + Send + 'static) {
        self.lock().watch = Some(Box::new(watch));
    }

    /// How many moments were kept.
    pub fn recorded(&self) -> usize {
        self.lock().moments.len()
    }

    /// The moments that were kept; no more are.
    pub fn take(&self) -> Vec<Moment<W>> {
        let mut state = self.lock();
        state.watch = None;
        std::mem::take(&mut state.moments)
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.0.lock().unwrap()
    }

    fn lies_about(&self, path: &Path) -> bool {
        path.file_name().and_then(|name| name.to_str()).is_some_and(self.lock().lie)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Tree) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.lock();
        let result = change(&mut state.tree)?;
        if let Some(watch) = &state.watch {
            let moment = Moment { known: watch(), tree: state.tree.clone() };
            state.moments.push(moment);
        }
        Ok(result)
    }
}

impl<W: Send + 'static> Storage for SimDisk<W> {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let found = self.lock().tree.find(path);
        let inode = match found {
            Ok(inode) if access == Access::Truncate => self.change(|tree| {
                tree.file(inode).change(FileChange::Length(0));
                Ok(inode)
            })?,
            Ok(inode) => inode,
            Err(error) if access == Access::Existing => return Err(error),
            Err(_) => self.change(|tree| {
                let (parent, name) = tree.place(path)?;
                Ok(tree.add(parent, name, Node::File(FileNode::default())))
            })?,
        };
        Ok(Arc::new(SimFile { disk: self.clone(), inode, path: path.to_owned() }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let state = self.lock();
        let inode = state.tree.find(path)?;
        let Node::Directory(directory) = &*state.tree.nodes[&inode] else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        let listed = |(name, inode): (&String, &Inode)| {
            let (is_dir, len) = match &*state.tree.nodes[inode] {
                Node::File(file) => (false, file.now.len() as u64),
                Node::Directory(_) => (true, 0),
            };
            Listed { name: name.clone(), is_dir, len }
        };
        Ok(directory.now.iter().map(listed).collect())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut inode = ROOT;
        let names = self.lock().tree.names(path);
        for name in names {
            let found = self.lock().tree.child(inode, name);
            inode = match found {
                Some(found) => found,
                None => {
                    self.change(|tree| Ok(tree.add(inode, name, Node::Directory(DirectoryNode::default()))))?
                }
            };
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        assert_eq!(from.parent(), to.parent(), "a rename within a directory");
        self.change(|tree| {
            let (parent, name) = tree.place(from)?;
            let inode = tree.child(parent, name).ok_or(io::ErrorKind::NotFound)?;
            let (_, other) = tree.place(to)?;
            tree.directory(parent).change(EntryChange::Renamed(name.into(), other.into(), inode));
            Ok(())
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(|tree| {
            let (parent, name) = tree.place(path)?;
            tree.child(parent, name).ok_or(io::ErrorKind::NotFound)?;
            tree.directory(parent).change(EntryChange::Removed(name.into()));
            Ok(())
        })
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|tree| {
            let (parent, name) = tree.place(path)?;
            let inode = tree.child(parent, name).ok_or(io::ErrorKind::NotFound)?;
            tree.remove_below(inode);
            tree.directory(parent).change(EntryChange::Removed(name.into()));
            Ok(())
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if !path.starts_with(&self.lock().tree.root) {
            return Ok(());
        }
        let lies = self.lies_about(path);
        self.change(|tree| {
            let inode = tree.find(path)?;
            if !lies {
                tree.directory(inode).sync();
            }
            Ok(())
        })
    }

    fn exists(&self, path: &Path) -> bool {
        self.lock().tree.find(path).is_ok()
    }
}

struct SimFile<W> {
    disk: SimDisk<W>,
    inode: Inode,
    /// The name under which it was opened.
    path: PathBuf,
}

impl<W> std::fmt::Debug for SimFile<W> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SimFile({})", self.inode)
    }
}

impl<W> SimFile<W> {
    fn look<T>(&self, look: impl FnOnce(&FileNode) -> T) -> T {
        match &*self.disk.lock().tree.nodes[&self.inode] {
            Node::File(file) => look(file),
            Node::Directory(_) => panic!("{} is a directory", self.inode),
        }
    }

    fn change(&self, change: impl FnOnce(&mut FileNode)) -> io::Result<()> {
        self.disk.change(|tree| {
            change(tree.file(self.inode));
            Ok(())
        })
    }
}

impl<W: Send + 'static> StoredFile for SimFile<W> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        Ok(self.look(|file| {
            let rest = file.now.get(position as usize..).unwrap_or_default();
            (&rest[..]).read(buffer).unwrap_or_default()
        }))
    }

    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.read_at(buffer, position)
    }

    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let written = bytes.len();
        self.change(|file| file.change(FileChange::Bytes { position: position as usize, bytes }))?;
        Ok(written)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.disk.lies_about(&self.path) { self.change(|_| ()) } else { self.change(FileNode::sync) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|file| file.change(FileChange::Length(len as usize)))
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.look(|file| file.now.len() as u64))
    }

    fn modified_ms(&self) -> io::Result<i64> {
        Ok(self.look(|file| file.modified_ms))
    }

    fn set_modified_ms(&self, ms: i64) -> io::Result<()> {
        self.disk.lock().tree.file(self.inode).modified_ms = ms;
        Ok(())
    }
}
