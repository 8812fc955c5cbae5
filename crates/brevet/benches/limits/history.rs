use super::Outcome; use super::measure::Sizes; pub(crate) fn measure(_: &Sizes) -> Outcome { Ok(()) }
