//! A short name's meaning, said to the user; where there are several, the user is asked.

use rustix::stdio::{stderr, stdin};
use rustix::termios::isatty;

use super::ask;
use crate::cli::{Report, output};
use crate::oci::Reference;
use crate::oci::registries::{MeaningError, Registries, Why};
use crate::registry::registries::record_alias;

/// What to try, in this order.
pub struct Chosen {
    pub names: Vec<Reference>,
    /// The short name that the user was asked about.
    asked: Option<String>,
}

impl Chosen {
    pub fn of(registries: &Registries, text: &str, quiet: bool) -> Result<Self, Report> {
        // As Podman has it, this form names the registry, or Docker Hub.
        if let Some(full) = text.strip_prefix("docker://") {
            let name = full.parse().map_err(crate::image::Error::from)?;
            return Ok(Self { names: vec![name], asked: None });
        }
        let meaning = registries.meaning(text)?;
        let said = match &meaning.why {
            Why::Qualified => None,
            Why::Alias(from) => Some(format!("Resolved {text:?} as an alias ({})", from.display())),
            Why::Searched { ask: true, .. } if isatty(stdin()) && isatty(stderr()) => {
                let name = choose(meaning.names)?;
                return Ok(Self { names: vec![name], asked: Some(text.to_owned()) });
            }
            Why::Searched { must: true, .. } => {
                let names = meaning.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                return Err(Report::new("short-name resolution enforced but cannot prompt without a TTY")
                    .hint(format!("name the registry: {names}")));
            }
            Why::Searched { from, .. } => {
                Some(format!("Resolving {text:?} using unqualified-search registries ({})", from.display()))
            }
            Why::Default => Some(format!("Resolved {text:?} as {}, as there is no registries.conf", meaning.names[0])),
        };
        if let Some(said) = said.filter(|_| !quiet) {
            output::complain(&output::printable(&said));
        }
        Ok(Self { names: meaning.names, asked: None })
    }

    /// The name has turned out to be one: what was chosen is remembered.
    pub fn record(&self, name: &Reference) {
        if let Some(short) = &self.asked
            && let Err(error) = record_alias(short, name)
        {
            output::complain(&output::printable(&format!("Warning: the choice can't be remembered: {error}")));
        }
    }
}

fn choose(names: Vec<Reference>) -> Result<Reference, Report> {
    output::complain("Please select an image:");
    for (number, name) in names.iter().enumerate() {
        output::complain(&format!("  {}) {}", number + 1, name.clone().or_latest()));
    }
    let answer = ask::line("Number [1]: ")?;
    let number = if answer.is_empty() { Ok(1) } else { answer.parse::<usize>() };
    let chosen = number.ok().and_then(|number| names.into_iter().nth(number.checked_sub(1)?));
    chosen.ok_or_else(|| Report::new(format!("`{answer}` is none of these images")))
}

impl From<MeaningError> for Report {
    fn from(error: MeaningError) -> Self {
        match error {
            MeaningError::Reference(error) => crate::image::Error::from(error).into(),
            MeaningError::Registries(error) => crate::registry::Error::from(error).into(),
        }
    }
}
