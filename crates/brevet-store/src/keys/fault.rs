//! What can be wrong with the keys that sign, in sentences for the person who runs the server.

use std::path::PathBuf;

/// Why there is no key to sign with, or not the right one.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The key that this ledger goes by is nowhere.
    #[error(
        "the key that signs this ledger, {key}, is neither in the data folder nor on a configured token. Put its file \
         back, or name its token under [ledger.pkcs11]; if it is lost, go on under a new name with: brevet audit recover"
    )]
    NotHere {
        /// The verifier key, or what is known of it.
        key: String,
    },
    /// The key file is of another ledger, or of another time.
    #[error(
        "ledger.key in the data folder is {found}, which never signed this database. A backup of one without the \
         other was restored: put the files back that belong together"
    )]
    Foreign {
        /// The verifier key of the file.
        found: String,
    },
    /// Configuration and ledger have different names.
    #[error(
        "this ledger is called {found}, and [ledger.pkcs11] name says {wanted}; remove that setting or correct it"
    )]
    Name {
        /// As the ledger is called.
        found: String,
        /// As the settings have it.
        wanted: String,
    },
    /// The key signs already, or did.
    #[error("{key} signs this ledger already, or did so before: a change needs a key that was never used")]
    Used {
        /// Which.
        key: String,
    },
    /// Nothing was prepared, or something else.
    #[error("the change of the key was prepared for other keys than it names; try again")]
    Unprepared,
    /// A label was given, and there is no token.
    #[error("there is no token: a label names a key on the token that [ledger.pkcs11] configures")]
    NoToken,
    /// The module's file cannot be trusted or used.
    #[error("the PKCS#11 module {path} cannot be used: {why}")]
    Module {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file of the PIN cannot be trusted or read.
    #[error("the PIN of the token cannot be read from {path}: {why}")]
    PinFile {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The token is not there.
    #[error(
        "there is no token with the label \"{label}\" in any slot of the module; plug it in, or correct [ledger.pkcs11]"
    )]
    TokenAway {
        /// Its label.
        label: String,
    },
    /// Several are there.
    #[error("{count} tokens have the label \"{label}\"; give them labels of their own")]
    TokensAlike {
        /// Their label.
        label: String,
        /// How many.
        count: usize,
    },
    /// The PIN is wrong, or locked.
    #[error(
        "the token \"{label}\" refuses the PIN in {path}: {why}. It is not tried again before a restart, because a \
         token locks itself after a few wrong PINs"
    )]
    Pin {
        /// Of which token.
        label: String,
        /// Where the PIN was read.
        path: PathBuf,
        /// What the token says.
        why: &'static str,
    },
    /// No such key on the token.
    #[error("the token has no Ed25519 key pair with the label \"{label}\"; make one as docs/keys.md shows")]
    NoKey {
        /// Its label.
        label: String,
    },
    /// Several such keys.
    #[error("the token has {count} Ed25519 keys with the label \"{label}\"; give them labels of their own")]
    KeysAlike {
        /// Their label.
        label: String,
        /// How many.
        count: usize,
    },
    /// It does not do what it is asked.
    #[error("the token cannot be used: {why}")]
    Token {
        /// What the module says.
        why: String,
    },
    /// It does not answer at all.
    #[error(
        "the token has not answered for {seconds} s; look after it, or restart the server when it is back"
    )]
    Silent {
        /// How long it had.
        seconds: u64,
    },
}
