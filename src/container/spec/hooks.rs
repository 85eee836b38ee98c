//! The container's hooks, as a runtime spec lists them.

use oci_spec::runtime::{Hook as SpecHook, HookBuilder, Hooks, HooksBuilder};

use super::Built;
use crate::oci::hook::{Hook, Moment};

/// `None`: it has none.
pub fn hooks(all: &[Hook]) -> Built<Option<Hooks>> {
    if all.is_empty() {
        return Ok(None);
    }
    let of = |moment| all.iter().filter(|hook| hook.moment == moment).map(theirs).collect::<Built<Vec<_>>>();
    HooksBuilder::default()
        .create_runtime(of(Moment::CreateRuntime)?)
        .create_container(of(Moment::CreateContainer)?)
        .start_container(of(Moment::StartContainer)?)
        .poststart(of(Moment::Poststart)?)
        .poststop(of(Moment::Poststop)?)
        .build()
        .map(Some)
}

fn theirs(hook: &Hook) -> Built<SpecHook> {
    let builder = HookBuilder::default().path(&hook.path).args(hook.args.clone()).env(hook.env.clone());
    match hook.timeout {
        Some(seconds) => builder.timeout(i64::from(seconds)),
        None => builder,
    }
    .build()
}
