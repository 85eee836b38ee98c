//! Who we are to a registry: the files in which `podman login` and `docker login` keep it (containers-auth.json(5)), and the
//! keychains that those, or `credential-helpers` in registries.conf, name.
//!
//! A file that was named (`--authfile`, `$REGISTRY_AUTH_FILE`) is the only one that counts; else the usual ones are asked in
//! turn. Within a file the most specific key wins: `host/a/b`, `host/a`, `host`. A password never reaches an error or a log.

mod file;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

pub use file::AuthFile;

use super::{Error, Result};
use crate::host::config::{self, keychain};
use crate::oci::{Reference, Registries, scope};

/// Among `credential-helpers`: the files.
const FILES: &str = "containers-auth.json";
/// The user's name where the password is an identity token.
const TOKEN_USER: &str = "<token>";

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
    pub fn password(user: &str, password: &str) -> Self {
        match user {
            TOKEN_USER => Self::Identity { token: password.to_owned() },
            _ => Self::Password { user: user.to_owned(), password: password.to_owned() },
        }
    }

    /// What the file at `path`, which holds `bytes`, says about `name` (`host[:port][/path]`); `None`: nothing.
    pub fn in_file(path: &Path, bytes: &[u8], name: &str) -> Result<Option<Self>> {
        AuthFile::parse(path, bytes)?.map_or(Ok(None), |file| file.find(name))
    }
}

/// Where credentials are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Must exist; no other file is asked.
    pub named: Option<PathBuf>,
    /// Asked in this order.
    pub usual: Vec<PathBuf>,
    /// Keychains, and among them the files ([`FILES`]), in their order; none: the files alone.
    pub keychains: Vec<String>,
}

impl Sources {
    /// Those of this account. `authfile`: the option `--authfile`.
    pub fn of_account(authfile: Option<&Path>, registries: &Registries) -> Self {
        let named = authfile.map(Path::to_owned).or_else(|| config::named_by("REGISTRY_AUTH_FILE"));
        let base = directories::BaseDirs::new();
        let base = base.as_ref();
        // Who sets the variable means that directory before all others.
        let docker = config::named_by("DOCKER_CONFIG");
        let default = base.filter(|_| docker.is_none()).map(|base| base.home_dir().join(".docker"));
        let usual = [
            docker.map(|dir| dir.join("config.json")),
            config::named_by("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")),
            base.map(|base| base.config_dir().join("containers/auth.json")),
            default.map(|dir| dir.join("config.json")),
        ];
        let keychains = registries.credential_helpers().to_vec();
        Self { named, usual: usual.into_iter().flatten().collect(), keychains }
    }

    /// The files that are asked, the one that is written first.
    pub fn files(&self) -> &[PathBuf] {
        match &self.named {
            Some(named) => std::slice::from_ref(named),
            None => self.usual.as_slice(),
        }
    }

    /// Where credentials are looked for, for people.
    pub fn describe(&self) -> String {
        self.files().iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
    }

    /// What they say about the registry of `image`.
    pub fn find(&self, image: &Reference) -> Result<Credentials> {
        self.find_for(&image.name())
    }

    /// What they say about `name`: `host[:port][/path]`.
    pub fn find_for(&self, name: &str) -> Result<Credentials> {
        let host = name.split('/').next().unwrap_or_default();
        let in_turn = self.keychains.iter().map(|keychain| match keychain.as_str() {
            FILES => self.in_files(name),
            keychain => from_keychain(keychain, host),
        });
        let files = self.keychains.is_empty().then(|| self.in_files(name));
        in_turn.chain(files).find_map(Result::transpose).unwrap_or(Ok(Credentials::Anonymous))
    }

    /// Keeps who we are to `key` (`host[:port][/path]`): in the first keychain, or in the file that is named or the first of the
    /// usual ones. Where it is kept now, for people.
    pub fn set(&self, key: &str, user: &str, password: &str) -> Result<String> {
        if let Some(keychain) = self.keychains.first().filter(|first| *first != FILES) {
            keychain::store(keychain, key, user, password)?;
            return Ok(format!("docker-credential-{keychain}"));
        }
        let path = self.named.as_ref().or(self.usual.first()).ok_or(Error::NoHome)?;
        let _lock = AuthFile::lock(path)?;
        AuthFile::read(path)?.unwrap_or_else(|| AuthFile::empty(path)).set(key, user, password)
    }

    /// Forgets who we are to `key`, in the keychains and in the file that [`Sources::set`] writes. Whether it was known there.
    pub fn remove(&self, key: &str) -> Result<bool> {
        let _lock = self.lock_own()?;
        let mut known = match self.own_file()? {
            Some(mut file) => file.remove(key)?,
            None => false,
        };
        for keychain in self.keychains.iter().filter(|keychain| *keychain != FILES) {
            known |= keychain::erase(keychain, key)?;
        }
        Ok(known)
    }

    /// Forgets all that the file says which [`Sources::set`] writes.
    pub fn clear(&self) -> Result<()> {
        let _lock = self.lock_own()?;
        self.own_file()?.map_or(Ok(()), |mut file| file.clear())
    }

    /// Against whoever changes what [`Sources::own_file`] reads; `None`: there is nothing yet.
    fn lock_own(&self) -> Result<Option<File>> {
        let own = self.named.as_ref().or(self.usual.first()).filter(|path| path.exists());
        own.map(|path| AuthFile::lock(path)).transpose()
    }

    fn own_file(&self) -> Result<Option<AuthFile>> {
        match (&self.named, self.usual.first()) {
            (Some(path), _) => Ok(Some(AuthFile::read(path)?.ok_or_else(|| Error::NoAuthFile { path: path.clone() })?)),
            (None, Some(path)) => AuthFile::read(path),
            (None, None) => Ok(None),
        }
    }

    fn in_files(&self, name: &str) -> Result<Option<Credentials>> {
        if let Some(path) = &self.named {
            let file = AuthFile::read(path)?.ok_or_else(|| Error::NoAuthFile { path: path.clone() })?;
            return file.find(name);
        }
        let mut found = self.usual.iter().map(|path| AuthFile::read(path)?.map_or(Ok(None), |file| file.find(name)));
        found.find_map(Result::transpose).transpose()
    }
}

