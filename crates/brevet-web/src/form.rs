//! What a form says.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, Limited};
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::Failure;

/// The longest form, in bytes: as long as a body of the API.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// The most fields of one.
const FIELDS_MAX: usize = 4_096;
/// Fields whose value is shown to nobody again: passwords, and one-time codes.
const SECRETS: &[&str] = &["password", "current", "new", "code"];
/// What the names of fields for secret parameters begin with.
pub(crate) const SECRET_PREFIX: &str = "s.";

/// The fields of a form, in order; a name may stand several times.
#[derive(Clone, Default)]
pub(crate) struct Form(Arc<Vec<Field>>);

struct Field {
    name: String,
    /// It may be a password: it is wiped with the last form that has it.
    value: Zeroizing<String>,
}

/// Whether a field holds what must never come back in a page.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name) || name.starts_with(SECRET_PREFIX)
}

impl Form {
    /// What a field says, without what stands around it; `None` where that is nothing.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.exact(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same, owned.
    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// What a field says, character by character: for passwords.
    pub(crate) fn exact(&self, name: &str) -> Option<&str> {
        self.fields().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// All that is said under a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let said = self.fields().filter(move |(found, _)| *found == name);
        said.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.exact(name).is_some()
    }

    /// What was drawn for this form when it was shown: sent twice, it is done once.
    pub(crate) fn key(&self) -> Option<&str> {
        self.text("key")
    }

    /// Every field, for a form that is shown again.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|field| (field.name.as_str(), field.value.as_str()))
    }
}

/// A form is read before anybody looks at it, so that what was typed is not lost where it cannot be done now.
impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| Failure::bug("a page reads a form unasked"))
    }
}

impl Form {
    /// Takes the form out of what a browser sent; there is none in what only asks for a page.
    pub(crate) async fn take(request: &mut Request) -> Result<Option<Self>, Failure> {
        if *request.method() != Method::POST {
            return Ok(None);
        }
        check_kind(request.headers())?;
        let body = collect(std::mem::take(request.body_mut())).await?;
        let form = Self::parse(&body)?;
        request.extensions_mut().insert(form.clone());
        Ok(Some(form))
    }

    fn parse(body: &[u8]) -> Result<Self, Failure> {
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        let fields: Vec<_> = pairs.take(FIELDS_MAX + 1).map(Field::parse).collect::<Result<_, _>>()?;
        if fields.len() > FIELDS_MAX {
            return Err(Failure::unreadable(format!("a form has at most {FIELDS_MAX} fields")));
        }
        Ok(Self(Arc::new(fields)))
    }
}

impl Field {
    fn parse(pair: &[u8]) -> Result<Self, Failure> {
        let end = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = end.map_or((pair, &b""[..]), |end| (&pair[..end], &pair[end + 1..]));
        let text = |escaped| {
            String::from_utf8(unescape(escaped)).map_err(|error| {
                error.into_bytes().zeroize();
                Failure::unreadable("a form is text in UTF-8, and this one is not")
            })
        };
        Ok(Self { name: text(name)?, value: Zeroizing::new(text(value)?) })
    }
}

/// Takes the escapes of a form away (WHATWG URL, section 5.1), in one piece of memory, so that no copy is left behind.
fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [first, after @ ..] = rest {
        let (byte, left) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, left @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, left),
                _ => (b'%', after),
            },
            _ => (*first, after),
        };
        plain.push(byte);
        rest = left;
    }
    plain
}

fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn check_kind(headers: &HeaderMap) -> Result<(), Failure> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        true => Ok(()),
        false => Err(Failure::unreadable("this is not the form of this page; open the page again")),
    }
}

/// A form's bytes, in memory that is wiped.
async fn collect(body: Body) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut all = Zeroizing::new(Vec::with_capacity(FORM_BYTES_MAX));
    let mut body = Limited::new(body, FORM_BYTES_MAX);
    while let Some(frame) = body.frame().await {
        let too_long = |_| Failure::unreadable(format!("a form is at most {FORM_BYTES_MAX} bytes long"));
        if let Ok(piece) = frame.map_err(too_long)?.into_data() {
            all.extend_from_slice(&piece);
            wipe(piece);
        }
    }
    Ok(all)
}

/// Wipes bytes that nobody else has.
pub(crate) fn wipe(piece: Bytes) {
    if let Ok(mut piece) = piece.try_into_mut() {
        piece.zeroize();
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        let field = |(name, value)| Field { name, value: Zeroizing::new(value) };
        Self(Arc::new(fields.into_iter().map(field).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, is_secret};

    fn parse(body: &str) -> Option<Form> {
        Form::parse(body.as_bytes()).ok()
    }

    #[test]
    fn a_field_of_blanks_says_nothing_and_a_password_keeps_them() {
        let form = parse("reason=+++&password=+x+&to=a&to=&to=b%26c").unwrap();
        assert_eq!((form.text("reason"), form.exact("password")), (None, Some(" x ")));
        assert_eq!(form.all("to").collect::<Vec<_>>(), ["a", "b&c"]);
        assert!(form.has("reason") && !form.has("other"));
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        for (body, name, value) in [
            ("a=1", "a", "1"),
            ("a", "a", ""),
            ("a=", "a", ""),
            ("=1", "", "1"),
            ("a=b=c", "a", "b=c"),
            ("&&a=%2B%25%26%3D+&", "a", "+%&= "),
            ("a=%C3%A9%f0%9f%94%91", "a", "é🔑"),
            ("p.x%20y=1%0D%0A2", "p.x y", "1\r\n2"),
            ("a=100%&b=%zz", "a", "100%"),
            ("a=%4", "a", "%4"),
        ] {
            assert_eq!(parse(body).unwrap().fields().next(), Some((name, value)), "{body}");
        }
        assert!(parse("").unwrap().fields().next().is_none());
        assert!(parse("a=%ff").is_none());
        assert!(parse(&"a&".repeat(4_096)).is_some() && parse(&"a&".repeat(4_097)).is_none());
    }

    #[test]
    fn what_is_secret_is_told_by_its_name() {
        for (name, secret) in
            [("password", true), ("code", true), ("s.token", true), ("p.token", false), ("reason", false)]
        {
            assert_eq!(is_secret(name), secret, "{name}");
        }
    }
}
