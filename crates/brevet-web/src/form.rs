//! What a form says.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, Limited};
use zeroize::Zeroize;

use crate::failure::Failure;

/// The longest form, in bytes: as long as a body of the API.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// The most fields of one.
const FIELDS_MAX: usize = 4_096;

/// The fields of a form, in order; a name may stand several times.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, String)>);

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
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// All that is said under a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let said = self.0.iter().filter(move |(found, _)| found == name);
        said.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// What was drawn for this form when it was shown: sent twice, it is done once.
    pub(crate) fn key(&self) -> Option<&str> {
        self.text("key")
    }

    /// Every field, for a form that is shown again.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        // A password may be among them.
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::unreadable("this is not the form of this page; open the page again"));
        }
        let too_long = || Failure::unreadable(format!("a form is at most {FORM_BYTES_MAX} bytes long"));
        let body =
            Limited::new(request.into_body(), FORM_BYTES_MAX).collect().await.map_err(|_| too_long())?;
        Self::parse(&body.to_bytes())
    }
}

impl Form {
    fn parse(body: &Bytes) -> Result<Self, Failure> {
        let fields: Vec<_> = form_urlencoded::parse(body).into_owned().take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            return Err(Failure::unreadable(format!("a form has at most {FIELDS_MAX} fields")));
        }
        Ok(Self(fields))
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Form;
    use axum::body::Bytes;

    #[test]
    fn a_field_of_blanks_says_nothing_and_a_password_keeps_them() {
        let form = Form::parse(&Bytes::from_static(b"reason=+++&password=+x+&to=a&to=&to=b%26c")).unwrap();
        assert_eq!((form.text("reason"), form.exact("password")), (None, Some(" x ")));
        assert_eq!(form.all("to").collect::<Vec<_>>(), ["a", "b&c"]);
        assert!(form.has("reason") && !form.has("other"));
    }
}
