//! Who we are to a registry: the files in which `podman login` and `docker login` keep it (containers-auth.json(5)).
//!
//! A file that was named (`--authfile`, `$REGISTRY_AUTH_FILE`) is the only one that counts; else the usual ones are asked in
//! turn. Within a file the most specific key wins: `host/a/b`, `host/a`, `host`. A password never reaches an error or a log.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde::Deserialize;

use super::{Error, Result};
use crate::host::config;
use crate::oci::Reference;

/// What a registry is told.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    Anonymous,
    Password {
        user: String,
        password: String,
    },
    /// What a token server takes for a password (Docker's `identitytoken`, OAuth2's refresh token).
    Identity {
        token: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Password { user, .. } => write!(f, "Password({user:?}, …)"),
            Self::Identity { .. } => f.write_str("Identity(…)"),
        }
    }
}

impl Credentials {
    /// What the file at `path`, which holds `bytes`, says about the registry of `image`; `None`: nothing.
    pub fn in_file(path: &Path, bytes: &[u8], image: &Reference) -> Result<Option<Self>> {
        if is_blank(bytes) {
            return Ok(None);
        }
        // serde's message would quote the file, and so a password: only the place is told.
        let file: AuthFile = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            unreadable(path, format!("it is not a JSON file of credentials (line {line}, column {column})"))
        })?;
        file.find(path, image)
    }
}

/// The files to look into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Must exist; nothing else is asked.
    pub named: Option<PathBuf>,
    /// Asked in this order.
    pub usual: Vec<PathBuf>,
}

impl Sources {
    /// Those of this account. `authfile`: the option `--authfile`.
    pub fn of_account(authfile: Option<&Path>) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = authfile.map(Path::to_owned).or_else(|| variable("REGISTRY_AUTH_FILE"));
        let base = directories::BaseDirs::new();
        let base = base.as_ref();
        let docker = variable("DOCKER_CONFIG").or_else(|| Some(base?.home_dir().join(".docker")));
        let usual = [
            variable("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")),
            base.map(|base| base.config_dir().join("containers/auth.json")),
            docker.map(|dir| dir.join("config.json")),
        ];
        Self { named, usual: usual.into_iter().flatten().collect() }
    }

    /// Where credentials are looked for, for people.
    pub fn describe(&self) -> String {
        let files = match &self.named {
            Some(named) => std::slice::from_ref(named),
            None => self.usual.as_slice(),
        };
        files.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
    }

    /// What these files say about the registry of `image`.
    pub fn find(&self, image: &Reference) -> Result<Credentials> {
        if let Some(path) = &self.named {
            let bytes = read(path)?.filter(|bytes| !is_blank(bytes));
            let bytes = bytes.ok_or_else(|| Error::NoAuthFile { path: path.clone() })?;
            return Ok(Credentials::in_file(path, &bytes, image)?.unwrap_or(Credentials::Anonymous));
        }
        for path in &self.usual {
            if let Some(bytes) = read(path)?
                && let Some(found) = Credentials::in_file(path, &bytes, image)?
            {
                return Ok(found);
            }
        }
        Ok(Credentials::Anonymous)
    }
}

#[derive(Deserialize)]
struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

fn unreadable(path: &Path, reason: String) -> Error {
    Error::AuthFile { path: path.to_owned(), reason }
}

/// `None`: there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    config::read(path).map_err(|error| unreadable(path, error.to_string()))
}

/// An empty file says nothing.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

impl AuthFile {
    fn find(&self, path: &Path, image: &Reference) -> Result<Option<Credentials>> {
        let keys = keys(image);
        // What is written for this registry wins over a helper for all of them.
        for key in &keys {
            if let Some(helper) = self.helpers.get(key) {
                return Err(Error::CredentialHelper { path: path.to_owned(), helper: helper.clone() });
            }
            let entry = self.auths.iter().find(|(written, _)| normal(written) == key.as_str());
            if let Some(credentials) = entry.map(|(_, entry)| entry.credentials(path)).transpose()?.flatten() {
                return Ok(Some(credentials));
            }
        }
        let mentioned = self.auths.keys().any(|written| keys.iter().any(|key| normal(written) == key.as_str()));
        match &self.store {
            Some(helper) if mentioned => Err(Error::CredentialHelper { path: path.to_owned(), helper: helper.clone() }),
            _ => Ok(None),
        }
    }
}

