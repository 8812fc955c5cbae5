//! Stands between a server and its PostgreSQL, and cuts the wire at the worst moment, or lets nothing through.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// The words of the message by which a transaction is committed, as they cross the wire.
const COMMIT: &[u8] = b"COMMIT\0";

/// When the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    /// Not at all.
    Never = 0,
    /// PostgreSQL gets the next COMMIT, and nobody its answer.
    Behind = 1,
    /// The next COMMIT does not get there.
    Before = 2,
    /// The next COMMIT is done, and PostgreSQL says that it cannot go on.
    Panic = 3,
}

/// What PostgreSQL says when the disk of its log fails.
const PANIC: &[u8] = b"E\0\0\0\x39SPANIC\0VPANIC\0C58030\0Mcould not fsync file \"000000\"\0\0";

/// A socket that leads to PostgreSQL.
pub(crate) struct WireCutter {
    folder: tempfile::TempDir,
    cut: Arc<AtomicU8>,
    cuts: Arc<AtomicUsize>,
    silence: Arc<Silence>,
}

/// Whether the wire is silent, and what waits until it is not.
#[derive(Default)]
struct Silence {
    is_silent: Mutex<bool>,
    ended: Condvar,
}

impl Silence {
    fn set(&self, is_silent: bool) {
        *self.is_silent.lock().unwrap() = is_silent;
        self.ended.notify_all();
    }

    fn outlast(&self) {
        drop(self.ended.wait_while(self.is_silent.lock().unwrap(), |is_silent| *is_silent).unwrap());
    }
}

impl WireCutter {
    /// A way to the PostgreSQL whose socket is in this folder.
    pub(crate) fn before(socket: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let (cut, cuts) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicUsize::new(0)));
        let to: PathBuf = socket.join(".s.PGSQL.5432");
        let silence = Arc::<Silence>::default();
        let (armed, count, quiet) = (Arc::clone(&cut), Arc::clone(&cuts), Arc::clone(&silence));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // Nobody is there while PostgreSQL is down.
                let Ok(far) = UnixStream::connect(&to) else { continue };
                let (armed, count) = (Arc::clone(&armed), Arc::clone(&count));
                let (there, back) = (Arc::clone(&quiet), Arc::clone(&quiet));
                let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let (armed_too, count_too) = (Arc::clone(&armed), Arc::clone(&count));
                std::thread::spawn(move || carry(near, far, &there, |bytes| decide(bytes, &armed, &count)));
                std::thread::spawn(move || {
                    carry(far_too, near_too, &back, |bytes| decide_back(bytes, &armed_too, &count_too));
                });
            }
        });
        Self { folder, cut, cuts, silence }
    }

    /// The folder of the socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Cuts once, at the next COMMIT.
    pub(crate) fn arm(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// From now on nothing gets through, in either direction: neither a byte nor the end of a connection. Whoever connects
    /// is not answered.
    pub(crate) fn hush(&self) {
        self.silence.set(true);
    }

    /// Everything gets through again. What was sent meanwhile gets there now, as TCP sends again what was lost.
    pub(crate) fn speak(&self) {
        self.silence.set(false);
    }

    /// How often it was cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn decide(bytes: &[u8], armed: &AtomicU8, cuts: &AtomicUsize) -> Cut {
    if commit_in(bytes).is_none() {
        return Cut::Never;
    }
    let cut = match armed.load(Ordering::SeqCst) {
        1 => Cut::Behind,
        2 => Cut::Before,
        _ => return Cut::Never,
    };
    disarm(cut, armed, cuts)
}

/// The same for what comes back: there COMMIT is what was done.
fn decide_back(bytes: &[u8], armed: &AtomicU8, cuts: &AtomicUsize) -> Cut {
    match commit_in(bytes).is_some() && armed.load(Ordering::SeqCst) == Cut::Panic as u8 {
        true => disarm(Cut::Panic, armed, cuts),
        false => Cut::Never,
    }
}

/// Of several wires one is cut.
fn disarm(cut: Cut, armed: &AtomicU8, cuts: &AtomicUsize) -> Cut {
    if armed.swap(0, Ordering::SeqCst) != cut as u8 {
        return Cut::Never;
    }
    cuts.fetch_add(1, Ordering::SeqCst);
    cut
}

fn commit_in(bytes: &[u8]) -> Option<usize> {
    bytes.windows(COMMIT.len()).position(|window| window == COMMIT)
}

fn carry(mut from: UnixStream, mut to: UnixStream, silence: &Silence, decide: impl Fn(&[u8]) -> Cut) {
    let mut bytes = [0; 65_536];
    loop {
        let count = from.read(&mut bytes).unwrap_or(0);
        silence.outlast();
        let cut = decide(&bytes[..count]);
        if count == 0 || cut != Cut::Never {
            let is_sent = cut == Cut::Behind && to.write_all(&bytes[..count]).is_ok();
            if cut == Cut::Panic {
                // In place of the answer, which begins with its kind and its length.
                let before = commit_in(&bytes[..count]).unwrap().saturating_sub(5);
                drop(to.write_all(&[&bytes[..before], PANIC].concat()));
            }
            // What is on its way to PostgreSQL still gets there.
            drop((
                from.shutdown(Shutdown::Both),
                to.shutdown(if is_sent { Shutdown::Write } else { Shutdown::Both }),
            ));
            return;
        }
        // Where nobody hears the answers any more they are taken all the same: PostgreSQL gives up a client that it cannot
        // answer, also in front of the COMMIT that it already has.
        drop(to.write_all(&bytes[..count]));
    }
}
