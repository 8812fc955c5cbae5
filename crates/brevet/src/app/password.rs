//! Passwords and one-time codes: made, hashed, compared.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use brevet_core::Secret;
use sha2::{Digest, Sha256};

use super::error::AppError;
use crate::world::World;

/// The shortest password, in characters.
pub const PASSWORD_LENGTH_MIN: usize = 12;
/// The longest, in bytes: a longer one is an attempt to keep the machine busy.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Letters of one-time codes: none that is read for another.
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Letters of a one-time code: 100 bits.
const CODE_LETTERS: usize = 20;
const SALT_BYTES: usize = 16;

/// Refuses what is too short or too long.
pub(super) fn check(password: &Secret) -> Result<(), AppError> {
    let fits = password
        .reveal(|text| text.chars().count() >= PASSWORD_LENGTH_MIN && text.len() <= PASSWORD_BYTES_MAX);
    match fits {
        true => Ok(()),
        false => Err(AppError::BadPassword { min: PASSWORD_LENGTH_MIN, max: PASSWORD_BYTES_MAX }),
    }
}

/// Argon2id (RFC 9106) with the parameters of the OWASP cheat sheet (19 MiB, two passes), as a PHC string.
pub(super) fn hash(password: &Secret, world: &impl World) -> Result<String, AppError> {
    let mut salt = [0; SALT_BYTES];
    world.fill(&mut salt)?;
    let hashed = password.reveal(|text| Argon2::default().hash_password_with_salt(text.as_bytes(), &salt));
    let hashed = hashed.map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(hashed.to_string())
}

/// Compares a password with a PHC string, in the time that a wrong one takes.
pub(super) fn matches(password: &Secret, phc: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(phc) else { return false };
    password.reveal(|text| {
        text.len() <= PASSWORD_BYTES_MAX
            && Argon2::default().verify_password(text.as_bytes(), &parsed).is_ok()
    })
}

/// A new one-time code, for example `ABCDE-FGHJK-MNPQR-STUVW`.
pub(super) fn new_code(world: &impl World) -> Result<Secret, AppError> {
    let mut bytes = [0; CODE_LETTERS];
    world.fill(&mut bytes)?;
    let letters: Vec<u8> = bytes.iter().map(|byte| CODE_ALPHABET[usize::from(byte % 32)]).collect();
    let groups: Vec<String> =
        letters.chunks(5).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    Ok(Secret::new(groups.join("-")))
}

/// SHA-256 of a code as somebody types it: case, spaces and dashes do not matter. The code has enough bits to
/// need no slow hash.
pub(super) fn code_hash(code: &Secret) -> [u8; 32] {
    code.reveal(|text| {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        Sha256::digest(plain.as_bytes()).into()
    })
}

/// Compares two hashes without telling where they differ.
pub(super) fn equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right));
    left.len() == right.len() && difference == 0
}
