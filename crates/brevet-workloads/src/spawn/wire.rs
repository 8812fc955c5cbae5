//! Sockets between the server, the spawner and the supervisors. Each message arrives whole or not at all.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::instructions::Instructions;

/// The open files that travel with the instructions of a run.
pub(super) const FILES: usize = 6;

/// One run, as it arrived at the spawner.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) instructions: Instructions,
    pub(super) executable: OwnedFd,
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) directory: OwnedFd,
    /// To the server.
    pub(super) control: OwnedFd,
}

/// The files of a [`Request`] before they are sent.
pub(super) struct Files<'a> {
    pub(super) executable: BorrowedFd<'a>,
    pub(super) stdin: BorrowedFd<'a>,
    pub(super) stdout: BorrowedFd<'a>,
    pub(super) stderr: BorrowedFd<'a>,
    pub(super) directory: BorrowedFd<'a>,
    pub(super) control: BorrowedFd<'a>,
}

/// What the spawner finds on its socket.
pub(super) enum Incoming {
    Run(Box<Request>),
    /// Not understood; who sent it is to be told so.
    Bad {
        control: OwnedFd,
    },
    /// The server has ended.
    Closed,
}

pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Sends a run to the spawner. Waits for nothing: [`Errno::AGAIN`] says that the spawner is behind.
pub(super) fn send_run(socket: BorrowedFd<'_>, instructions: &[u8], files: &Files<'_>) -> Result<(), Errno> {
    let Files { executable, stdin, stdout, stderr, directory, control } = *files;
    let fds: [_; FILES] = [executable, stdin, stdout, stderr, directory, control];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::MSGSIZE);
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let sent =
        rustix::io::retry_on_intr(|| sendmsg(socket, &[IoSlice::new(instructions)], &mut ancillary, flags))?;
    if sent == instructions.len() { Ok(()) } else { Err(Errno::MSGSIZE) }
}

/// Receives the next run, waiting for it. Anything but instructions with exactly their files is an error: the server
/// is the same program, so that it can only mean a confusion that must not go on.
pub(super) fn receive_run(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Incoming, Errno> {
    // Room for one file more, so that a message with too many is noticed.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES + 1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut files = Vec::new();
    for received in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = received {
            files.extend(fds);
        }
    }
    if message.bytes == 0 && files.is_empty() {
        return Ok(Incoming::Closed);
    }
    let whole = !message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
    let [executable, stdin, stdout, stderr, directory, control]: [OwnedFd; FILES] =
        files.try_into().map_err(|_wrong_number| Errno::PROTO)?;
    let received = &buffer[..message.bytes.min(buffer.len())];
    match Instructions::decode(received) {
        Ok(instructions) if whole => Ok(Incoming::Run(Box::new(Request {
            instructions,
            executable,
            stdin,
            stdout,
            stderr,
            directory,
            control,
        }))),
        _ => Ok(Incoming::Bad { control }),
    }
}

/// Sends a report or an order. That nobody listens any more is not an error that anyone could act on.
pub(super) fn send_message(socket: impl AsFd, bytes: &[u8]) -> Result<(), Errno> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    match rustix::io::retry_on_intr(|| rustix::net::send(socket.as_fd(), bytes, flags)) {
        Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Receives a report or an order if there is one; `None` at the end of the connection.
pub(super) fn receive_message(socket: impl AsFd, buffer: &mut [u8]) -> Result<Option<&[u8]>, Errno> {
    let mut receive = || {
        let receive = || rustix::net::recv(socket.as_fd(), &mut *buffer, RecvFlags::DONTWAIT);
        rustix::io::retry_on_intr(receive).map(|(received, _)| received)
    };
    // How a connection ends whose other side still had messages to read. That is told once, and before what the other side
    // said last: the end of a run that was ordered to stop while it ended by itself.
    let received = match receive() {
        Err(Errno::CONNRESET) => match receive() {
            Err(Errno::CONNRESET) => 0,
            other => other?,
        },
        other => other?,
    };
    Ok(if received == 0 { None } else { Some(&buffer[..received]) })
}

#[cfg(test)]
mod tests {
    use super::{pair, receive_message, send_message};

    #[test]
    fn what_was_said_last_is_heard_although_the_answer_to_it_was_not() {
        let (ours, theirs) = pair().unwrap();
        send_message(&ours, b"order").unwrap();
        send_message(&theirs, b"report").unwrap();
        drop(theirs);
        let mut buffer = [0; 8];
        assert_eq!(receive_message(&ours, &mut buffer), Ok(Some(&b"report"[..])));
        assert_eq!(receive_message(&ours, &mut buffer), Ok(None));
    }

    #[test]
    fn an_end_without_a_word_is_an_end() {
        let (ours, theirs) = pair().unwrap();
        send_message(&ours, b"order").unwrap();
        drop(theirs);
        assert_eq!(receive_message(&ours, &mut [0; 8]), Ok(None));
        assert_eq!(receive_message(&ours, &mut [0; 8]), Ok(None));
    }
}
