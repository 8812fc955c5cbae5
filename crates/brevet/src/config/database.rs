//! Where the database is: `[database]` in the settings file.

use std::path::PathBuf;

use brevet_store::{DatabasePlace, Standby};
use serde::Deserialize;

use super::BadConfig;

/// As the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    url: String,
    password_file: Option<PathBuf>,
    authority: Option<PathBuf>,
    /// Whether what is acknowledged must be on a second machine.
    #[serde(default)]
    ha: bool,
}

impl Written {
    pub(super) fn check(self) -> Result<DatabasePlace, BadConfig> {
        let Self { url, password_file: password, authority, ha } = self;
        let standby = if ha { Standby::Needed } else { Standby::Unasked };
        match url.starts_with("postgresql://") {
            true => Ok(DatabasePlace::Postgres { address: url, password, authority, standby }),
            false => Err(BadConfig::Value {
                name: "database.url",
                // It may be one with a password in it.
                value: url.split(':').next().unwrap_or_default().to_owned(),
                why: "it begins with postgresql://; without database.url the database is in the data folder"
                    .to_owned(),
            }),
        }
    }
}