impl Entry {
    /// `None`: an empty entry, as Docker writes it where a helper has the secret.
    fn credentials(&self, path: &Path) -> Result<Option<Credentials>> {
        let wrong = |reason: &str| unreadable(path, reason.to_owned());
        if let Some(token) = self.identitytoken.as_deref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::Identity { token: token.to_owned() }));
        }
        if let Some(auth) = self.auth.as_deref().filter(|auth| !auth.is_empty()) {
            let bytes = base64::engine::general_purpose::STANDARD.decode(auth.trim());
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.ok_or_else(|| wrong("an `auth` in it is not base64 of `user:password`"))?;
            // Docker pads with NULs.
            let pair = text.trim_end_matches('\0').split_once(':');
            let (user, password) = pair.ok_or_else(|| wrong("an `auth` in it is not base64 of `user:password`"))?;
            return Ok(Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() }));
        }
        match (&self.username, &self.password) {
            (Some(user), Some(password)) if !user.is_empty() => {
                Ok(Some(Credentials::Password { user: user.clone(), password: password.clone() }))
            }
            _ => Ok(None),
        }
    }
}

/// `host/a/b`, `host/a`, `host`; for Docker Hub also the names that Docker gives it.
fn keys(image: &Reference) -> Vec<String> {
    let full = image.name();
    let mut keys = vec![full.clone()];
    let mut rest = full.as_str();
    while let Some((parent, _)) = rest.rsplit_once('/') {
        keys.push(parent.to_owned());
        rest = parent;
    }
    if image.registry() == crate::oci::reference::DEFAULT_REGISTRY {
        keys.push("index.docker.io".to_owned());
    }
    keys
}

/// Docker writes some keys as URLs: `https://index.docker.io/v1/`.
fn normal(key: &str) -> &str {
    let Some(rest) = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")) else { return key };
    let rest = rest.trim_end_matches('/');
    rest.strip_suffix("/v1").or_else(|| rest.strip_suffix("/v2")).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, image: &str) -> Result<Option<String>> {
        let file: AuthFile = serde_json::from_str(json).unwrap();
        let found = file.find(Path::new("x.json"), &image.parse().unwrap())?;
        Ok(found.map(|found| match found {
            Credentials::Anonymous => "anonymous".to_owned(),
            Credentials::Password { user, password } => format!("{user}/{password}"),
            Credentials::Identity { token } => format!("token {token}"),
        }))
    }

    #[test]
    fn the_most_specific_key_wins() {
        // a:1, b:2, c:3, d:4
        let json = r#"{"auths":{"q.io":{"auth":"YTox"},"q.io/x":{"auth":"Yjoy"},"q.io/x/y":{"auth":"Yzoz"},
            "https://index.docker.io/v1/":{"auth":"ZDo0AA=="},"plain.io":{"username":"u","password":"p:q"}}}"#;
        let user = |image: &str| find(json, image).unwrap();
        assert_eq!(user("q.io/x/y").as_deref(), Some("c/3"));
        assert_eq!(user("q.io/x/z:1").as_deref(), Some("b/2"));
        assert_eq!(user("q.io/xy").as_deref(), Some("a/1"));
        assert_eq!(user("debian").as_deref(), Some("d/4"));
        assert_eq!(user("plain.io/a").as_deref(), Some("u/p:q"));
        assert_eq!(user("q.io:5000/x"), None);
    }

    #[test]
    fn what_cant_be_read_says_so_and_keeps_the_secret() {
        let error = find(r#"{"auths":{"q.io":{"auth":"%secret%"}}}"#, "q.io/x").unwrap_err().to_string();
        assert!(error.contains("x.json") && !error.contains("secret"), "{error}");
        let identity = r#"{"auths":{"q.io":{"auth":"YTox","identitytoken":"t"}}}"#;
        assert_eq!(find(identity, "q.io/x").unwrap().as_deref(), Some("token t"));
        let helper = r#"{"auths":{"q.io":{}},"credsStore":"pass"}"#;
        assert!(matches!(find(helper, "q.io/x"), Err(Error::CredentialHelper { .. })));
        assert_eq!(find(helper, "r.io/x").unwrap(), None);
        let shown = format!("{:?}", Credentials::Password { user: "u".into(), password: "secret".into() });
        assert!(!shown.contains("secret"));
    }

    #[test]
    fn a_named_file_is_the_only_one_and_must_exist() {
        let directory = std::env::temp_dir().join(format!("coracle-auth-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (one, two) = (directory.join("one.json"), directory.join("two.json"));
        std::fs::write(&two, r#"{"auths":{"q.io":{"auth":"YTox"}}}"#).unwrap();
        let image = "q.io/x".parse().unwrap();
        let usual = Sources { named: None, usual: vec![one.clone(), two.clone()] };
        assert!(matches!(usual.find(&image).unwrap(), Credentials::Password { .. }));
        let named = Sources { named: Some(one.clone()), usual: vec![two] };
        assert!(matches!(named.find(&image), Err(Error::NoAuthFile { .. })));
        std::fs::write(&one, "{ \"auths\": {\"q.io\": \"secret\"} }").unwrap();
        let error = named.find(&image).unwrap_err().to_string();
        assert!(error.contains("one.json") && !error.contains("secret"), "{error}");
        std::fs::write(&one, "").unwrap();
        assert!(named.find(&image).is_err());
        std::fs::remove_dir_all(directory).unwrap();
    }
}
