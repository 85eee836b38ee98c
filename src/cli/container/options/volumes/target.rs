//! Where in a container something is mounted.

use crate::cli::Report;

/// An absolute path, made plain: the container's own links are followed when it starts, beneath its root.
pub fn parse(text: &str) -> Result<String, Report> {
    let refused = || {
        Report::new(format!("invalid container path \"{text}\", must be an absolute path"))
            .hint("as in `-v data:/data`")
    };
    if !text.starts_with('/') || text.contains('\0') {
        return Err(refused());
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(Report::new(format!("invalid container path \"{text}\": nothing can be mounted over the root"))
            .hint("`--rootfs DIRECTORY` takes a directory as the root"));
    }
    Ok(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_target_is_plain_and_never_the_root() {
        assert_eq!((parse("/x/../y//z/").unwrap(), parse("/../../etc/./x").unwrap()), ("/y/z".into(), "/etc/x".into()));
        for bad in ["", "x", "./x", "/", "/x/..", "/..", "/a\0b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
