//! HTTP that is wrong: statuses, lengths, connections that break or hold, redirects.

use super::Place::{Config, Layer, Manifest, Ping};
use super::scripted::Reply;
use super::{Hostile, Place};

const FETCHED: [Place; 3] = [Manifest, Config, Layer];

/// Errors that are told at once, and those that come after some attempts.
pub fn statuses() -> Vec<Hostile> {
    let mut cases = Vec::new();
    for (status, says) in [
        (204, &["JSON", "bytes, not the"][..]),
        (300, &["status 300"]),
        (304, &["status 304"]),
        (400, &["status 400"]),
        (401, &["does not let"]),
        (403, &["does not let"]),
        (404, &["is not at the registry"]),
        (405, &["status 405"]),
        (416, &["status 416", "bytes, not the"]),
        (418, &["status 418"]),
        (429, &["status 429"]),
        (500, &["status 500"]),
        (502, &["status 502"]),
        (503, &["status 503"]),
        (599, &["status 599"]),
    ] {
        cases.extend(FETCHED.map(|place| place.spoiled(&format!("status {status}"), says, |_| Reply::new(status, ""))));
    }
    cases
}

/// What stands in an error's body is quoted, short and harmless.
pub fn words_of_errors() -> Vec<Hostile> {
    let words =
        |code: &str, message: &str| format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{message}\"}}]}}");
    let long = words("UNKNOWN", &"long ".repeat(10_000));
    vec![
        Manifest.spoiled("denied by words", &["does not let"], |_| Reply::new(400, words("DENIED", "no"))),
        Manifest
            .spoiled("too many by words", &["status 429: slow"], |_| Reply::new(400, words("TOOMANYREQUESTS", "slow"))),
        Manifest
            .spoiled("an escape sequence", &["400: no [2J way"], |_| Reply::new(400, words("X", "no\\u001b[2J way"))),
        Manifest.spoiled("long words", &["400: long long"], |_| Reply::new(400, long.clone())),
        Manifest.spoiled("a page for a browser", &["status 400"], |_| Reply::new(400, "<html>no</html>")),
        Manifest.spoiled("an error of 10 MB", &["status 400"], |_| Reply::new(400, vec![b'x'; 10 << 20])),
        Manifest.spoiled("an error without end", &["status 400"], |_| {
            Reply::new(400, vec![b'x'; 1 << 20]).no_length().endless()
        }),
        Manifest.spoiled("an error that stalls", &["status 400"], |_| Reply::new(400, "{").length("9").stall()),
        Manifest.spoiled("wait for a year", &["asks to be left alone for 31536000 s"], |_| {
            Reply::new(429, "").header("Retry-After", "31536000")
        }),
        Layer.spoiled("wait for longer than there is", &["asks to be left alone for"], |_| {
            Reply::new(503, "").header("Retry-After", "99999999999999999999999999")
        }),
        Manifest.spoiled("wait until a date", &["asks to be left alone for"], |_| {
            Reply::new(429, "").header("Retry-After", "Mon, 21 Oct 2199 07:28:00 GMT")
        }),
        Manifest.spoiled("wait a negative time", &["status 429"], |_| Reply::new(429, "").header("Retry-After", "-5")),
    ]
}

/// Bodies that are not what their heads say.
pub fn lengths() -> Vec<Hostile> {
    let mut cases = Vec::new();
    for place in FETCHED {
        cases.extend([
            place.spoiled("shorter than it is", &["JSON", "bytes, not the"], |body| {
                let length = body.len() - 10;
                Reply::ok(body).length(&length.to_string())
            }),
            place.spoiled("a negative length", &["does not speak HTTP"], |body| Reply::ok(body).length("-1")),
            place.spoiled("a length that is none", &["does not speak HTTP"], |body| Reply::ok(body).length("ten")),
            place
                .spoiled("two lengths", &["does not speak HTTP"], |body| Reply::ok(body).header("Content-Length", "7")),
            place.spoiled("a length beyond all", &["does not speak HTTP"], |body| {
                Reply::ok(body).length("18446744073709551615")
            }),
            place.spoiled("cut without a length", &["JSON", "bytes, not the"], |body| {
                let half = body.len() / 2;
                Reply::ok(body).no_length().cut(half)
            }),
            place.spoiled("bytes without end", &["more than the", "bytes, not the"], |_| {
                Reply::ok(vec![b' '; 1 << 20]).no_length().endless()
            }),
            place.spoiled("chunks that are none", &["broke", "does not speak HTTP"], |_| {
                Reply::ok("zz\r\nx\r\n").no_length().header("Transfer-Encoding", "chunked")
            }),
            place.spoiled("a chunk larger than all", &["broke", "does not speak HTTP"], |_| {
                Reply::ok("ffffffffffffffff1\r\nx").no_length().header("Transfer-Encoding", "chunked")
            }),
            place.spoiled("chunks without the last", &["broke", "bytes, not the"], |_| {
                Reply::ok("1\r\n{\r\n").no_length().header("Transfer-Encoding", "chunked")
            }),
            place.spoiled("nothing at all", &["JSON", "bytes, not the"], |_| Reply::ok("")),
        ]);
    }
    cases.push(
        Manifest
            .spoiled("a manifest of 100 MB", &["more than the 4194304 bytes"], |_| Reply::ok(vec![b' '; 100 << 20])),
    );
    cases.push(Config.spoiled("a config of 100 MB", &["bytes, not the"], |_| Reply::ok(vec![b' '; 100 << 20])));
    cases
}