fn from_keychain(keychain: &str, server: &str) -> Result<Option<Credentials>> {
    Ok(keychain::get(keychain, server)?.map(|entry| Credentials::password(&entry.username, &entry.secret)))
}

/// Where a name is looked for: `host/a/b`, `host/a`, `host`.
fn keys(name: &str) -> Vec<String> {
    let above = scope::above(name).into_iter().filter(|scope| !scope.starts_with("*."));
    [name.to_owned()].into_iter().chain(above).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, name: &str) -> Result<Option<String>> {
        let found = Credentials::in_file(Path::new("x.json"), json.as_bytes(), name)?;
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
            "https://index.docker.io/v1/":{"auth":"ZDo0AA=="},"plain.io":{"username":"u","password":"p:q"},
            "token.io":{"auth":"YTox","identitytoken":"t"},"user.io":{"username":"<token>","password":"t"},"empty.io":{}}}"#;
        let user = |name: &str| find(json, name).unwrap();
        assert_eq!(user("q.io/x/y").as_deref(), Some("c/3"));
        assert_eq!(user("q.io/x/z").as_deref(), Some("b/2"));
        assert_eq!(user("q.io/xy").as_deref(), Some("a/1"));
        assert_eq!(user("docker.io/library/debian").as_deref(), Some("d/4"));
        assert_eq!(user("plain.io/a").as_deref(), Some("u/p:q"));
        assert_eq!(user("q.io:5000/x"), None);
        assert_eq!(user("empty.io/x"), None);
        assert_eq!(user("token.io/x").as_deref(), Some("token t"));
        assert_eq!(user("user.io/x").as_deref(), Some("token t"));
    }

    #[test]
    fn what_cant_be_read_says_so_and_keeps_the_secret() {
        for json in [
            r#"{"auths":{"q.io":{"auth":"%secret%"}}}"#,
            r#"{"auths":{"q.io":"secret"}}"#,
            r#"{"auths":["secret"]}"#,
            r#"{"auths":{"q.io":{"auth":["secret"]}}}"#,
            r#"{"auths":{"q.io":secret}}"#,
            r#"{"credHelpers":{"q.io":"../secret"}}"#,
        ] {
            let error = find(json, "q.io/x").unwrap_err().to_string();
            assert!(error.contains("x.json") && !error.contains("secret") || error.contains("`../secret`"), "{error}");
        }
        let absent = find(r#"{"auths":{"q.io":{}},"credsStore":"coracle-none"}"#, "q.io/x").unwrap_err().to_string();
        assert!(absent.contains("`docker-credential-coracle-none` is not installed"), "{absent}");
        assert_eq!(find(r#"{"auths":{"q.io":{}},"credsStore":"coracle-none"}"#, "r.io/x").unwrap(), None);
        for shown in [Credentials::password("u", "secret"), Credentials::password("<token>", "secret")] {
            assert!(!format!("{shown:?}").contains("secret"));
        }
    }

    #[test]
    fn many_logins_lose_nothing() {
        let directory = std::env::temp_dir().join(format!("coracle-logins-{}", std::process::id()));
        let sources = Sources { named: Some(directory.join("new/auth.json")), ..Sources::default() };
        std::thread::scope(|scope| {
            for number in 0..16 {
                let sources = &sources;
                scope.spawn(move || sources.set(&format!("{number}.io"), "u", "p").unwrap());
            }
        });
        for number in 0..16 {
            assert!(sources.remove(&format!("{number}.io")).unwrap(), "{number}.io");
        }
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_named_file_is_the_only_one_and_must_exist() {
        let directory = std::env::temp_dir().join(format!("coracle-auth-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (one, two) = (directory.join("one.json"), directory.join("two.json"));
        std::fs::write(&two, r#"{"auths":{"q.io":{"auth":"YTox"}}}"#).unwrap();
        let image = "q.io/x".parse().unwrap();
        let usual = Sources { usual: vec![one.clone(), two.clone()], ..Sources::default() };
        assert!(matches!(usual.find(&image).unwrap(), Credentials::Password { .. }));
        let named = Sources { named: Some(one.clone()), usual: vec![two], ..Sources::default() };
        assert!(matches!(named.find(&image), Err(Error::NoAuthFile { .. })));
        std::fs::write(&one, "{ \"auths\": {\"q.io\": \"secret\"} }").unwrap();
        let error = named.find(&image).unwrap_err().to_string();
        assert!(error.contains("one.json") && !error.contains("secret"), "{error}");
        std::fs::write(&one, "").unwrap();
        assert!(named.find(&image).is_err());
        std::fs::remove_dir_all(directory).unwrap();
    }
}
