//! The tables of a system, line by line: accounts of an image, subordinate ids, resolvers, hosts.

use coracle::host::subid;
use coracle::network::hosts::Hosts;
use coracle::network::resolv::{self, Asked, Reach};
use coracle::runtime::identity::Accounts;

/// /etc/passwd and, behind an empty line, /etc/group of an image: nobody becomes root who was not written so.
pub fn accounts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (passwd, group) = text.split_once("\n\n").unwrap_or((&text, ""));
    let accounts = Accounts { passwd: passwd.to_owned(), group: group.to_owned() };
    let names = passwd.lines().filter_map(|line| line.split(':').next());
    for user in names.take(8).chain(["", "0", "33", "1000:33", "www-data:adm", "-1", "4294967296"]) {
        let Ok(identity) = accounts.identity(user, &["adm".to_owned()]) else { continue };
        let ids = [identity.uid, identity.gid];
        assert!(ids.iter().chain(&identity.groups).all(|id| *id <= i32::MAX as u32));
        let name = user.split(':').next().unwrap();
        match name.parse::<u32>() {
            Ok(number) => assert_eq!(identity.uid, number),
            Err(_) if name.is_empty() => assert_eq!(identity.uid, 0),
            Err(_) => {
                let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
                let uid = identity.uid.to_string();
                let written = |field: &str| field.parse() == Ok(identity.uid);
                assert!(lines.any(|line| line[0] == name && line.get(2).is_some_and(|field| written(field))), "{uid}");
            }
        }
    }
}

/// subuid(5) and what getsubids(1) says: ranges of ids that exist, and never root's.
pub fn subordinate_ids(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (first, count) in subid::ranges(&text, Some("ann"), 1000).into_iter().chain(subid::listed(&text)) {
        assert!(first > 0 && count > 0 && first.checked_add(count).is_some());
    }
}

/// What a container gets is a resolv.conf(5) that says the same when it is read again.
pub fn resolv(bytes: &[u8]) {
    let host = String::from_utf8_lossy(bytes);
    for reach in [Reach::Host, Reach::Private { forward: None }, Reach::None] {
        let text = resolv::text(&host, reach, &Asked::default());
        assert!(text.lines().filter(|line| line.starts_with("nameserver ")).count() <= 3);
        assert_eq!(resolv::text(&text, reach, &Asked::default()), text);
    }
}

/// Each line of the result is an address and names.
pub fn hosts(bytes: &[u8]) {
    let base = String::from_utf8_lossy(bytes);
    let added: Vec<String> = base.lines().take(2).map(str::to_owned).collect();
    for added in [&added[..], &[]] {
        let Ok(text) = Hosts { base: &base, added, own_names: &["box"], ..Hosts::default() }.text() else { continue };
        for line in text.lines() {
            let (address, names) = line.split_once('\t').expect("an address and names");
            assert!(address.parse::<std::net::IpAddr>().is_ok() && !names.is_empty(), "{line:?}");
        }
        assert!(text.lines().any(|line| line.split_ascii_whitespace().any(|word| word == "localhost")));
    }
}
