//! One HTTP/1.1 connection to a witness, kept open.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: String,
}

pub(crate) struct Talk(BufReader<TcpStream>);

impl Talk {
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.call(&format!("GET {path} HTTP/1.1\r\nhost: witness\r\n\r\n"), &[]).unwrap()
    }

    pub(crate) fn add(&mut self, body: &[u8]) -> io::Result<Answer> {
        let length = body.len();
        let head =
            format!("POST /add-checkpoint HTTP/1.1\r\nhost: witness\r\ncontent-length: {length}\r\n\r\n");
        self.call(&head, body)
    }

    pub(crate) fn call(&mut self, head: &str, body: &[u8]) -> io::Result<Answer> {
        self.0.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status in {line:?}")))?;
        let (mut length, mut kind) = (0, String::new());
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
                Some(("content-type", value)) => value.clone_into(&mut kind),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Answer { status, kind, body: String::from_utf8(body).map_err(io::Error::other)? })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}
