//! Who is let in, and for how long somebody may keep a connection without reading: nobody takes all connections.

use std::collections::HashMap;
use std::future::{Future as _, Ready, ready};
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready as done};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tower::Service;

use super::limit::{CONNECTIONS_MAX, CONNECTIONS_OF_ADDRESS_MAX, WRITE_STALLED_MAX};

/// What the door lets in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at once.
    pub(super) connections: usize,
    /// Those of one address, as the settings say it; where they do not, this machine has as many as it likes.
    pub(super) of_address: Option<NonZeroUsize>,
    /// How long what is written may get nowhere.
    pub(super) write_stalled: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: CONNECTIONS_MAX, of_address: None, write_stalled: WRITE_STALLED_MAX }
    }
}

impl Limits {
    fn of(&self, address: IpAddr) -> usize {
        match self.of_address {
            Some(most) => most.get(),
            // A proxy in front of everybody.
            None if address.is_loopback() => self.connections,
            None => CONNECTIONS_OF_ADDRESS_MAX,
        }
    }
}

/// Lets so many connections in, and no more.
#[derive(Debug, Clone)]
pub(super) struct Door {
    limits: Limits,
    places: Arc<Semaphore>,
    addresses: Addresses,
    /// Whether the log says already that an address had all that one may have.
    has_told: Arc<AtomicBool>,
}

impl Door {
    pub(super) fn new(limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self { limits, places, addresses: Addresses::default(), has_told: Arc::default() }
    }

    fn place(&self, peer: IpAddr) -> Result<Place> {
        let full = |_| Error::other("there are too many connections");
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        let address = network(peer);
        let most = self.limits.of(address);
        if !self.addresses.enter(address, most) {
            if !self.has_told.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "{address} has {most} connections, and one more was closed; where that is a proxy, set \
                     connections_per_address in the settings file (this is said once)"
                );
            }
            return Err(Error::other("there are too many connections from this address"));
        }
        Ok(Place { addresses: self.addresses.clone(), address, _permit: permit })
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Watched;
    type Service = Placed<S>;
    type Future = Ready<Result<(Watched, Placed<S>)>>;

    fn accept(&self, stream: TcpStream, inner: S) -> Self::Future {
        let accepted = stream.peer_addr().and_then(|peer| {
            let place = Arc::new(self.place(peer.ip())?);
            stream.set_nodelay(true)?;
            let stream = Watched { stream, stalled_max: self.limits.write_stalled, stalled: None };
            Ok((stream, Placed { inner, _place: place }))
        });
        ready(accepted)
    }
}

/// One network of IPv6 counts as one address: whoever has one has 2⁶⁴ of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

/// How many connections each address has.
#[derive(Debug, Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Addresses {
    fn enter(&self, address: IpAddr, most: usize) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        let has_room = *count < most;
        *count += usize::from(has_room);
        has_room
    }

    fn leave(&self, address: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&address)),
        }
    }
}

/// The place of a connection, for as long as this is kept.
#[derive(Debug)]
struct Place {
    addresses: Addresses,
    address: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.addresses.leave(self.address);
    }
}

/// A service that holds the place of its connection.
#[derive(Debug, Clone)]
pub(super) struct Placed<S> {
    inner: S,
    _place: Arc<Place>,
}

impl<S: Service<R>, R> Service<R> for Placed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.inner.call(request)
    }
}

