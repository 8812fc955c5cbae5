//! What must not be in the ledger: password hashes, codes, session tokens (hashed), idempotency keys.
//! Written in the transaction of the entries that speak of them.

use crate::engine::{Connection, NONE, OptionalExtension, Row, Transaction, Value, params};

use crate::error::{StoreError, writing};
use crate::retire::{self, ArchiveFile};
use crate::row::signed;
use crate::term::{self, Gathered};
use brevet_core::{ServerId, SessionId, Timestamp, UserId};

/// How an account proves who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// Argon2id, as a PHC string.
    pub password: Option<String>,
    /// SHA-256 of a one-time code, and until when it is good.
    pub code: Option<(Vec<u8>, Timestamp)>,
}

/// A session. The token itself is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id in the ledger.
    pub id: SessionId,
    /// SHA-256 of its token.
    pub hash: [u8; 32],
    /// Whose.
    pub user: UserId,
    /// When it began.
    pub opened: Timestamp,
    /// When it was last used, at most a minute ago.
    pub seen: Timestamp,
}

/// An answer kept for a caller that may ask again with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotent {
    /// Whose key.
    pub user: UserId,
    /// The key.
    pub key: String,
    /// SHA-256 of what was asked with it.
    pub fingerprint: [u8; 32],
    /// What it answered.
    pub reply: String,
    /// When.
    pub at: Timestamp,
}

/// Something beside the ledger that is written with a batch.
#[derive(Debug, Clone)]
pub enum SideWrite {
    /// Sets a credential.
    Credential(UserId, Credential),
    /// Gives an account a one-time code, beside the password that it may have.
    Code {
        /// Whose.
        user: UserId,
        /// SHA-256 of the code.
        hash: [u8; 32],
        /// Until when it is good.
        expires: Timestamp,
    },
    /// Opens a session.
    OpenSession(SessionRow),
    /// Notes that a session was used.
    TouchSession(SessionId, Timestamp),
    /// Ends a session.
    CloseSession(SessionId),
    /// Ends a session that nobody used since an instant.
    CloseUnused(SessionId, Timestamp),
    /// Ends all sessions that nobody used since an instant.
    CloseAllUnused(Timestamp),
    /// Ends all sessions of a user.
    CloseSessionsOf(UserId),
    /// Keeps an answer.
    Idempotent(Idempotent),
    /// Keeps a checkpoint that enough witnesses signed.
    Cosigned {
        /// Its size.
        size: u64,
        /// The note.
        note: String,
    },
    /// Writes what entries add to the lists of the search.
    Lists(Gathered),
    /// Removes what signs one person in, and begins to remove every text of theirs: the rest is for
    /// [`SideWrite::EraseMore`].
    EraseTexts(UserId),
    /// Removes the texts beside so many more entries of somebody whose texts are to go.
    EraseMore {
        /// Whose.
        user: UserId,
        /// How many entries of theirs are looked at.
        entries: usize,
    },
    /// Remembers an archive file.
    Archive(ArchiveFile),
    /// Takes so many more entries of the archive file that ends at `size` out of the database; once they are out, so
    /// much of the search's lists of them.
    Prune {
        /// The index after the last entry of the file.
        size: u64,
        /// How many entries, or terms and blocks of their lists.
        at_once: usize,
    },
    /// Drops answers older than this.
    ForgetIdempotent(Timestamp),
    /// One of several servers begins to give signs of life.
    JoinServer(ServerId),
    /// One of several servers is gone.
    LeaveServer(ServerId),
    /// Notes how far a sink has come.
    SinkPosition {
        /// Which sink.
        name: String,
        /// The index of the first entry that it may not have.
        position: u64,
    },
}

