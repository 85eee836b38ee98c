//! A label: `user:role:type:level`, of which the level may have colons of its own.

use std::fmt;
use std::str::FromStr;

/// Longer ones are no label (the kernel takes a page at most).
const LONGEST: usize = 4095;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub user: String,
    pub role: String,
    pub kind: String,
    /// A sensitivity or a range of them, each with its categories: `s0`, `s0:c17,c803`.
    pub level: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no label of SELinux, which are `USER:ROLE:TYPE:LEVEL`")]
pub struct NotALabel(pub String);

impl FromStr for Label {
    type Err = NotALabel;

    fn from_str(text: &str) -> Result<Self, NotALabel> {
        let mut parts = text.splitn(4, ':').map(str::to_owned);
        let (user, role, kind, level) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(user), Some(role), Some(kind), Some(level)) = (user, role, kind, level) else {
            return Err(NotALabel(text.to_owned()));
        };
        let label = Self { user, role, kind, level };
        let is_word = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        let whole = [&label.user, &label.role, &label.kind, &label.level].into_iter().all(is_word);
        if whole && text.len() <= LONGEST { Ok(label) } else { Err(NotALabel(text.to_owned())) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.user, self.role, self.kind, self.level)
    }
}

impl Label {
    /// Without categories: for what containers share.
    pub fn shared(&self) -> Self {
        let sensitivity = self.level.split(':').next().unwrap_or_default();
        Self { level: sensitivity.to_owned(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_four_parts() {
        let text = "system_u:object_r:container_file_t:s0:c17,c803";
        let label: Label = text.parse().unwrap();
        assert_eq!((label.kind.as_str(), label.level.as_str()), ("container_file_t", "s0:c17,c803"));
        assert_eq!(label.to_string(), text);
        assert_eq!(label.shared().to_string(), "system_u:object_r:container_file_t:s0");
        for bad in ["", "a:b:c", "a:b:c:", "a::c:s0", "a:b:c:s0\n", "a b:c:d:s0", &"x".repeat(5000)] {
            assert_eq!(bad.parse::<Label>(), Err(NotALabel(bad.to_owned())));
        }
    }
}
