//! `search`: images at registries, or the tags of one.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::image::reach::Reach;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table};
use crate::cli::{Context, Report};
use crate::oci::Reference;
use crate::oci::reference::{DEFAULT_REGISTRY, is_registry};
use crate::registry::{Client, Hit, registries};

/// Results of one registry, unless told.
const LIMIT: usize = 25;
/// Of a description, in characters.
const DESCRIPTION: usize = 44;
/// Where Docker Hub searches.
const HUB: &str = "index.docker.io";

/// Search registries for images
#[derive(Debug, Args)]
pub struct Search {
    #[command(flatten)]
    reach: Reach,
    /// Show stars, official and automated images, as Docker does
    #[arg(long)]
    compatible: bool,
    /// Only those that fit: `stars=NUMBER`, `is-official[=BOOL]`, `is-automated[=BOOL]`
    #[arg(long, short, value_name = "FILTER")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// So many results of each registry [default: 25]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// List the tags of the repository that TERM names
    #[arg(long)]
    list_tags: bool,
    /// Show descriptions whole
    #[arg(long)]
    no_trunc: bool,
    /// Words, behind `registry/` if one registry is to be searched; else the `unqualified-search-registries` are
    term: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Found {
    index: String,
    name: String,
    description: String,
    stars: i64,
    official: String,
    automated: String,
    tag: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    name: String,
    tags: Vec<String>,
}

impl Search {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        if self.list_tags {
            return self.tags();
        }
        let filters = self.filter.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let (places, term) = self.places()?;
        self.reach.at_one_of(&self.term, &places.iter().map(String::as_str).collect::<Vec<_>>())?;
        let (mut found, mut failed) = (Vec::new(), None::<Report>);
        for place in &places {
            match self.at(place, term) {
                Ok(hits) => found.extend(
                    hits.into_iter()
                        .filter(|hit| filters.iter().all(|filter| filter.fits(hit)))
                        .map(|hit| self.show(place, hit)),
                ),
                Err(report) => match &mut failed {
                    Some(failed) => failed.join(report),
                    None => failed = Some(report),
                },
            }
        }
        let headings: &[(&str, &str)] = match self.compatible {
            true => &[
                ("Name", "NAME"),
                ("Description", "DESCRIPTION"),
                ("Stars", "STARS"),
                ("Official", "OFFICIAL"),
                ("Automated", "AUTOMATED"),
            ],
            false => &[("Name", "NAME"), ("Description", "DESCRIPTION")],
        };
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&found)?),
            format => print(format, &found, headings)?,
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    /// The registries to ask, and for what.
    fn places(&self) -> Result<(Vec<String>, &str), Report> {
        if let Some((first, rest)) = self.term.split_once('/')
            && (first == "localhost" || first.contains(['.', ':']))
        {
            if !is_registry(first) {
                return Err(Report::new(format!("`{first}` is no registry: expected `host` or `host:port`")));
            }
            return Ok((vec![first.to_owned()], rest));
        }
        let registries = registries::of_account()?;
        let searched = match registries.searched() {
            [] if registries.is_empty() => vec![DEFAULT_REGISTRY.to_owned()],
            [] => {
                return Err(Report::new("no registries to search are configured in registries.conf")
                    .hint(format!("name one: `{DEFAULT_REGISTRY}/{}`", self.term)));
            }
            searched => searched.to_vec(),
        };
        Ok((searched, &self.term))
    }

    fn at(&self, registry: &str, term: &str) -> Result<Vec<Hit>, Report> {
        let options = self.reach.options_at(registry)?;
        let credentials = match &options.credentials {
            Some(credentials) => credentials.clone(),
            None => options.sources.find_for(registry)?,
        };
        let (host, term) = match registry {
            // It knows its own images without the folder that their names have.
            DEFAULT_REGISTRY => (HUB, term.strip_prefix("library/").unwrap_or(term)),
            other => (other, term),
        };
        let client = Client::with(host, credentials, &options)?;
        Ok(client.search(term, self.limit.unwrap_or(LIMIT))?)
    }

    fn show(&self, registry: &str, hit: Hit) -> Found {
        let library = if registry == DEFAULT_REGISTRY && !hit.name.contains('/') { "library/" } else { "" };
        let mark = |is: bool| if is { "[OK]".to_owned() } else { String::new() };
        let mut description = hit.description.replace('\n', " ");
        if !self.no_trunc && description.chars().count() > DESCRIPTION {
            description = description.chars().take(DESCRIPTION).collect::<String>() + "...";
        }
        Found {
            index: registry.to_owned(),
            name: format!("{registry}/{library}{}", hit.name),
            description,
            stars: hit.stars,
            official: mark(hit.official),
            automated: mark(hit.automated),
            tag: String::new(),
        }
    }

    fn tags(&self) -> Result<ExitCode, Report> {
        if !self.filter.is_empty() {
            return Err(Report::new("filters are not applicable to list tags result"));
        }
        let name: Reference = self.term.parse().map_err(crate::image::Error::from)?;
        let mut tags = Client::new(&name, &self.reach.options_at(&name.name())?)?.tags(&name)?;
        tags.truncate(self.limit.unwrap_or(LIMIT));
        let index = name.registry().to_owned();
        let name = name.name();
        if self.format.as_deref() == Some("json") {
            output::print(&format::json(&[Tags { name, tags }])?);
            return Ok(ExitCode::SUCCESS);
        }
        let row = |tag| Found { index: index.clone(), name: name.clone(), tag, ..Found::default() };
        let rows: Vec<Found> = tags.into_iter().map(row).collect();
        print(self.format.as_deref(), &rows, &[("Name", "NAME"), ("Tag", "TAG")])?;
        Ok(ExitCode::SUCCESS)
    }
}

/// By a template, or as a table of these columns.
fn print(format: Option<&str>, rows: &[Found], headings: &[(&str, &str)]) -> Result<(), Report> {
    if let Some(format) = format {
        output::print(&Template::parse("search", format)?.list(rows, headings, false)?);
        return Ok(());
    }
    if rows.is_empty() {
        return Ok(());
    }
    let cells = |row: &Found| {
        let cell = |(column, _): &(&str, &str)| match *column {
            "Name" => row.name.clone(),
            "Description" => row.description.clone(),
            "Stars" => row.stars.to_string(),
            "Official" => row.official.clone(),
            "Automated" => row.automated.clone(),
            _ => row.tag.clone(),
        };
        headings.iter().map(cell).collect()
    };
    let heading = headings.iter().map(|(_, heading)| (*heading).to_owned()).collect();
    output::print(&table::table(&[heading].into_iter().chain(rows.iter().map(cells)).collect::<Vec<_>>()));
    Ok(())
}

/// What a result has to be.
enum Filter {
    Stars(i64),
    Official(bool),
    Automated(bool),
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Report> {
        let (key, value) = text.split_once('=').unwrap_or((text, "true"));
        let switch = || value.parse::<bool>().ok();
        let filter = match key {
            "stars" => value.parse().ok().map(Self::Stars),
            "is-official" => switch().map(Self::Official),
            "is-automated" => switch().map(Self::Automated),
            _ => None,
        };
        filter.ok_or_else(|| {
            Report::new(format!("invalid filter type {text:?}"))
                .hint("filters are `stars=`, `is-official=`, `is-automated=`")
        })
    }

    fn fits(&self, hit: &Hit) -> bool {
        match self {
            Self::Stars(least) => hit.stars >= *least,
            Self::Official(wanted) => hit.official == *wanted,
            Self::Automated(wanted) => hit.automated == *wanted,
        }
    }
}
