//! A list that mostly has one element, which lies in place and needs no room of its own.

use std::ops::{Deref, DerefMut};

/// As small as one element that has a niche, but not smaller than a pointer.
#[derive(Debug, Clone)]
pub enum Few<T> {
    One(T),
    /// None, or two at least.
    #[expect(clippy::box_collection, reason = "a vector is three words, and one has to do")]
    Others(Option<Box<Vec<T>>>),
}

impl<T> Few<T> {
    pub fn push(&mut self, element: T) {
        *self = match std::mem::take(self) {
            Self::One(first) => Self::Others(Some(Box::new(vec![first, element]))),
            Self::Others(None) => Self::One(element),
            Self::Others(Some(mut all)) => {
                all.push(element);
                Self::Others(Some(all))
            }
        };
    }

    pub fn push_first(&mut self, element: T) {
        self.push(element);
        self.rotate_right(1);
    }

    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        *self = std::mem::take(self).into_iter().filter(keep).collect();
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Others(None)
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(element) => std::slice::from_ref(element),
            Self::Others(all) => all.as_ref().map_or(&[], |all| all),
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::One(element) => std::slice::from_mut(element),
            Self::Others(all) => all.as_mut().map_or(&mut [], |all| all),
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut few = Self::default();
        elements.into_iter().for_each(|element| few.push(element));
        few
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, others) = match self {
            Self::One(element) => (Some(element), Vec::new()),
            Self::Others(all) => (None, all.map_or_else(Vec::new, |all| *all)),
        };
        one.into_iter().chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_as_a_vector() {
        let mut few = Few::default();
        assert!(few.is_empty());
        few.push(2);
        assert!(matches!(few, Few::One(2)));
        few.push_first(1);
        few.push(3);
        assert_eq!(*few, [1, 2, 3]);
        few.swap(0, 2);
        assert_eq!(few.clone().into_iter().collect::<Vec<_>>(), [3, 2, 1]);
        few.retain(|number| *number == 2);
        assert!(matches!(few, Few::One(2)));
        few.retain(|_| false);
        assert!(few.is_empty() && few.into_iter().next().is_none());
    }
}
