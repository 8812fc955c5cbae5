//! Why a use case did not do what was asked.

use brevet_core::Refusal;
use brevet_store::StoreError;

/// What a face tells its caller.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Brevet says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No session, or one that is over.
    #[error("you are not signed in, or your session is over; sign in with: brevet login")]
    NotSignedIn,
    /// Wrong name, password or code. Which of them is not said.
    #[error("name and password (or one-time code) do not belong together")]
    BadCredentials,
    /// A password that is too easy to guess or too long.
    #[error("a password has {min} to {max} characters; a few random words make a good one")]
    BadPassword {
        /// The shortest.
        min: usize,
        /// The longest.
        max: usize,
    },
    /// The same key for something else.
    #[error("this Idempotency-Key was used for something else; use a new one for each new thing")]
    KeyReused,
    /// The answer was told once, and is kept nowhere.
    #[error(
        "this was done and answered before under the same Idempotency-Key, and a code is told only once; make another"
    )]
    ToldOnce,
    /// The clock went back.
    #[error(
        "the server's clock went back behind the ledger by {behind_seconds} s; \
         work stops until it is right again: check the time service of the machine"
    )]
    ClockWentBack {
        /// By how much.
        behind_seconds: i64,
    },
    /// A start with a clock that is behind.
    #[error(
        "the clock is {behind_seconds} s behind the last entry of the ledger: set it right, then start again; \
         if it was ahead before, wait until it has caught up"
    )]
    ClockBehind {
        /// By how much.
        behind_seconds: i64,
    },
    /// What happens cannot be recorded, so nothing happens.
    #[error("the ledger cannot be written, so nothing was done: {why}")]
    LedgerUnavailable {
        /// What the store says.
        why: String,
    },
    /// What happened may be on record, or not.
    #[error(
        "nobody knows whether this was done: {why}; look before you do it again, or repeat it with the same \
         Idempotency-Key"
    )]
    OutcomeUnknown {
        /// What the store says.
        why: String,
    },
    /// There is no such key to sign the ledger with.
    #[error(transparent)]
    Key(brevet_store::KeyFault),
    /// Lists and stored things cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The output of a run cannot be read, or is not what the ledger says.
    #[error("the output of this run cannot be shown: {0}")]
    Output(#[from] brevet_workloads::recording::BadRecording),
    /// The server is going down.
    #[error("the server is stopping; try again in a moment")]
    Stopping,
    /// The system has no randomness, or no threads.
    #[error("the machine cannot do this now: {0}")]
    Machine(#[from] std::io::Error),
    /// Others may have decided something that this server does not know.
    #[error(
        "this server has not heard from its database for {seconds} s, and answers again when it has; ask another one"
    )]
    Behind {
        /// For how long.
        seconds: u64,
    },
    /// The caller knows more than this server.
    #[error("this server has {has} entries, and position {wanted} was asked for; try again in a moment")]
    NotYet {
        /// Entries here.
        has: u64,
        /// As many as were asked for.
        wanted: u64,
    },
    /// Too many at once.
    #[error("too many of these at once; try again in a moment")]
    Busy,
}
