//! Why a step is not taken from the cache, as `--explain` tells it.

use std::collections::BTreeSet;

use crate::store::Store;
use crate::store::build_cache::{CachedStep, Parts, Sources};

/// Of who did not ask.
pub const NEW: &str = "no step with this parent, instruction and input was made before";
/// So many files that changed are named.
const NAMED: usize = 3;

/// How a step differs from those that are remembered and most like it.
pub fn what_is_new(store: &Store, new: &Parts, sources: &Sources) -> String {
    let known: Vec<CachedStep> = store.cached_steps().into_iter().map(|(_, step)| step).collect();
    let like = |is_like: &dyn Fn(&Parts) -> bool| {
        let like = known.iter().filter(|step| step.parts.as_ref().is_some_and(is_like));
        like.max_by(|one, other| one.created.cmp(&other.created))
    };
    if let Some(old) = like(&|old| old.below == new.below && old.instruction == new.instruction) {
        let what = difference(&old.sources, sources);
        let what = what.as_deref().unwrap_or("a file of its source, another stage, or what an address gives");
        return format!("what it reads is not what it was: {what}");
    }
    if like(&|old| old.instruction == new.instruction && old.input == new.input).is_some() {
        return "what lies below it is not what it was: a step before it, the image, or the time".to_owned();
    }
    match like(&|old| old.below == new.below) {
        Some(_) => {
            "the instruction, with its variables, user and directory, is not one that was done here before".to_owned()
        }
        None => NEW.to_owned(),
    }
}

/// The first that changed, and how many more did; `None`: that is not known.
fn difference(old: &Sources, new: &Sources) -> Option<String> {
    if old.folded != new.folded || old.is_empty() || new.is_empty() {
        return None;
    }
    let names: BTreeSet<&String> = old.digests.keys().chain(new.digests.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let change = match (old.digests.get(name), new.digests.get(name)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(_)) => "changed",
            (None, _) => "was added",
            (Some(_), None) => "was removed",
        };
        Some(format!("`{name}` {change}"))
    });
    let changes: Vec<String> = changes.collect();
    let (named, more) = changes.split_at(changes.len().min(NAMED));
    match (named.is_empty(), more.len()) {
        (true, _) => None,
        (false, 0) => Some(named.join(", ")),
        (false, more) => Some(format!("{}, and {more} more", named.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named() {
        let sources = |folded: bool, files: &[(&str, &str)]| {
            let digests = files.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned())).collect();
            Sources { folded, digests }
        };
        let old = sources(false, &[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]);
        let told = |new: &[(&str, &str)]| difference(&old, &sources(false, new));
        assert_eq!(told(&[("a", "1"), ("b", "2"), ("c", "1"), ("d", "1")]).as_deref(), Some("`b` changed"));
        let many = told(&[("a0", "1"), ("b", "2"), ("d", "2")]);
        assert_eq!(many.as_deref(), Some("`a` was removed, `a0` was added, `b` changed, and 2 more"));
        assert_eq!(difference(&old, &old), None);
        assert_eq!(difference(&old, &sources(true, &[("a", "2")])), None);
        assert_eq!(difference(&old, &Sources::default()), None);
    }
}
