//! Somebody between a person and the server, who changes what answers say about the entry.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::support::person::{Person, Typed};
use crate::support::server::Server;

/// The header that is lied about.
const HEADER: &[u8] = b"brevet-entry: ";

/// Hands everything on, but for that header.
pub(crate) struct Liar {
    url: String,
}

impl Liar {
    /// Leaves the header out, or names this entry, whatever was done. It lives as long as the test.
    pub(crate) fn before(server: &Server, says: Option<u64>) -> Self {
        let behind = server.url().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&behind).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || hand_on(from, to, <[u8]>::to_vec));
                thread::spawn(move || hand_on(server, client, |answer| lie(answer, says)));
            }
        });
        Self { url }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Somebody types a line, which must work, without knowing who is between.
    pub(crate) fn types(&self, person: &Person, server: &Server, line: &str) -> Typed {
        let words: Vec<&str> = line.split(' ').collect();
        let typed =
            Typed::of(person.command(server, &words).env("BREVET_SERVER", &self.url).output().unwrap());
        assert_eq!(typed.code, 0, "{line}: {typed:?}");
        typed
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&[u8]) -> Vec<u8>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if to.write_all(&change(&bytes[..read])).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// The head of an answer comes in one piece: it is written in one.
fn lie(answer: &[u8], says: Option<u64>) -> Vec<u8> {
    let Some(at) = answer.windows(HEADER.len()).position(|window| window == HEADER) else {
        return answer.to_vec();
    };
    let end = at + answer[at..].windows(2).position(|window| window == b"\r\n").unwrap() + 2;
    let line = says.map(|index| [HEADER, index.to_string().as_bytes(), b"\r\n"].concat()).unwrap_or_default();
    [&answer[..at], &line, &answer[end..]].concat()
}
