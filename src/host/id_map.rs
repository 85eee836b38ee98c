//! What a map of ids says: which id becomes which, in both directions, and how one map lies within another.

use super::subid::{Extent, IdMaps};

impl Extent {
    /// Where `inside` leads, if the extent has it.
    fn outward(self, inside: u32) -> Option<u32> {
        let at = inside.checked_sub(self.inside).filter(|at| *at < self.count)?;
        self.outside.checked_add(at)
    }

    /// What leads to `outside`, if the extent has it.
    fn inward(self, outside: u32) -> Option<u32> {
        let at = outside.checked_sub(self.outside).filter(|at| *at < self.count)?;
        self.inside.checked_add(at)
    }
}

/// The id of the namespace around that `inside` stands for; `None`: it is not mapped.
pub fn outward(extents: &[Extent], inside: u32) -> Option<u32> {
    extents.iter().find_map(|extent| extent.outward(inside))
}

/// The id inside that stands for `outside`; `None`: it is not mapped.
pub fn inward(extents: &[Extent], outside: u32) -> Option<u32> {
    extents.iter().find_map(|extent| extent.inward(outside))
}

/// The same map in extents none of which crosses a border between extents of `parent`, the map of the namespace around: the
/// kernel takes no others (user_namespaces(7)). `Err`: an id of the namespace around that is not there.
pub fn split(extents: &[Extent], parent: &[Extent]) -> Result<Vec<Extent>, u32> {
    let mut parts = Vec::new();
    for extent in extents {
        let mut done = 0;
        while done < extent.count {
            let first = extent.outside.saturating_add(done);
            let around = parent.iter().find(|parent| parent.outward(first).is_some()).ok_or(first)?;
            let count = (extent.count - done).min(around.count - (first - around.inside));
            parts.push(Extent { inside: extent.inside + done, outside: first, count });
            done += count;
        }
    }
    Ok(parts)
}

/// A run of ids: the first, and how many.
pub type Run = (u32, u32);

/// What is left of the ids from `first` on, `count` of them, without those in `used`: in order.
pub fn free(used: impl IntoIterator<Item = Run>, (first, count): Run) -> Vec<Run> {
    let mut used: Vec<Run> = used.into_iter().collect();
    used.sort_unstable();
    let end = first.saturating_add(count);
    let mut free = Vec::new();
    let mut at = first;
    for (from, length) in used.into_iter().chain([(end, 0)]) {
        let from = from.min(end);
        if from > at {
            free.push((at, from - at));
        }
        at = at.max(from.saturating_add(length));
    }
    free
}

/// What is left of an extent without the ids of `other`, on either side.
pub fn without(extent: Extent, other: Extent) -> Vec<Extent> {
    let part = |(from, count)| Extent { inside: extent.inside + from, outside: extent.outside + from, count };
    let cut = |first: u32, others: u32| {
        let from = others.saturating_sub(first);
        (from, other.count.saturating_sub(first.saturating_sub(others)))
    };
    let cuts = [cut(extent.inside, other.inside), cut(extent.outside, other.outside)];
    free(cuts, (0, extent.count)).into_iter().map(part).collect()
}

/// The extents in order, those that continue each other as one.
pub fn merged(mut extents: Vec<Extent>) -> Vec<Extent> {
    extents.sort_unstable_by_key(|extent| extent.inside);
    let mut merged: Vec<Extent> = Vec::new();
    for extent in extents {
        match merged.last_mut() {
            Some(last) if last.inside + last.count == extent.inside && last.outside + last.count == extent.outside => {
                last.count += extent.count;
            }
            _ => merged.push(extent),
        }
    }
    merged
}

impl IdMaps {
    /// Whether each id inside stands for the same number outside.
    pub fn is_identity(&self) -> bool {
        self.uids.iter().chain(&self.gids).all(|extent| extent.inside == extent.outside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(numbers: &[(u32, u32, u32)]) -> Vec<Extent> {
        numbers.iter().map(|&(inside, outside, count)| Extent { inside, outside, count }).collect()
    }

    #[test]
    fn ids_lead_there_and_back() {
        let keep = extents(&[(0, 1, 1000), (1000, 0, 1), (1001, 1001, 10)]);
        for (inside, outside) in [(0, 1), (999, 1000), (1000, 0), (1010, 1010)] {
            assert_eq!((outward(&keep, inside), inward(&keep, outside)), (Some(outside), Some(inside)));
        }
        assert_eq!((outward(&keep, 1011), inward(&keep, 1011), outward(&keep, u32::MAX)), (None, None, None));
    }

    #[test]
    fn extents_are_split_where_those_around_them_end() {
        let parent = extents(&[(0, 1000, 1), (1, 100_000, 10), (11, 200_000, 5)]);
        let whole = extents(&[(0, 0, 16)]);
        assert_eq!(split(&whole, &parent).unwrap(), extents(&[(0, 0, 1), (1, 1, 10), (11, 11, 5)]));
        assert_eq!(split(&extents(&[(7, 9, 4)]), &parent).unwrap(), extents(&[(7, 9, 2), (9, 11, 2)]));
        assert_eq!(split(&extents(&[(0, 10, 7)]), &parent), Err(16));
    }

    #[test]
    fn runs_are_what_nobody_uses() {
        assert_eq!(free([(5, 2), (1, 1), (6, 3)], (1, 10)), [(2, 3), (9, 2)]);
        assert_eq!(free([], (0, 3)), [(0, 3)]);
        assert_eq!(free([(0, 100)], (5, 3)), []);
    }

    #[test]
    fn an_extent_gives_way_on_both_sides() {
        let extent = Extent { inside: 0, outside: 10, count: 10 };
        let other = Extent { inside: 2, outside: 17, count: 2 };
        assert_eq!(without(extent, other), extents(&[(0, 10, 2), (4, 14, 3), (9, 19, 1)]));
        let apart = Extent { inside: 100, outside: 200, count: 5 };
        assert_eq!(without(extent, apart), [extent]);
        let around = Extent { inside: 0, outside: 0, count: 50 };
        assert_eq!(without(extent, around), []);
        assert_eq!(merged(extents(&[(4, 14, 6), (0, 10, 4), (20, 5, 1)])), extents(&[(0, 10, 10), (20, 5, 1)]));
    }
}
