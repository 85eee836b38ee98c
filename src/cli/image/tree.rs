//! `image tree`: the layers of an image.

use std::process::ExitCode;

use clap::Args;

use crate::cli::output::{self, printable, time};
use crate::cli::{Context, Report};
use crate::image::tree::{self, Node};

/// Show the layers of an image
#[derive(Debug, Args)]
pub struct Tree {
    /// Show what stands on the image's topmost layer, too
    #[arg(long)]
    whatrequires: bool,
    /// A name or the start of an id
    image: String,
}

impl Tree {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let tree::Tree { image, size, nodes } = tree::tree(&context.store()?, &self.image, self.whatrequires)?;
        let id: String = image.id.hex().chars().take(12).collect();
        let size = time::go_size(size);
        let mut text = format!("Image ID: {id}\nTags:     [{}]\nSize:     {size}\n", image.names.join(" "));
        match nodes.is_empty() {
            true => text.push_str("No Image Layers\n"),
            false => text.push_str("Image Layers\n"),
        }
        draw(&nodes, "", &mut text);
        output::print(&printable(&text));
        Ok(ExitCode::SUCCESS)
    }
}

/// A line for each, and those above it further to the right. The depth is that of an image's layers, which has a limit.
fn draw(nodes: &[Node], margin: &str, text: &mut String) {
    for (place, node) in nodes.iter().enumerate() {
        let is_last = place + 1 == nodes.len();
        let (branch, beside) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let id: String = node.diff_id.hex().chars().take(12).collect();
        text.push_str(&format!("{margin}{branch}ID: {id} Size: {}", time::go_size(node.size)));
        if !node.top_of.is_empty() {
            text.push_str(&format!(" Top Layer of: [{}]", node.top_of.join(" ")));
        }
        text.push('\n');
        draw(&node.above, &format!("{margin}{beside}"), text);
    }
}
