//! An ordered map whose clones share what is equal in them: a change copies the few nodes on the way to it, however
//! many entries there are. A B-tree of counted nodes; pure, and nothing but `image` uses it.

use std::borrow::Borrow;
use std::sync::Arc;

/// Entries of a leaf, and children of an inner node.
const NODE_MAX: usize = 32;
/// With so few a node is united with its neighbour, where both fit into one.
const NODE_FEW: usize = NODE_MAX / 4;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Tree<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Node<K, V> {
    /// Entries, rising.
    Leaf(Vec<(K, V)>),
    /// Children, each with a key that no key in it is below and every key before it is.
    Inner(Vec<(K, Arc<Node<K, V>>)>),
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Vec::new())), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    /// The value of a key.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Inner(children) => node = &children.get(child_of(children, key))?.1,
                Node::Leaf(entries) => {
                    return place_of(entries, key)
                        .ok()
                        .and_then(|at| entries.get(at))
                        .map(|(_, value)| value);
                }
            }
        }
    }

    /// The value of a key, to be changed here alone.
    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let mut node = Arc::make_mut(&mut self.root);
        loop {
            match node {
                Node::Inner(children) => {
                    let at = child_of(children, key);
                    node = Arc::make_mut(&mut children.get_mut(at)?.1);
                }
                Node::Leaf(entries) => {
                    let at = place_of(entries, key).ok()?;
                    return entries.get_mut(at).map(|(_, value)| value);
                }
            }
        }
    }

    /// Sets the value of a key; returns the one it had.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (before, split) = Arc::make_mut(&mut self.root).insert(key, value);
        if let Some((key, right)) = split
            && let Some(first) = self.root.first_key().cloned()
        {
            self.root = Arc::new(Node::Inner(vec![(first, Arc::clone(&self.root)), (key, right)]));
        }
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes a key away; returns the value it had.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // The way to a key that is not there would be copied for nothing.
        self.get(key)?;
        let removed = Arc::make_mut(&mut self.root).remove(key);
        while let Node::Inner(children) = &*self.root
            && let [(_, only)] = children.as_slice()
        {
            self.root = Arc::clone(only);
        }
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// All entries in the order of their keys.
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { nodes: Vec::new(), entries: [].iter(), left: self.len };
        iter.descend(&self.root);
        iter
    }

    /// The entries with `first` or greater keys, in their order.
    pub(super) fn range_from<'a, Q: Ord + ?Sized>(&'a self, first: &Q) -> impl Iterator<Item = (&'a K, &'a V)>
    where
        K: Borrow<Q>,
    {
        let mut iter = Iter { nodes: Vec::new(), entries: [].iter(), left: 0 };
        let mut node = &*self.root;
        loop {
            match node {
                Node::Inner(children) => {
                    let at = child_of(children, first);
                    iter.nodes.push(children.get(at + 1..).unwrap_or_default().iter());
                    let Some((_, child)) = children.get(at) else { break };
                    node = child;
                }
                Node::Leaf(entries) => {
                    let at = place_of(entries, first).unwrap_or_else(|at| at);
                    iter.entries = entries.get(at..).unwrap_or_default().iter();
                    break;
                }
            }
        }
        std::iter::from_fn(move || iter.advance())
    }
}

/// The child that holds `key`, if any does.
fn child_of<K: Borrow<Q>, Q: Ord + ?Sized, N>(children: &[(K, N)], key: &Q) -> usize {
    children.partition_point(|(first, _)| first.borrow() <= key).saturating_sub(1)
}

fn place_of<K: Borrow<Q>, Q: Ord + ?Sized, V>(entries: &[(K, V)], key: &Q) -> Result<usize, usize> {
    entries.binary_search_by(|(known, _)| known.borrow().cmp(key))
}

