//! The bell that rings when another server appended something.

use std::time::Duration;

use crate::engine::Error;
use crate::engine::postgres::Listener;
use crate::error::StoreError;
use crate::place::DatabasePlace;

/// Rings when somebody appended to a ledger that several servers write to. It is no proof of anything: whoever hears it
/// looks, and whoever hears nothing looks too, now and then.
#[derive(Debug)]
pub struct Bell(Listener);

impl DatabasePlace {
    /// Listens for what others append from now on, on a connection of its own. `None` where nobody else can append.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn listen(&self) -> Result<Option<Bell>, StoreError> {
        let Some(account) = self.account()? else { return Ok(None) };
        Ok(Some(Bell(Listener::connect(&account).map_err(Error::from)?)))
    }
}

impl Bell {
    /// Waits until it rings, for `most` at the longest; answers whether it did. However often it rings meanwhile is once.
    ///
    /// # Errors
    /// When the connection is lost: what rings then is not heard, so that whoever listens again looks first.
    pub fn wait(&mut self, most: Duration) -> Result<bool, StoreError> {
        Ok(self.0.wait(most).map_err(Error::from)?)
    }

    /// Whether the other side still answers: one that is gone without a word is as quiet as one that has no news. Nothing
    /// that rings meanwhile is missed.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&mut self) -> Result<(), StoreError> {
        Ok(self.0.check().map_err(Error::from)?)
    }
}
