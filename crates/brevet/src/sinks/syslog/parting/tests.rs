//! What the kernel says of a connection's end, whatever the other side did with the bytes.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::over;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (ours.unwrap(), theirs.unwrap().0)
}

#[tokio::test]
async fn a_receiver_that_read_everything_and_ends_has_it() {
    for first in [true, false] {
        let (mut ours, mut theirs) = pair().await;
        ours.write_all(b"entries").await.unwrap();
        let mut read = [0; 7];
        theirs.read_exact(&mut read).await.unwrap();
        if first {
            drop(theirs);
            ours.shutdown().await.unwrap();
            over(ours).await.unwrap();
        } else {
            ours.shutdown().await.unwrap();
            let ending = tokio::spawn(over(ours));
            assert_eq!(theirs.read(&mut read).await.unwrap(), 0);
            assert!(!ending.is_finished(), "it is not over while the other side has not ended it");
            drop(theirs);
            ending.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn one_that_ends_with_bytes_unread_has_not() {
    let (mut ours, mut theirs) = pair().await;
    ours.write_all(b"entries").await.unwrap();
    let mut read = [0; 3];
    theirs.read_exact(&mut read).await.unwrap();
    drop(theirs);
    assert!(ours.shutdown().await.is_err() || over(ours).await.is_err());
}

#[tokio::test]
async fn one_that_had_ended_before_the_last_bytes_came_has_not() {
    let (mut ours, mut theirs) = pair().await;
    ours.write_all(b"entries").await.unwrap();
    let mut read = [0; 7];
    theirs.read_exact(&mut read).await.unwrap();
    drop(theirs);
    assert_eq!(ours.read(&mut read).await.unwrap(), 0);
    ours.write_all(b"late").await.unwrap();
    assert!(ours.shutdown().await.is_err() || over(ours).await.is_err());
}

#[tokio::test]
async fn one_that_resets_has_not() {
    let (mut ours, theirs) = pair().await;
    rustix::net::sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).unwrap();
    drop(theirs);
    assert!(ours.shutdown().await.is_err() || over(ours).await.is_err());
}
