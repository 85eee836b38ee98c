//! Looking for images at a registry: by the search that Docker's index began with (`/v1/search`), which Docker Hub has still, else
//! through the list of all repositories (`/v2/_catalog`, distribution-spec).

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;

use super::client::listed;
use super::connection::{Connection, Request, Target};
use super::{Client, Error, Result};

/// Of the answer to a search, in bytes.
const LIMIT: usize = 4 << 20;

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Hit {
    /// Without the registry.
    pub name: String,
    pub description: String,
    #[serde(rename = "star_count")]
    pub stars: i64,
    #[serde(rename = "is_official")]
    pub official: bool,
    #[serde(rename = "is_automated")]
    pub automated: bool,
}

impl Client {
    /// At most `limit` images that have to do with `term`; of a registry that can't search, those with the term in their names.
    pub fn search(&self, term: &str, limit: usize) -> Result<Vec<Hit>> {
        if !term.is_empty() {
            let term = term.to_owned();
            match self.run_again(move |connection| search(connection, term.clone(), limit)) {
                Err(
                    Error::NotFound { .. } | Error::Status { .. } | Error::Unauthorized { .. } | Error::Protocol { .. },
                ) => {}
                other => return other,
            }
        }
        let all = self.run_again(|connection| {
            let scope = "registry:catalog:*".to_owned();
            listed(connection, "v2/_catalog".into(), "the list of its repositories".into(), scope)
        })?;
        let found = all.into_iter().filter(|name| name.contains(term)).take(limit);
        Ok(found.map(|name| Hit { name, ..Hit::default() }).collect())
    }
}

/// Asked without credentials: what is found this way is public.
async fn search(connection: Arc<Connection>, term: String, limit: usize) -> Result<Vec<Hit>> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<Hit>,
    }
    let about = &connection.http.about;
    let root = connection.root().await?;
    let mut address = root.join("v1/search").map_err(|error| about.protocol(&error.to_string()))?;
    address.query_pairs_mut().append_pair("q", &term).append_pair("n", &limit.to_string());
    let request = Request::new(Method::GET, Target::Address(address), "v1/search");
    let response = connection.follow(&request, root, None).await?;
    let response = connection.successful("v1/search", response).await?;
    let bytes = connection.http.read(response, "result of a search", LIMIT).await?;
    let answer: Answer =
        serde_json::from_slice(&bytes).map_err(|error| about.protocol(&format!("its result of a search: {error}")))?;
    Ok(answer.results.into_iter().filter(|hit| !hit.name.is_empty()).take(limit).collect())
}
