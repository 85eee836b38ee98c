//! Scopes: the places at which configuration speaks of images. `host[:port]`, a namespace or a repository below it, one tag or
//! digest of it, or `*.domain` for every host of a domain. Of those that an image is in, the most specific counts.

use super::Reference;

/// All scopes that an image is in, the most specific first.
pub fn of(image: &Reference) -> Vec<String> {
    let mut scopes = vec![image.to_string()];
    let tagged = image.without_digest();
    if image.digest().is_some() && tagged.tag().is_some() {
        scopes.push(tagged.to_string());
    }
    let name = image.name();
    if scopes.last() != Some(&name) {
        scopes.push(name.clone());
    }
    scopes.extend(above(&name));
    scopes
}

/// The scopes above a name without tag and digest: its namespaces, its host, the domains of that.
pub fn above(name: &str) -> Vec<String> {
    let mut scopes = Vec::new();
    let mut rest = name;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        scopes.push(parent.to_owned());
        rest = parent;
    }
    // An address in brackets has no domains.
    let host = rest.split(':').next().unwrap_or_default();
    let dots = host.match_indices('.').filter_map(|(dot, _)| host.get(dot..));
    scopes.extend(dots.map(|domain| format!("*{domain}")));
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_image_to_the_domain() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        let scopes = |text: &str| of(&text.parse().unwrap());
        assert_eq!(
            scopes("a.q.io:5000/x/y:1"),
            ["a.q.io:5000/x/y:1", "a.q.io:5000/x/y", "a.q.io:5000/x", "a.q.io:5000", "*.q.io", "*.io"]
        );
        assert_eq!(scopes("localhost/x"), ["localhost/x", "localhost"]);
        assert_eq!(scopes("[::1]:5000/x"), ["[::1]:5000/x", "[::1]:5000"]);
        let both = scopes(&format!("q.io/x:1@{digest}"));
        assert_eq!(both[1..], ["q.io/x:1", "q.io/x", "q.io", "*.io"]);
        assert_eq!(scopes("debian")[..3], ["docker.io/library/debian", "docker.io/library", "docker.io"]);
    }
}
