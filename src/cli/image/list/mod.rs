//! `images`: what is here.

mod filter;
pub mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table};
use crate::cli::{Context, Report};
use crate::container::find;
use crate::image::list::{List, Listed, brief, list};
use crate::oci::Digest;
use crate::store::Store;
use filter::{Filters, keep_meant};
use row::{HEADINGS, Json, Line, Row};

/// List images
#[derive(Debug, Args)]
pub struct Images {
    /// Show also images without a name that others were made on, and what is left of an image of which a newer form is here
    #[arg(short, long)]
    all: bool,
    /// Show the digests of the manifests too
    #[arg(long)]
    digests: bool,
    /// Show only these: `after=IMAGE`, `before=IMAGE`, `containers=BOOL` (or `external`), `dangling=BOOL`, `digest=START`, `id=START`,
    /// `intermediate=BOOL`, `label=KEY[=VALUE]`, `manifest=BOOL`, `readonly=BOOL`, `reference=PATTERN`, `since=IMAGE`,
    /// `until=TIME`; with `!=` all others
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show all names of each image, too
    #[arg(long)]
    history: bool,
    /// Leave out the heading
    #[arg(short, long)]
    noheading: bool,
    /// Show whole ids
    #[arg(long)]
    no_trunc: bool,
    /// Show only the ids
    #[arg(short, long, conflicts_with_all = ["format", "digests"])]
    quiet: bool,
    /// What to sort by: `created`, `id`, `repository`, `size` or `tag`
    #[arg(long, value_name = "FIELD", default_value = "created", hide_default_value = true)]
    sort: String,
    /// Show only images with this name, or an id that begins so
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// How many containers each image has, by its id.
type Users = BTreeMap<String, u64>;

fn users(store: &Store) -> Result<Users, Report> {
    let mut users = Users::new();
    for found in find::list(store)?.found {
        *users.entry(found.container.image_id().to_owned()).or_default() += 1;
    }
    Ok(users)
}

impl Images {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let sort = self.order()?;
        let store = context.store()?;
        let filters = Filters::parse(&store, &self.filter)?;
        let List { mut images, broken } = self.look(&store, &filters)?;
        for (digest, error) in broken {
            output::complain(&output::printable(&format!("Warning: the image with the manifest `{digest}`: {error}")));
        }
        let users = match self.format.is_some() || filters.need_containers() {
            true => users(&store)?,
            false => Users::new(),
        };
        let containers = |listed: &Listed| users.get(listed.image.id.hex()).copied().unwrap_or(0);
        if !self.all {
            hide_remains(&mut images);
            images.retain(|listed| filters.speak_of_intermediate() || !listed.is_intermediate());
        }
        filters.select(&mut images, containers);
        if let Some(wanted) = &self.name {
            keep_meant(&mut images, wanted);
        }
        let detailed = |listed, row: Row| match self.format {
            Some(_) => row.with_details(listed, containers(listed)),
            None => row,
        };
        let rows_of = |(place, listed): (usize, _)| {
            let rows = Row::of(place, listed, &self.id(&listed.image.id));
            rows.into_iter().map(move |row| detailed(listed, row))
        };
        let mut rows: Vec<Row> = images.iter().enumerate().flat_map(rows_of).collect();
        sort(&mut rows);
        if self.format.as_deref() == Some("json") {
            // Each once, where the first of its names stands.
            let mut told = BTreeSet::new();
            let listed = rows.iter().filter(|row| told.insert(row.image)).filter_map(|row| images.get(row.image));
            let all: Vec<Json> = listed.map(|listed| Json::new(listed, containers(listed))).collect();
            output::print(&format::json(&all)?);
            return Ok(ExitCode::SUCCESS);
        }
        if self.quiet {
            let mut told = BTreeSet::new();
            let ids = rows.iter().filter(|row| told.insert(&row.id)).map(|row| format!("{}\n", row.id));
            output::print(&ids.collect::<String>());
            return Ok(ExitCode::SUCCESS);
        }
        match &self.format {
            Some(text) => {
                let template = Template::parse("images", text)?;
                let json = |listed: &Listed| Json::new(listed, containers(listed));
                let line = |row: &Row| Some(Line::of(row, json(images.get(row.image)?)));
                output::print(&match template.is_json() {
                    true => template.each(&rows.iter().filter_map(line).collect::<Vec<_>>())?,
                    false => template.list(&rows, &HEADINGS, self.noheading)?,
                });
            }
            None => output::print(&self.table(&rows)),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// All images, as well as they must be known.
    fn look(&self, store: &Store, filters: &Filters) -> Result<List, Report> {
        if self.format.is_none() && !filters.need_configs() {
            let seen = brief(store)?;
            // Whether others were made on one without a name, only all configs say.
            if seen.images.iter().all(|listed| !listed.image.names.is_empty()) {
                return Ok(seen);
            }
        }
        Ok(list(store)?)
    }

    fn order(&self) -> Result<fn(&mut Vec<Row>), Report> {
        Ok(match self.sort.as_str() {
            // As they come.
            "created" => |_| {},
            "id" => |rows| rows.sort_by(|a, b| a.id.cmp(&b.id)),
            "repository" => |rows| rows.sort_by(|a, b| a.repository.cmp(&b.repository)),
            "size" => |rows| rows.sort_by_key(|row| row.bytes),
            "tag" => |rows| rows.sort_by(|a, b| a.tag.cmp(&b.tag)),
            other => {
                let fields = "repository, size, tag, created, id";
                let problem = format!("\"{other}\" is not a valid field for sorting. Choose from: {fields}");
                return Err(Report::new(problem).hint("as in `--sort size`"));
            }
        })
    }

    fn table(&self, rows: &[Row]) -> String {
        let columns = |[repository, tag, digest, id, created, size, history]: [String; 7]| {
            let digest = self.digests.then_some(digest);
            let history = self.history.then_some(history);
            [repository, tag].into_iter().chain(digest).chain([id, created, size]).chain(history).collect()
        };
        let heading = ["REPOSITORY", "TAG", "DIGEST", "IMAGE ID", "CREATED", "SIZE", "HISTORY"].map(str::to_owned);
        let mut lines: Vec<Vec<String>> = Vec::new();
        if !self.noheading {
            lines.push(columns(heading));
        }
        let cells = |row: &Row| {
            [&row.repository, &row.tag, &row.digest, &row.id, &row.created_since, &row.size, &row.history]
                .map(Clone::clone)
        };
        lines.extend(rows.iter().map(|row| columns(cells(row))));
        table::table(&lines)
    }

    fn id(&self, id: &Digest) -> String {
        if self.no_trunc { id.to_string() } else { id.hex().chars().take(12).collect() }
    }
}

/// An image *is* its config: of two manifests with one config the one with a name stands for both.
fn hide_remains(images: &mut Vec<Listed>) {
    let named = images.iter().filter(|listed| !listed.image.names.is_empty());
    let mut told: BTreeSet<Digest> = named.map(|listed| listed.image.id.clone()).collect();
    images.retain(|listed| !listed.image.names.is_empty() || told.insert(listed.image.id.clone()));
}