pub(crate) fn write(connection: &Transaction<'_>, write: &SideWrite) -> Result<(), StoreError> {
    let run =
        |sql: &str, values: &[&dyn rusqlite::ToSql]| connection.execute_later(sql, values).map_err(writing);
    match write {
        SideWrite::Credential(user, credential) => put_credential(connection, *user, credential),
        SideWrite::Code { user, hash, expires } => {
            run(
                "INSERT INTO credential (\"user\", code_hash, code_expires) VALUES (?1, ?2, ?3) ON CONFLICT (\"user\")
                 DO UPDATE SET code_hash = excluded.code_hash, code_expires = excluded.code_expires",
                params![user.number(), hash, expires.micros()],
            )
        }
        SideWrite::OpenSession(SessionRow { id, hash, user, opened, seen }) => run(
            "INSERT INTO session (id, hash, \"user\", opened, seen) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![signed(id.number()), hash, user.number(), opened.micros(), seen.micros()],
        ),
        SideWrite::TouchSession(id, seen) => {
            let values = params![signed(id.number()), seen.micros()];
            run("UPDATE session SET seen = ?2 WHERE id = ?1 AND seen < ?2", values)
        }
        SideWrite::CloseUnused(id, since) => {
            let values = params![signed(id.number()), since.micros()];
            run("DELETE FROM session WHERE id = ?1 AND seen <= ?2", values)
        }
        SideWrite::CloseAllUnused(since) => {
            run("DELETE FROM session WHERE seen <= ?1", params![since.micros()])
        }
        SideWrite::CloseSession(id) => run("DELETE FROM session WHERE id = ?1", params![signed(id.number())]),
        SideWrite::CloseSessionsOf(user) => {
            run("DELETE FROM session WHERE \"user\" = ?1", params![user.number()])
        }
        SideWrite::Idempotent(Idempotent { user, key, fingerprint, reply, at }) => {
            let sql = "INSERT INTO idempotency (\"user\", key, fingerprint, reply, at) VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = params![user.number(), key, fingerprint, reply, at.micros()];
            connection.execute_together(sql, values).map_err(writing)
        }
        SideWrite::ForgetIdempotent(before) => {
            run("DELETE FROM idempotency WHERE at < ?1", params![before.micros()])
        }
        SideWrite::EraseTexts(user) => {
            retire::begin_to_erase(connection, *user)?;
            run("DELETE FROM credential WHERE \"user\" = ?1", params![user.number()])
        }
        SideWrite::EraseMore { user, entries } => retire::erase_more(connection, *user, *entries),
        SideWrite::Lists(gathered) => term::put(connection, gathered),
        SideWrite::Archive(file) => retire::note_archive(connection, file),
        SideWrite::Prune { size, at_once } => retire::prune(connection, *size, *at_once),
        SideWrite::Cosigned { size, note } => {
            run(
            "INSERT INTO cosigned (size, note) VALUES (?1, ?2) ON CONFLICT (size) DO UPDATE SET note = excluded.note",
            params![signed(*size), note],
        )
        }
        SideWrite::JoinServer(id) => {
            run("INSERT INTO server (id, beats) VALUES (?1, 1)", params![id.number()])
        }
        SideWrite::LeaveServer(id) => run("DELETE FROM server WHERE id = ?1", params![id.number()]),
        SideWrite::SinkPosition { name, position } => run(
            "INSERT INTO sink (name, position) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET position = excluded.position",
            params![name, signed(*position)],
        ),
    }
}

fn put_credential(
    connection: &Transaction<'_>,
    user: UserId,
    Credential { password, code }: &Credential,
) -> Result<(), StoreError> {
    let (hash, expires) = code.as_ref().map(|(hash, expires)| (hash, expires.micros())).unzip();
    let sql = "INSERT INTO credential (\"user\", password, code_hash, code_expires) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (\"user\") DO UPDATE SET password = excluded.password, code_hash = excluded.code_hash,
               code_expires = excluded.code_expires";
    connection.execute_later(sql, params![user.number(), password, hash, expires]).map_err(writing)
}

pub(crate) fn idempotent(
    connection: &Connection,
    user: UserId,
    key: &str,
) -> Result<Option<Idempotent>, StoreError> {
    Ok(idempotent_each(connection, &[(user, key.to_owned())])?.pop())
}

/// The same for several keys; answers those that were kept.
pub(crate) fn idempotent_each(
    connection: &Connection,
    keys: &[(UserId, String)],
) -> Result<Vec<Idempotent>, StoreError> {
    let sql = "SELECT fingerprint, reply, at FROM idempotency WHERE \"user\" = ?1 AND key = ?2";
    let question =
        |(user, key): &(UserId, String)| vec![Value::Integer(user.number().into()), Value::Text(key.clone())];
    let questions: Vec<_> = keys.iter().map(question).collect();
    let mut kept = Vec::new();
    connection.prepare_cached(sql)?.query_each(&questions, |place, row| {
        let (user, key) = keys[place].clone();
        kept.push(Idempotent {
            user,
            key,
            fingerprint: row.get(0)?,
            reply: row.get(1)?,
            at: Timestamp::from_micros(row.get(2)?),
        });
        Ok(())
    })?;
    Ok(kept)
}

pub(crate) fn credential(connection: &Connection, user: UserId) -> Result<Credential, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT password, code_hash, code_expires FROM credential WHERE \"user\" = ?1")?;
    let found = statement.query_row([user.number()], |row| {
        let hash: Option<Vec<u8>> = row.get(1)?;
        let expires: Option<i64> = row.get(2)?;
        let code = hash.zip(expires.map(Timestamp::from_micros));
        Ok(Credential { password: row.get(0)?, code })
    });
    Ok(found.optional()?.unwrap_or_default())
}

pub(crate) fn sessions(connection: &Connection) -> Result<Vec<SessionRow>, StoreError> {
    let mut statement =
        connection.prepare("SELECT id, hash, \"user\", opened, seen FROM session ORDER BY id")?;
    let rows = statement.query_map(NONE, session_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether there is a session that nobody used since an instant.
pub(crate) fn has_unused(connection: &Connection, since: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM session WHERE seen <= ?1";
    let unused: i64 = connection.query_row(sql, [since.micros()], |row| row.get(0))?;
    Ok(unused > 0)
}

/// The session of a token, by its SHA-256.
pub(crate) fn session(connection: &Connection, hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
    let sql = "SELECT id, hash, \"user\", opened, seen FROM session WHERE hash = ?1";
    Ok(connection.prepare_cached(sql)?.query_row(params![hash.as_slice()], session_row).optional()?)
}

fn session_row(row: &Row<'_>) -> crate::engine::Result<SessionRow> {
    Ok(SessionRow {
        id: SessionId::new(row.get::<_, i64>(0)?.unsigned_abs()),
        hash: row.get(1)?,
        user: UserId::new(row.get(2)?),
        opened: Timestamp::from_micros(row.get(3)?),
        seen: Timestamp::from_micros(row.get(4)?),
    })
}
