//! TLS in front of a registry of the test's own, with a certificate that `tests/setup/certificates` made.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// `localhost:PORT`, where what lies at `plain` (`HOST:PORT`) is to be had over TLS, to clients that ask and send nothing else.
pub fn tls(folder: &Path, plain: &str) -> String {
    let certificate = CertificateDer::from_pem_file(folder.join("server.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let plain = plain.to_owned();
    // Lives as long as the test binary.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, plain) = (Arc::clone(&config), plain.clone());
            std::thread::spawn(move || pass(stream, config, &plain));
        }
    });
    address
}

/// One question and its answer. A client that goes away, or does not like the certificate, is not this side's failure.
fn pass(stream: TcpStream, config: Arc<ServerConfig>, plain: &str) -> Option<()> {
    let mut client = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let mut behind = TcpStream::connect(plain).ok()?;
    behind.write_all(&head).and_then(|()| behind.shutdown(Shutdown::Write)).ok()?;
    std::io::copy(&mut behind, &mut client).ok()?;
    client.conn.send_close_notify();
    client.flush().ok()
}
