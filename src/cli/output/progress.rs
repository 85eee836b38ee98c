//! How a pull is going: bars on a terminal, else Podman's lines. On standard error, so that standard output holds the result alone.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{complain, frames, printable};
use crate::image::{Event, Progress};
use crate::oci::Digest;

/// The kinds of output that there are.
pub enum Display {
    Quiet,
    Lines,
    Bars(Bars),
}

/// One bar for each layer.
pub struct Bars {
    all: MultiProgress,
    layers: Mutex<BTreeMap<Digest, ProgressBar>>,
}

/// What is shown of a layer that comes, by how many columns that takes at least: a line that goes on in the next is none.
const RUNNING: [(u16, &str); 3] = [
    (102, "Copying blob {prefix} [{bar:32}] {bytes} / {total_bytes} | {bytes_per_sec}"),
    (40, "Copying blob {prefix} [{wide_bar}] {percent:>3}%"),
    (0, "{prefix} {percent:>3}%"),
];
const ENDED: &str = "Copying blob {prefix} {msg}";

impl Display {
    /// What fits standard error.
    pub fn new(quiet: bool) -> Self {
        match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Self::Quiet,
            (false, false) => Self::Lines,
            (false, true) => Self::Bars(Bars { all: frames::bars(), layers: Mutex::default() }),
        }
    }
}

impl Progress for Display {
    fn event(&self, event: Event<'_>) {
        match self {
            Self::Quiet => {}
            Self::Lines => {
                if let Some(line) = line(event) {
                    complain(&line);
                }
            }
            Self::Bars(bars) => bars.event(event),
        }
    }
}

impl Bars {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Started { layer, size } => {
                let bar = self.bar(layer);
                bar.set_style(style(running()).progress_chars("=> "));
                bar.set_length(size);
                bar.set_position(0);
            }
            Event::Received { layer, bytes } => self.bar(layer).set_position(bytes),
            Event::Done { layer } => self.end(layer, "done"),
            Event::Present { layer } => self.end(layer, "skipped: already exists"),
            Event::Waiting { layer } => {
                let bar = self.bar(layer);
                bar.set_style(style(ENDED));
                bar.set_message("waits for another pull of the same layer");
            }
            other => {
                if let Some(line) = line(other) {
                    // A terminal that went away shows nothing.
                    let _ = self.all.println(line);
                }
            }
        }
    }

    fn bar(&self, layer: &Digest) -> ProgressBar {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || self.all.add(ProgressBar::new(0)).with_prefix(short(layer));
        layers.entry(layer.clone()).or_insert_with(new).clone()
    }

    /// Its bar becomes a line above those that go on, so that the lines stand in their order.
    fn end(&self, layer: &Digest, message: &str) {
        // Before the bar goes: what is shown of the layer is never nothing.
        let _ = self.all.println(format!("Copying blob {} {message}", short(layer)));
        if let Some(bar) = self.layers.lock().unwrap_or_else(PoisonError::into_inner).remove(layer) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

fn running() -> &'static str {
    let width = frames::width();
    RUNNING.iter().find(|(least, _)| width >= *least).map_or("", |(_, template)| template)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn short(digest: &Digest) -> String {
    digest.hex().chars().take(12).collect()
}

/// The event as one line, if it is worth one.
fn line(event: Event<'_>) -> Option<String> {
    Some(match event {
        Event::Trying { image } => format!("Trying to pull {image}..."),
        Event::OtherPlatform { image, wanted } => printable(&format!(
            "Warning: the image is for the platform `{image}`, not for `{wanted}`: its programs may not start here"
        )),
        Event::Present { layer } => format!("Copying blob {layer} skipped: already exists"),
        Event::Waiting { layer } => format!("Copying blob {layer} waits for another pull of the same layer"),
        Event::Again { layer, from, reason } => {
            printable(&format!("Copying blob {layer} again from byte {from}: {reason}"))
        }
        Event::Done { layer } => format!("Copying blob {layer} done"),
        Event::Config { digest } => format!("Copying config {digest} done"),
        Event::Instance { manifest, number, of } => format!("Copying image {manifest} ({number}/{of})"),
        Event::Writing => "Writing manifest to image destination".to_owned(),
        Event::Started { .. } | Event::Received { .. } => return None,
    })
}