/// A connection that fails when what is written to it gets nowhere for too long: whoever does not read an answer does
/// not keep their place.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    stalled_max: Duration,
    /// Runs from the first write that had to wait, until one gets somewhere.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    fn watch(&mut self, context: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled_max = self.stalled_max;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(stalled_max)));
        done!(stalled.as_mut().poll(context));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the other end does not read")))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // A TCP stream keeps nothing back: there is nothing to wait for.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpSocket, TcpStream};

    use super::super::limit::CONNECTIONS_OF_ADDRESS_MAX;
    use super::super::serve::bind_to;
    use super::{Door, Limits, Place};

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    /// Larger than all buffers between two ends on one machine.
    const ANSWER_BYTES: usize = 32 << 20;
    static ANSWER: [u8; ANSWER_BYTES] = [b'a'; ANSWER_BYTES];

    async fn serve(limits: Limits) -> std::net::SocketAddr {
        let mut listening = bind_to("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        listening.limits = limits;
        let address = listening.address();
        let routes = Router::new().route("/", get(|| async { Bytes::from_static(&ANSWER) }));
        tokio::spawn(listening.serve_routes(routes, std::future::pending(), Duration::ZERO));
        address
    }

    #[tokio::test]
    async fn whoever_does_not_read_loses_the_connection_and_leaves_room_for_others() {
        let write_stalled = Duration::from_millis(500);
        let address = serve(Limits { connections: 20, write_stalled, ..Limits::default() }).await;
        let mut idlers = Vec::new();
        for _ in 0..20 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4_096).unwrap();
            let mut idler = socket.connect(address).await.unwrap();
            idler.write_all(&ASK.repeat(50)).await.unwrap();
            idlers.push(idler);
        }
        let answered = async {
            loop {
                let mut one = TcpStream::connect(address).await.unwrap();
                let mut begun = [0; 15];
                if one.write_all(ASK).await.is_ok() && one.read_exact(&mut begun).await.is_ok() {
                    break begun;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let answered = tokio::time::timeout(Duration::from_secs(20), answered).await;
        assert_eq!(&answered.expect("they keep their places for ever"), b"HTTP/1.1 200 OK");
        drop(idlers);
    }

    #[tokio::test]
    async fn whoever_reads_slowly_hears_all_of_it() {
        let address = serve(Limits { write_stalled: Duration::from_secs(2), ..Limits::default() }).await;
        let mut reader = TcpStream::connect(address).await.unwrap();
        reader.write_all(ASK).await.unwrap();
        let (mut heard, mut piece) = (0, vec![0; 2 << 20]);
        while heard < ANSWER_BYTES {
            // All of it takes longer than that.
            tokio::time::sleep(Duration::from_millis(150)).await;
            let read = reader.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "it was cut off after {heard} bytes");
            heard += read;
        }
    }

    #[test]
    fn one_address_takes_a_share_of_the_connections_and_never_those_of_others() {
        let few = NonZeroUsize::new(2);
        for (of_address, peer, most, other) in [
            (None, "192.0.2.1", CONNECTIONS_OF_ADDRESS_MAX, "192.0.2.2"),
            (None, "::ffff:192.0.2.1", CONNECTIONS_OF_ADDRESS_MAX, "192.0.2.2"),
            (None, "2001:db8::1", CONNECTIONS_OF_ADDRESS_MAX, "2001:db8:0:1::1"),
            (few, "2001:db8::1", 2, "2001:db8:0:1::1"),
            (few, "192.0.2.1", 2, "::1"),
            (few, "127.0.0.1", 2, "::1"),
        ] {
            let door = Door::new(Limits { of_address, ..Limits::default() });
            let enter = |peer: &str| door.place(peer.parse::<IpAddr>().unwrap());
            let mut own: Vec<Place> = (0..most).map(|_| enter(peer).unwrap()).collect();
            assert!(enter(peer).is_err(), "{peer}");
            assert!(enter(other).is_ok(), "{other}");
            drop(own.pop());
            assert!(enter(peer).is_ok(), "{peer}");
            drop(own);
            assert!(door.addresses.0.lock().unwrap().is_empty(), "{peer}");
        }
        let door = Door::new(Limits { connections: CONNECTIONS_OF_ADDRESS_MAX + 1, ..Limits::default() });
        let proxied: Vec<_> =
            (0..=CONNECTIONS_OF_ADDRESS_MAX).map(|_| door.place([127, 0, 0, 1].into())).collect();
        assert!(proxied.iter().all(Result::is_ok), "a proxy on this machine");
        let (one, next) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert_eq!(super::network(one), super::network(next));
    }
}