/// A node that came of another's split, and the first of its keys.
type Split<K, V> = Option<(K, Arc<Node<K, V>>)>;

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    fn first_key(&self) -> Option<&K> {
        match self {
            Self::Leaf(entries) => entries.first().map(|(key, _)| key),
            Self::Inner(children) => children.first().map(|(key, _)| key),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Inner(children) => children.len(),
        }
    }

    fn insert(&mut self, key: K, value: V) -> (Option<V>, Split<K, V>) {
        match self {
            Self::Leaf(entries) => match place_of(entries, &key) {
                Ok(at) => (entries.get_mut(at).map(|(_, slot)| std::mem::replace(slot, value)), None),
                Err(at) => {
                    entries.insert(at, (key, value));
                    (None, split(entries, at).map(|(key, right)| (key, Arc::new(Self::Leaf(right)))))
                }
            },
            Self::Inner(children) => {
                let at = child_of(children, &key);
                let Some((first, child)) = children.get_mut(at) else { return (None, None) };
                if key < *first {
                    *first = key.clone();
                }
                let (before, new) = Arc::make_mut(child).insert(key, value);
                let Some(new) = new else { return (before, None) };
                children.insert(at + 1, new);
                (before, split(children, at + 1).map(|(key, right)| (key, Arc::new(Self::Inner(right)))))
            }
        }
    }

    fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf(entries) => place_of(entries, key).ok().map(|at| entries.remove(at).1),
            Self::Inner(children) => {
                let at = child_of(children, key);
                let child = Arc::make_mut(&mut children.get_mut(at)?.1);
                let removed = child.remove(key);
                if child.len() <= NODE_FEW {
                    unite(children, at);
                }
                removed
            }
        }
    }
}

/// The second part of a node that has become too large: half of it, or its last item alone when that is the new one,
/// because keys often come in their order.
fn split<K: Clone, T>(items: &mut Vec<(K, T)>, new: usize) -> Option<(K, Vec<(K, T)>)> {
    if items.len() <= NODE_MAX {
        return None;
    }
    let at = if new + 1 == items.len() { new } else { items.len() / 2 };
    let right = items.split_off(at);
    right.first().map(|(key, _)| key.clone()).map(|key| (key, right))
}

/// Takes an empty child out, or unites one that has few items with the neighbour after or before it.
fn unite<K: Ord + Clone, V: Clone>(children: &mut Vec<(K, Arc<Node<K, V>>)>, at: usize) {
    let len = |at: usize| children.get(at).map(|(_, child)| child.len());
    if len(at) == Some(0) {
        children.remove(at);
        return;
    }
    let fits =
        |left: usize| len(left).zip(len(left + 1)).is_some_and(|(left, right)| left + right <= NODE_MAX);
    let left = match at.checked_sub(1) {
        _ if fits(at) => at,
        Some(before) if fits(before) => before,
        _ => return,
    };
    let (_, right) = children.remove(left + 1);
    let Some((_, into)) = children.get_mut(left) else { return };
    match (Arc::make_mut(into), Arc::unwrap_or_clone(right)) {
        (Node::Leaf(into), Node::Leaf(more)) => into.extend(more),
        (Node::Inner(into), Node::Inner(more)) => into.extend(more),
        // All leaves are equally deep.
        _ => {}
    }
}

type Children<'a, K, V> = std::slice::Iter<'a, (K, Arc<Node<K, V>>)>;

/// The entries in the order of their keys.
#[derive(Clone)]
pub(super) struct Iter<'a, K, V> {
    /// What is left of each inner node on the way.
    nodes: Vec<Children<'a, K, V>>,
    entries: std::slice::Iter<'a, (K, V)>,
    left: usize,
}

impl<'a, K, V> Iter<'a, K, V> {
    fn descend(&mut self, mut node: &'a Node<K, V>) {
        loop {
            match node {
                Node::Leaf(entries) => {
                    self.entries = entries.iter();
                    return;
                }
                Node::Inner(children) => {
                    let mut children = children.iter();
                    let Some((_, first)) = children.next() else { return };
                    self.nodes.push(children);
                    node = first;
                }
            }
        }
    }

