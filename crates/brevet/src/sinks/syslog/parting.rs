//! Ending a connection so that both sides know that everything was read.
//!
//! This side says that nothing follows (`close_notify`, then FIN) and waits until the other has ended it too. To a side that
//! said so first only the FIN is sent: it may have closed its socket, and would answer any bytes with a reset. Then the
//! kernel keeps the connection for as long as something of ours was not acknowledged; when it lets go of it without an
//! error, every byte has been acknowledged, and the other side's process has read all of them: a kernel whose process
//! ends a connection with bytes unread, or gets some afterwards, answers with a reset (RFC 2525, section 2.17; RFC 1122,
//! section 4.2.2.13).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How long the other side may take to read what is on its way, and to end the connection.
const PART_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether everything is acknowledged, once both have ended it.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Who said first that the connection ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum First {
    /// This side does.
    We,
    /// The other side did.
    They,
}

/// Ends a connection in order; an error where nobody knows what the other side has read.
pub(super) async fn part(stream: TlsStream<TcpStream>, first: First) -> Result<(), String> {
    match tokio::time::timeout(PART_MAX, end(stream, first)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the connection did not end in order: {error}")),
        Err(_) => Err(format!("the connection did not end within {} s", PART_MAX.as_secs())),
    }
}

async fn end(mut stream: TlsStream<TcpStream>, first: First) -> std::io::Result<()> {
    match first {
        // Ends the TCP stream too.
        First::We => stream.shutdown().await?,
        First::They => stream.get_mut().0.shutdown().await?,
    }
    over(stream.into_inner().0).await
}

/// Waits for the end of a connection that this side has ended.
async fn over(mut stream: TcpStream) -> std::io::Result<()> {
    let mut ignored = [0; 256];
    while stream.read(&mut ignored).await? > 0 {}
    // A connection without a peer is over: acknowledged to the last byte, or reset.
    while stream.peer_addr().is_ok() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    stream.take_error()?.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
