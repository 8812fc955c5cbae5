use super::Outcome; use super::measure::Sizes; pub(crate) fn measure(_: &Sizes) -> Outcome { Ok(()) }
pub(crate) const SPAWNER: &str = "spawner";
