//! Those who end connections on which nothing was sent for a moment: something between a sink and its receiver, or a
//! receiver itself.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a connection may be quiet.
const IDLE_MAX: Duration = Duration::from_millis(400);

/// How a connection that is quiet for too long is ended from between.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ends {
    /// With FIN, to both sides.
    Plainly,
    /// With RST.
    ByReset,
}

/// Counts the connections that were ended for being quiet.
pub(crate) type Ended = Arc<AtomicU32>;

/// Passes bytes on to a receiver; answers the port, and the count. It works until the process ends.
pub(crate) fn between(receiver: u16, ends: Ends) -> (u16, Ended) {
    serve(move |client| pass_on(&client, receiver, ends))
}

/// A receiver without patience, which ends connections in order (`close_notify`), with `server.pem` and `server.key` in a
/// folder; answers the port, the count and what it read.
pub(crate) fn impatient(certificates: &Path) -> (u16, Ended, Arc<Mutex<Vec<u8>>>) {
    let (config, received) = (config(certificates), Arc::new(Mutex::new(Vec::new())));
    let to = Arc::clone(&received);
    let (port, ended) = serve(move |client| take(client, Arc::clone(&config), &to));
    (port, ended, received)
}

fn serve(serve: impl Fn(TcpStream) -> io::Result<bool> + Send + Sync + 'static) -> (u16, Ended) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, ended) = (listener.local_addr().unwrap().port(), Ended::default());
    let (count, serve) = (Arc::clone(&ended), Arc::new(serve));
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (count, serve) = (Arc::clone(&count), Arc::clone(&serve));
            std::thread::spawn(move || {
                let was_quiet = serve(client).unwrap_or(false);
                count.fetch_add(u32::from(was_quiet), Ordering::SeqCst);
            });
        }
    });
    (port, ended)
}

/// Passes bytes on in both directions; answers whether it ended a quiet connection.
fn pass_on(client: &TcpStream, receiver: u16, ends: Ends) -> io::Result<bool> {
    let server = TcpStream::connect(("127.0.0.1", receiver))?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let back = std::thread::spawn(move || {
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    });
    client.set_read_timeout(Some(IDLE_MAX))?;
    let was_quiet = pass_on_until_quiet(client, &server)?;
    match ends {
        Ends::ByReset if was_quiet => {
            set_socket_linger(client, Some(Duration::ZERO))?;
            server.shutdown(Shutdown::Both)?;
        }
        Ends::Plainly if was_quiet => {
            client.shutdown(Shutdown::Write)?;
            server.shutdown(Shutdown::Both)?;
        }
        // The receiver reads to the end, and ends it then.
        _ => server.shutdown(Shutdown::Write)?,
    }
    drop(back.join());
    Ok(was_quiet)
}

/// Passes on what a client sends; answers whether it was quiet for too long, rather than at its end.
fn pass_on_until_quiet(mut client: &TcpStream, mut server: &TcpStream) -> io::Result<bool> {
    let mut bytes = [0; 4_096];
    loop {
        match client.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(count) => server.write_all(&bytes[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
    }
}

fn config(certificates: &Path) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(certificates.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificates.join("server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

/// Takes what a client sends until it is quiet; answers whether that was before its end.
fn take(client: TcpStream, config: Arc<ServerConfig>, received: &Mutex<Vec<u8>>) -> io::Result<bool> {
    client.set_read_timeout(Some(IDLE_MAX))?;
    let mut stream = StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, client);
    let mut bytes = [0; 4_096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(count) => received.lock().unwrap().extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                stream.conn.send_close_notify();
                stream.flush()?;
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
    }
}
