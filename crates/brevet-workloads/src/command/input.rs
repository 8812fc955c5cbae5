//! The standard input of a run: one value in a pipe that ends after it, or nothing.

use std::io;
use std::os::fd::OwnedFd;

use brevet_core::{ParameterName, Permit, VALUES_BYTES_MAX};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::spawn::no_input;

/// The end that the task reads. All of the value is in the pipe already, so that nobody has to feed it; the secret is
/// copied into the pipe and nowhere else.
pub(super) fn standard_input(name: Option<&ParameterName>, permit: &Permit) -> io::Result<OwnedFd> {
    let Some(name) = name else { return no_input() };
    match (permit.secrets().get(name), permit.parameters().get(name)) {
        (Some(secret), _) => secret.reveal(|text| pipe_of(text.as_bytes())),
        (None, Some(value)) => pipe_of(value.to_string().as_bytes()),
        (None, None) => no_input(),
    }
}

fn pipe_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    // A pipe has 64 KiB, which is more than all values of a run; but less for a user with very many of them.
    const { assert!(VALUES_BYTES_MAX * 2 < 64 * 1024) };
    rustix::io::ioctl_fionbio(&write, true)?;
    let mut left = bytes;
    while !left.is_empty() {
        match rustix::io::write(&write, left) {
            Ok(count) => left = &left[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if fcntl_setpipe_size(&write, 64 * 1024).is_ok() => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_largest_value_fits_and_then_the_input_ends() {
        for length in [0, 1, 4096, VALUES_BYTES_MAX, 2 * VALUES_BYTES_MAX] {
            let mut read = Vec::new();
            std::fs::File::from(pipe_of(&vec![b'x'; length]).unwrap()).read_to_end(&mut read).unwrap();
            assert_eq!(read, vec![b'x'; length]);
        }
    }
}
