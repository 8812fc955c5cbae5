//! Cookies: the session, how much of the ledger the browser has seen, and what the next page says was done.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use brevet_wire::SecretText;

use crate::said::Said;

/// The session's token. The prefix makes browsers refuse it from anywhere but this host, by TLS, for all its paths
/// (RFC 6265bis, section 4.1.3.2); they count the loopback as safe.
const SESSION: &str = "__Host-brevet-session";
/// How many entries the ledger has with what this browser did.
const POSITION: &str = "__Host-brevet-position";
/// What was just done, for the next page to say once. Not in its address, which would say it again on every visit.
const SAID: &str = "__Host-brevet-said";
/// How long it waits for that page, in seconds.
const SAID_SECONDS: u32 = 60;

/// The session's token, where there is one.
pub(crate) fn token(headers: &HeaderMap) -> Option<SecretText> {
    find(headers, SESSION).map(|token| SecretText::new(token.to_owned()))
}

/// What the browser has seen of the ledger.
pub(crate) fn position(headers: &HeaderMap) -> Option<HeaderValue> {
    let position = find(headers, POSITION)?.parse::<u64>().ok()?;
    Some(HeaderValue::from(position))
}

/// Keeps a token until the browser is closed; the server ends the session earlier.
pub(crate) fn keep_token(headers: &mut HeaderMap, token: &SecretText) {
    token.reveal(|token| put(headers, SESSION, token, ""));
}

pub(crate) fn drop_token(headers: &mut HeaderMap) {
    put(headers, SESSION, "", "; Max-Age=0");
}

/// Keeps where in the ledger something was put on record, so that the next page knows it, whichever server it comes from.
pub(crate) fn keep_position(headers: &mut HeaderMap, position: &HeaderValue) {
    if let Ok(position) = position.to_str() {
        put(headers, POSITION, position, "");
    }
}

/// What was done just before.
pub(crate) fn said(headers: &HeaderMap) -> Option<Said> {
    find(headers, SAID).and_then(Said::named)
}

/// Lets the next page say what was done.
pub(crate) fn keep_said(headers: &mut HeaderMap, said: Said) {
    put(headers, SAID, said.word(), &format!("; Max-Age={SAID_SECONDS}"));
}

/// It is said.
pub(crate) fn drop_said(headers: &mut HeaderMap) {
    put(headers, SAID, "", "; Max-Age=0");
}

/// Forgets it.
pub(crate) fn drop_position(headers: &mut HeaderMap) {
    put(headers, POSITION, "", "; Max-Age=0");
}

fn put(headers: &mut HeaderMap, name: &str, value: &str, more: &str) {
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{more}");
    if let Ok(mut cookie) = HeaderValue::try_from(cookie) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::{find, position};
    use axum::http::header::COOKIE;
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("x=1; __Host-brevet-position=12;y=3"));
        assert_eq!((find(&headers, "y"), find(&headers, "position")), (Some("3"), None));
        assert_eq!(position(&headers), Some(HeaderValue::from(12)));
    }

    #[test]
    fn a_position_that_is_no_number_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("__Host-brevet-position=many"));
        assert_eq!(position(&headers), None);
    }
}