    fn advance(&mut self) -> Option<(&'a K, &'a V)> {
        loop {
            if let Some((key, value)) = self.entries.next() {
                return Some((key, value));
            }
            match self.nodes.last_mut()?.next() {
                Some((_, child)) => self.descend(child),
                None => drop(self.nodes.pop()),
            }
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.saturating_sub(1);
        self.advance()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for Tree<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Ord + Clone, V: Clone + Eq> Eq for Tree<K, V> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Nodes of `tree`, and those that another tree has, too.
    fn nodes<K, V>(tree: &Tree<K, V>) -> Vec<*const Node<K, V>> {
        fn walk<K, V>(node: &Arc<Node<K, V>>, found: &mut Vec<*const Node<K, V>>) {
            found.push(Arc::as_ptr(node));
            if let Node::Inner(children) = &**node {
                for (_, child) in children {
                    walk(child, found);
                }
            }
        }
        let mut found = Vec::new();
        walk(&tree.root, &mut found);
        found
    }

    #[test]
    fn a_change_of_a_clone_copies_few_nodes_however_many_there_are() {
        let mut tree = Tree::default();
        for key in 0..100_000 {
            tree.insert(key, key);
        }
        let before = nodes(&tree);
        let changed = [tree.clone(), tree.clone(), tree.clone()];
        let [mut inserted, mut removed, mut altered] = changed;
        inserted.insert(-1, 0);
        assert_eq!(removed.remove(&50_000), Some(50_000));
        *altered.get_mut(&70_000).unwrap() = 0;
        for changed in [&inserted, &removed, &altered] {
            let new = nodes(changed).iter().filter(|node| !before.contains(node)).count();
            assert!((1..8).contains(&new), "{new}");
        }
        assert_eq!((tree.len, inserted.len, removed.len), (100_000, 100_001, 99_999));
        assert_eq!((tree.get(&50_000), tree.get(&70_000)), (Some(&50_000), Some(&70_000)));
    }

    #[test]
    fn keys_in_their_order_fill_the_nodes_and_removed_ones_leave_few() {
        let mut tree = Tree::default();
        for key in 0..10_000 {
            tree.insert(key, ());
        }
        assert!(nodes(&tree).len() < 10_000 / NODE_MAX * 11 / 10, "{}", nodes(&tree).len());
        for key in (0..10_000).filter(|key| key % 100 != 0) {
            tree.remove(&key);
        }
        assert!(nodes(&tree).len() < 20, "{}", nodes(&tree).len());
        for key in 0..10_000 {
            tree.remove(&key);
        }
        assert_eq!((tree.iter().len(), nodes(&tree).len()), (0, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_as_a_map_is_and_clones_stay_as_they_were(
            steps in proptest::collection::vec((0..3_u8, 0..400_u16), 0..2000),
            first in 0..400_u16,
        ) {
            let mut tree: Tree<u16, usize> = Tree::default();
            let mut model: BTreeMap<u16, usize> = BTreeMap::new();
            let mut kept = Vec::new();
            for (step, (what, key)) in steps.into_iter().enumerate() {
                if what == 0 {
                    prop_assert_eq!(tree.remove(&key), model.remove(&key));
                } else {
                    prop_assert_eq!(tree.insert(key, step), model.insert(key, step));
                }
                prop_assert_eq!(tree.get(&key), model.get(&key));
                if let Some(value) = tree.get_mut(&first) {
                    *value += 1;
                    *model.get_mut(&first).unwrap() += 1;
                }
                if step % 200 == 0 {
                    kept.push((tree.clone(), model.clone()));
                }
            }
            kept.push((tree, model));
            for (tree, model) in kept {
                                prop_assert_eq!(tree.iter().len(), model.len());
                prop_assert!(tree.iter().eq(model.iter()));
                prop_assert!(tree.range_from(&first).eq(model.range(first..)));
            }
        }
    }
}
