//! A second machine on which every commit is before it is answered, where the settings ask for one.

use super::{Fault, Session};

/// Whether what is acknowledged must be on a second machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standby {
    /// Nobody asked for that.
    #[default]
    Unasked,
    /// Without one nothing is written.
    Needed,
    /// It is asked for, and a person accepted that without one what is acknowledged can be lost.
    Missed,
}

/// Standbys that a commit waits for, all standbys, and whether this user may see what they are.
const STANDBYS: &str = "SELECT
    count(*) FILTER (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')),
    count(*),
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
    FROM pg_stat_replication";

impl Session {
    /// Holds the settings and what is attached against what is asked for. Answers what is missing where a person accepted
    /// that.
    pub(super) fn check_standby(&self, asked: Standby) -> Result<Option<String>, Fault> {
        match asked {
            Standby::Unasked => Ok(None),
            Standby::Needed => match self.missing_standby()? {
                Some(missing) => Err(Fault::Standby { missing }),
                None => Ok(None),
            },
            Standby::Missed => match self.missing_standby()? {
                Some(_) if self.waits_for_standby()? => Err(Fault::WaitsForStandby),
                missing => Ok(missing),
            },
        }
    }

    fn waits_for_standby(&self) -> Result<bool, Fault> {
        Ok(!self.setting("synchronous_standby_names")?.trim().is_empty())
    }

    fn missing_standby(&self) -> Result<Option<String>, Fault> {
        if !self.waits_for_standby()? {
            return Ok(Some("PostgreSQL's setting synchronous_standby_names is empty".to_owned()));
        }
        let rows = self.query(STANDBYS, &[])?;
        let row = rows.first().ok_or_else(|| Fault::Type { found: "no count".to_owned() })?;
        let (synchronous, attached, can_look): (i64, i64, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok(match (synchronous, can_look) {
            (1.., _) => None,
            (_, false) => Some(
                "the user of database.url may not see the standbys; let it with: GRANT pg_read_all_stats TO it"
                    .to_owned(),
            ),
            (_, true) => Some(format!("of {attached} attached standbys none is one that a commit waits for")),
        })
    }
}
