//! Syslog: RFC 5424 messages in octet-counted frames (RFC 5425, section 4.3) over TLS.
//!
//! Syslog has no acknowledgement. That the kernel of the receiver has taken bytes does not say that its process has
//! read them, and less that it has stored them; a receiver that is killed loses both. So the position stays behind: an
//! entry counts as delivered when the connection that carried it is still alive `RESEND` later, and after each new
//! connection everything from the position on is sent again. A receiver that ends in whatever way, and had not stored
//! what it got within that time, gets it once more when it is back; it knows the repetition by the index.
//!
//! Where connections do not live that long, because somebody in between ends idle ones, that alone would never end. So
//! two more things count. A receiver that ends the connection in order (TLS `close_notify`, which a process that is
//! killed does not send) after it has read everything has all that was sent. And when connections were cut short again
//! and again, each next one is ended by this side, in order, as soon as everything is sent: when the receiver then ends it
//! too, it has read everything. See [`parting`] for how that is known, and decision 0012 for what it does not show.
//!
//! A connection that dies without a word is noticed by the kernel well within `RESEND` (see `tls.rs`).

mod parting;

use std::collections::VecDeque;
use std::time::Duration;

use brevet_wire::Time;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use super::feed::{Feed, Message};
use super::keeper::Keeper;
use super::tls::Connector;
use crate::config::SyslogConfig;

/// After a new connection, what was sent within this time before is sent again.
const RESEND: Duration = Duration::from_secs(30);
/// What is sent within this time of each other counts as sent at once.
const SENT_AT_ONCE: Duration = Duration::from_secs(1);
/// How long a receiver may take for one stretch of entries.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// Connections in a row that are cut short before anything else is tried than to wait for a long one. A receiver that was
/// killed is away for a moment, and is told from these by that.
const CUT_SHORT_MAX: u32 = 3;
/// How long the next connection waits at least for more entries, after one that was ended in order.
const CONNECT_EVERY: Duration = Duration::from_secs(1);
/// The number that names structured data of one's own: that of examples (RFC 5612), as Brevet has none registered.
const ENTERPRISE: u32 = 32_473;
/// `sequenceId` begins anew behind this (RFC 5424, section 7.3.1).
const SEQUENCE_MAX: u64 = 2_147_483_647;

/// One receiver.
pub(super) struct SyslogSink {
    header: Header,
    connector: Connector,
}

impl SyslogSink {
    pub(super) fn new(config: SyslogConfig, connector: Connector) -> Self {
        let SyslogConfig { app_name, hostname, facility, .. } = config;
        let hostname = hostname.unwrap_or_else(this_machine);
        Self { header: Header { facility, hostname, app_name }, connector }
    }

    /// Sends until the process ends.
    pub(super) async fn run(self, mut keeper: Keeper, mut feed: Feed) {
        keeper.begin().await;
        // How many connections in a row, each reached at once, were cut short.
        let mut cut_short = 0;
        loop {
            let stream = match self.connector.connect().await {
                Ok(stream) => stream,
                Err(why) => {
                    cut_short = 0;
                    keeper.trouble(&why).await;
                    continue;
                }
            };
            let manner = if cut_short < CUT_SHORT_MAX { Manner::Stays } else { Manner::Parts };
            let Ended { how, settled } = self.send(stream, manner, &mut keeper, &mut feed).await;
            match how {
                Ok(()) => drop(tokio::join!(feed.ready(), tokio::time::sleep(CONNECT_EVERY))),
                Err(why) => {
                    cut_short = if settled { 0 } else { cut_short + 1 };
                    keeper.trouble(&why).await;
                }
            }
        }
    }

    /// Sends over one connection until it ends.
    async fn send(
        &self,
        stream: TlsStream<TcpStream>,
        manner: Manner,
        keeper: &mut Keeper,
        feed: &mut Feed,
    ) -> Ended {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (mut unsettled, mut settled) = (Unsettled::default(), false);
        feed.go_to(keeper.position());
        keeper.well();
        let first = loop {
            if let Some(position) = unsettled.settled(Instant::now()) {
                keeper.delivered(position).await;
                settled = true;
            }
            if matches!(manner, Manner::Parts) && unsettled.last().is_some() && !feed.is_ready() {
                break parting::First::We;
            }
            tokio::select! {
                biased;
                closed = until_closed(&mut reader) => match closed {
                    Ok(()) => break parting::First::They,
                    Err(why) => return Ended { how: Err(why), settled: settled || unsettled.last().is_none() },
                },
                () = unsettled.next_settles() => continue,
                () = feed.ready() => {}
            }
            match self.write_next(&mut writer, feed).await {
                Ok(next) => {
                    keeper.sent(next);
                    unsettled.sent(Instant::now(), next);
                }
                Err(why) => return Ended { how: Err(why), settled },
            }
        };
        let how = parting::part(reader.unsplit(writer), first).await;
        if let (Ok(()), Some(position)) = (&how, unsettled.last()) {
            keeper.delivered(position).await;
        }
        Ended { how, settled }
    }

