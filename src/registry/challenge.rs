//! What a registry asks for before it answers: the header `WWW-Authenticate` (RFC 9110, 11.6.1; the distribution project's token
//! specification).

use http_auth::ChallengeRef;
use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// Of one header, in bytes. More headers than [`HEADERS`] are not looked at.
const LIMIT: usize = 8 << 10;
const HEADERS: usize = 8;

/// How it wants to know who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password with each request.
    Basic,
    /// A token with each request, which `realm` gives out.
    Bearer { realm: Url, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The one of those in the headers that serves best; `None`: there is none of a known kind. An error says what is wrong.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, String> {
        let mut basic = None;
        for value in headers.get_all(WWW_AUTHENTICATE).iter().take(HEADERS) {
            if value.len() > LIMIT {
                return Err(format!("its challenge has more than {LIMIT} bytes"));
            }
            let text = value.to_str().map_err(|_| "its challenge is no text".to_owned())?;
            let challenges = http_auth::parse_challenges(text).map_err(|_| "its challenge can't be read".to_owned())?;
            for challenge in challenges {
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    return bearer(&challenge).map(Some);
                }
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
            }
        }
        Ok(basic)
    }
}

fn bearer(challenge: &ChallengeRef<'_>) -> Result<Challenge, String> {
    let parameter = |name: &str| {
        let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
    };
    let realm = parameter("realm").ok_or("its challenge names no realm")?;
    let realm = realm.parse().map_err(|error| format!("its challenge has a realm that is no address ({error})"))?;
    Ok(Challenge::Bearer { realm, service: parameter("service"), scope: parameter("scope") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Result<Option<Challenge>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    #[test]
    fn a_token_is_better_than_a_password() {
        let bearer = r#"Bearer realm="https://a.io/t?x=1",service="a b",scope="repository:x:pull""#;
        let expected = Challenge::Bearer {
            realm: "https://a.io/t?x=1".parse().unwrap(),
            service: Some("a b".into()),
            scope: Some("repository:x:pull".into()),
        };
        assert_eq!(of(&["Basic realm=x", bearer]), Ok(Some(expected.clone())));
        assert_eq!(of(&[&format!("Negotiate, BASIC realm=\"x\", {bearer}")]), Ok(Some(expected)));
        assert_eq!(of(&["basic realm=\"x\""]), Ok(Some(Challenge::Basic)));
        assert_eq!(of(&["Negotiate"]), Ok(None));
        assert_eq!(of(&[]), Ok(None));
    }

    #[test]
    fn what_cant_be_read_is_refused() {
        let long = format!("Bearer realm=\"https://{}\"", "a".repeat(LIMIT));
        for bad in ["Bearer", "Bearer realm=\"\"", "Bearer realm=\"not an address\"", "Bearer realm=\"https://a", &long]
        {
            assert!(of(&[bad]).is_err(), "{bad} was taken");
        }
    }
}
