//! The hooks of a spec (runtime-spec, config.md "POSIX-platform Hooks"), in the order of their moments.

use oci_spec::runtime::{Hook as SpecHook, Hooks, Spec};

use crate::oci::hook::{Hook, Moment};

pub fn hooks(spec: &Spec) -> Vec<Hook> {
    let Some(hooks) = spec.hooks() else { return Vec::new() };
    lists(hooks)
        .into_iter()
        .flat_map(|(moment, list)| list.iter().flatten().map(move |hook| ours(moment, hook)))
        .collect()
}

/// Those that are deprecated (`prestart`) are run at the moment of what took their place.
#[allow(deprecated)]
fn lists(hooks: &Hooks) -> [(Moment, &Option<Vec<SpecHook>>); 6] {
    [
        (Moment::CreateRuntime, hooks.prestart()),
        (Moment::CreateRuntime, hooks.create_runtime()),
        (Moment::CreateContainer, hooks.create_container()),
        (Moment::StartContainer, hooks.start_container()),
        (Moment::Poststart, hooks.poststart()),
        (Moment::Poststop, hooks.poststop()),
    ]
}

fn ours(moment: Moment, hook: &SpecHook) -> Hook {
    Hook {
        moment,
        path: hook.path().clone(),
        args: hook.args().clone().unwrap_or_default(),
        env: hook.env().clone().unwrap_or_default(),
        timeout: hook.timeout().map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
    }
}