    /// Sends the next entries; answers the index behind them, or what went wrong.
    async fn write_next(
        &self,
        writer: &mut WriteHalf<TlsStream<TcpStream>>,
        feed: &mut Feed,
    ) -> Result<u64, String> {
        let messages = feed.take().await.map_err(|error| error.to_string())?;
        let mut frames = Vec::new();
        for message in &messages.messages {
            self.header.frame(message, feed.origin(), &mut frames);
        }
        let writing = async {
            writer.write_all(&frames).await?;
            writer.flush().await
        };
        match tokio::time::timeout(WRITE_MAX, writing).await {
            Ok(Ok(())) => Ok(messages.next),
            Ok(Err(error)) => Err(format!("the connection broke: {error}")),
            Err(_) => Err(format!("it took nothing for {} s", WRITE_MAX.as_secs())),
        }
    }
}

/// What is done with a connection when everything is sent.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// It stays, and shows by staying that the receiver is there.
    Stays,
    /// It is ended in order.
    Parts,
}

/// The end of a connection.
struct Ended {
    /// In order, with everything delivered; or why not.
    how: Result<(), String>,
    /// Whether it lived long enough to settle something, or had nothing to settle.
    settled: bool,
}

/// Ends when the other side does; whatever it says before means nothing. `Ok` where that side said that it ends.
async fn until_closed(reader: &mut ReadHalf<TlsStream<TcpStream>>) -> Result<(), String> {
    let mut ignored = [0; 256];
    loop {
        match reader.read(&mut ignored).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err("the receiver, or something in between, cut the connection".to_owned());
            }
            Err(error) => return Err(format!("the connection broke: {error}")),
        }
    }
}

/// What was sent not long ago. A few numbers, however much that is.
#[derive(Default)]
struct Unsettled(VecDeque<Sent>);

struct Sent {
    first: Instant,
    last: Instant,
    next: u64,
}

impl Unsettled {
    fn sent(&mut self, now: Instant, next: u64) {
        match self.0.back_mut() {
            Some(back) if now < back.first + SENT_AT_ONCE => (back.last, back.next) = (now, next),
            _ => self.0.push_back(Sent { first: now, last: now, next }),
        }
    }

    /// The index behind all that was sent.
    fn last(&self) -> Option<u64> {
        self.0.back().map(|back| back.next)
    }

    /// Before which index everything was sent long enough ago, when there is something new to say.
    fn settled(&mut self, now: Instant) -> Option<u64> {
        let mut settled = None;
        while self.0.front().is_some_and(|front| front.last + RESEND <= now) {
            settled = self.0.pop_front().map(|front| front.next);
        }
        settled
    }

    /// Ends when the oldest of it is old enough; never where there is nothing.
    async fn next_settles(&self) {
        match self.0.front() {
            Some(front) => tokio::time::sleep_until(front.last + RESEND).await,
            None => std::future::pending().await,
        }
    }
}

/// What is the same in every message.
struct Header {
    facility: u8,
    hostname: String,
    app_name: String,
}

impl Header {
    /// `MSG-LEN SP SYSLOG-MSG`. The header says which entry it is, so that a repetition or a gap is seen without
    /// reading the body: `MSGID` is the kind, `index` counts from 0 without a gap.
    fn frame(&self, message: &Message, origin: &str, frames: &mut Vec<u8>) {
        let Self { facility, hostname, app_name } = self;
        let Message { index, time, kind, severity, actor, request, leaf_hash, line } = message;
        let priority = u16::from(*facility) * 8 + u16::from(*severity);
        let time = Time::from_micros(time.micros()).0;
        let mut text = format!("<{priority}>1 {time} {hostname} {app_name} - {kind} ");
        let sequence = index % SEQUENCE_MAX + 1;
        text.push_str(&format!("[meta sequenceId=\"{sequence}\"][brevet@{ENTERPRISE} index=\"{index}\""));
        let request = request.as_deref().unwrap_or_default();
        for (name, value) in
            [("origin", origin), ("actor", actor), ("request", request), ("leafHash", leaf_hash)]
        {
            if !value.is_empty() {
                text.push_str(&format!(" {name}=\"{}\"", escaped(value)));
            }
        }
        text.push_str("] ");
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        frames.extend_from_slice(format!("{} ", text.len() + body.len()).as_bytes());
        frames.extend_from_slice(text.as_bytes());
        frames.extend_from_slice(body);
    }
}

/// PARAM-VALUE (RFC 5424, section 6.3.3), with what misleads a reader made visible.
fn escaped(value: &str) -> String {
    let shown = brevet_core::escape_for_display(value);
    shown.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

/// The name of this machine as a header can have it; NILVALUE where it cannot.
fn this_machine() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    match !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => name,
        false => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests;
