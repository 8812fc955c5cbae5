//! `brevet migrate-store`: from one database to the other, without a server.

use std::path::PathBuf;

use clap::Args;

/// Move a ledger between its data folder and PostgreSQL, while no server runs on it
#[derive(Debug, Args)]
#[command(
    after_help = "Every row is copied, read back and compared, and every entry is hashed again up to the signed checkpoint; \
                  only then is the ledger elsewhere. The database file is kept as brevet.db.moved. Keys, outputs of \
                  runs, archive files and the anchor stay where they are.\n\nExamples:\n  \
                  brevet migrate-store --from sqlite:/var/lib/brevet \\\n    \
                  --to postgresql://brevet@db.example.org/brevet?sslmode=verify-full \\\n    \
                  --password-file /etc/brevet/database.password\n  \
                  brevet migrate-store --from postgresql://brevet@localhost/brevet --to sqlite:/var/lib/brevet"
)]
pub struct MigrateStoreArgs {
    /// Where the ledger is: sqlite:FOLDER, its data folder, or the address of a PostgreSQL database
    #[arg(long, value_name = "PLACE")]
    pub from: String,
    /// Where it goes: the other of both; a PostgreSQL database must be empty
    #[arg(long, value_name = "PLACE")]
    pub to: String,
    /// A private file with the password for PostgreSQL
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Trust this authority alone to sign PostgreSQL's certificate [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub authority: Option<PathBuf>,
}
