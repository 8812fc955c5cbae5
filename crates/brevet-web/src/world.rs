//! The door to the clock, to chance and to the connection.

use axum::http::Extensions;

/// Where time and randomness come from, and browsers.
pub trait World: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> jiff::Timestamp;
    /// Fills a buffer with randomness fit for keys.
    ///
    /// # Errors
    /// What the system says, when it has none to give.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;

    /// What the API has to know of a browser's connection, out of what a request of the browser carries.
    fn connection(&self, request: &Extensions) -> Extensions;
}
