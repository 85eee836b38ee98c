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
}