/// Connections that hold or break, at every stage.
pub fn connections() -> Vec<Hostile> {
    let mut cases = Vec::new();
    for place in [Ping, Manifest, Config, Layer] {
        cases.extend([
            place.spoiled("no answer", &["did not answer in time"], |_| Reply::raw("").stall()),
            place.spoiled("half a head", &["did not answer in time"], |_| Reply::raw("HTTP/1.1 200 X\r\nA: ").stall()),
            place.spoiled("a head that trickles", &["did not answer in time"], |_| {
                Reply::raw("HTTP/1.1 200 X\r\nA: ").trickle()
            }),
            place.spoiled("closed before the head", &["broke"], |_| Reply::raw("")),
            place.spoiled("closed in the head", &["broke"], |_| Reply::raw("HTTP/1.1 200 X\r\nA: ")),
            place.spoiled("reset before the head", &["broke"], |_| Reply::raw("").reset()),
            place.spoiled("no HTTP", &["does not speak HTTP", "broke"], |_| Reply::raw("SSH-2.0-OpenSSH_9.2\r\n")),
            place.spoiled("a thousand headers", &["does not speak HTTP"], |_| {
                Reply::raw(format!("HTTP/1.1 200 X\r\n{}\r\n", "A: b\r\n".repeat(1000)))
            }),
            place.spoiled("a header of 10 MB", &["does not speak HTTP", "broke"], |_| {
                Reply::raw(format!("HTTP/1.1 200 X\r\nA: {}\r\n\r\n", "b".repeat(10 << 20)))
            }),
        ]);
    }
    for place in FETCHED {
        for percent in [0, 50, 99] {
            let at = move |body: &[u8]| body.len() * percent / 100;
            cases.push(place.spoiled(&format!("stalled at {percent} %"), &["stalled"], move |body| {
                let at = at(&body);
                Reply::ok(body).cut(at).stall()
            }));
            cases.push(place.spoiled(&format!("reset at {percent} %"), &["broke"], move |body| {
                let at = at(&body);
                Reply::ok(body).cut(at).reset()
            }));
            cases.push(place.spoiled(&format!("closed at {percent} %"), &["broke"], move |body| {
                let at = at(&body);
                Reply::ok(body).cut(at)
            }));
        }
        cases.push(place.spoiled("a body that trickles", &["stalled"], |body| Reply::ok(body).cut(5).trickle()));
    }
    cases
}

/// Where a registry may not send its clients.
pub fn redirects() -> Vec<Hostile> {
    let mut cases = Vec::new();
    for place in FETCHED {
        let (path, _) = place.of(&super::Parts::new());
        for (name, to, says) in [
            ("to itself", path.as_str(), &["redirects more than 10 times"][..]),
            ("to a file", "file:///etc/passwd", &["`file`"]),
            ("to a socket", "unix:///run/docker.sock", &["`unix`"]),
            ("to data", "data:text/plain,x", &["`data`"]),
            ("to the machine's data", "http://169.254.169.254/latest/meta-data/", &["169.254.169.254"]),
            ("to everywhere", "http://0.0.0.0/", &["0.0.0.0"]),
            ("with a user", "http://me:secret@{here}/x", &["user's name"]),
            ("to nowhere", "http://", &["no address", "none"]),
            ("to a port beyond all", "http://127.0.0.1:99999/", &["none"]),
            ("to nobody", "http://127.0.0.1:9/x", &["refused the connection"]),
        ] {
            cases.push(place.spoiled(name, says, |_| Reply::redirect(to)));
        }
    }
    let parts = super::Parts::new();
    let layer = parts.layer_path();
    cases.push(Hostile::new("through fifty places", &["more than 10 times"], parts, move |request, _| {
        let number: usize = match request.path.strip_prefix("/hop/") {
            Some(number) => number.parse().ok()?,
            None if request.path == layer => 0,
            None => return None,
        };
        Some(Reply::redirect(&format!("http://{{here}}/hop/{}", number + 1)))
    }));
    cases
}

/// Bytes that are not those that were asked for.
pub fn other_bytes() -> Vec<Hostile> {
    let flip = |mut body: Vec<u8>, at: usize| {
        body[at] ^= 1;
        body
    };
    let mut cases = Vec::new();
    for place in [Config, Layer] {
        cases.extend([
            place.spoiled("the first bit", &["has the digest"], |body| Reply::ok(flip(body, 0))),
            place.spoiled("the last bit", &["has the digest"], |body| {
                let last = body.len() - 1;
                Reply::ok(flip(body, last))
            }),
            place.spoiled("one byte less", &["bytes, not the"], |mut body| {
                body.pop();
                Reply::ok(body)
            }),
            place.spoiled("one byte more", &["bytes, not the"], |mut body| {
                body.push(0);
                Reply::ok(body)
            }),
            place.spoiled("encoded once more", &["has the digest", "bytes, not the"], |body| {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, &body).unwrap();
                Reply::ok(encoder.finish().unwrap()).header("Content-Encoding", "gzip")
            }),
            place.spoiled("a part that nobody asked for", &["from byte 5 on, not from byte 0"], |body| {
                let range = format!("bytes 5-{}/{}", body.len() - 1, body.len());
                Reply::new(206, &body[5..]).header("Content-Range", &range)
            }),
            place.spoiled("a part of it unsaid", &["does not say which"], |body| Reply::new(206, body)),
        ]);
    }
    cases
}
