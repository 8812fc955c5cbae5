//! Answers that come piece by piece: a task writes, the connection reads at its own pace.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::mpsc;

use super::limit::STREAM_STALLED_MAX;
use super::wait::Wait;

/// Pieces on their way that the connection has not taken yet.
const PIECES_MAX: usize = 8;

/// Nobody reads any more.
#[derive(Debug)]
pub(super) struct Gone;

/// The end of a stream that is written to.
pub(super) struct Pipe(mpsc::Sender<Result<Bytes, std::io::Error>>);

impl Pipe {
    /// A stream of this content type, and the answer that carries it, which holds the place of its reader.
    pub(super) fn new(kind: &'static str, wait: Wait) -> (Self, Response) {
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        let mut response = Body::new(Pieces { pieces, _wait: wait }).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        (Self(sender), response)
    }

    pub(super) async fn send(&self, piece: impl Into<Bytes>) -> Result<(), Gone> {
        self.put(Ok(piece.into())).await
    }

    /// One server-sent event (WHATWG HTML, section 9.2); JSON has no line breaks of its own.
    pub(super) async fn event(&self, name: &str, data: &impl Serialize) -> Result<(), Gone> {
        let data = serde_json::to_string(data).map_err(|_| Gone)?;
        self.send(format!("event: {name}\ndata: {data}\n\n")).await
    }

    /// Breaks the answer off, so that nobody takes what came so far for all there is.
    pub(super) async fn break_off(&self, why: &str) {
        drop(self.put(Err(std::io::Error::other(why.to_owned()))).await);
    }

    async fn put(&self, piece: Result<Bytes, std::io::Error>) -> Result<(), Gone> {
        match tokio::time::timeout(STREAM_STALLED_MAX, self.0.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

struct Pieces {
    pieces: mpsc::Receiver<Result<Bytes, std::io::Error>>,
    _wait: Wait,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
