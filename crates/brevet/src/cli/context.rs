//! What every command has at hand: the console, and a client for the server that is meant.

use std::path::PathBuf;

use brevet_wire::SecretText;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Global;
use super::client::{Client, query};
use super::console::{Console, Show};
use super::exit::{Done, Failure};
use super::interrupt::Interrupts;
use super::memory::{Acts, Keeping};
use super::server::ServerUrl;
use super::settings::{DEFAULT_ADDRESS, Environment};
use super::token::{Kept, TokenFile, Tokens};

/// How many items are asked for at once.
const PAGE_ITEMS: usize = 200;

/// What every command has at hand.
pub(crate) struct Context {
    /// Where results go.
    pub(crate) console: Console,
    /// Hears Ctrl-C.
    pub(super) interrupts: Interrupts,
    /// What was done and has no receipt yet.
    pub(super) acts: Acts,
    environment: Environment,
    server: Option<String>,
    ca_file: Option<PathBuf>,
}

/// A whole list, or as much of it as was wanted.
pub(crate) struct Listed<T> {
    /// To be shown.
    pub(crate) items: Vec<T>,
    /// As the server answered.
    pub(crate) answered: Vec<Value>,
    /// Whether there are more than wanted.
    pub(crate) more: bool,
}

impl Context {
    /// With the options that every command has.
    pub(crate) fn new(console: Console, mut environment: Environment, global: Global) -> Self {
        let ca_file = global.ca_file.or_else(|| environment.ca_file.take());
        let server = global.server.or_else(|| environment.server.take());
        let (interrupts, acts) = (Interrupts::default(), Acts::default());
        Self { console, interrupts, acts, environment, server, ca_file }
    }

    /// The token file.
    pub(crate) fn token_file(&self) -> Result<TokenFile, Failure> {
        match &self.environment.config_folder {
            Some(folder) => Ok(TokenFile::in_folder(folder)),
            None => Err(Failure::Failed(
                "there is no place for the token: neither HOME nor XDG_CONFIG_HOME is set; set one, or BREVET_TOKEN".into(),
            )),
        }
    }

    /// Where receipts go.
    pub(crate) const fn keeping(&self) -> &Keeping {
        &self.environment.keeping
    }

    /// The token of the environment, which counts before any file.
    pub(crate) fn has_token_in_environment(&self) -> bool {
        self.environment.token.is_some()
    }

    /// The server that is meant: named, or the one signed in to last, or the default.
    pub(crate) fn server(&self, tokens: &Tokens) -> Result<ServerUrl, Failure> {
        match self.server.as_ref().or(tokens.current.as_ref()) {
            Some(named) => ServerUrl::parse(named),
            None => ServerUrl::parse(&format!("http://{DEFAULT_ADDRESS}")),
        }
    }

    /// A client for somebody who is signed in.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        if let Some(token) = self.environment.token.clone() {
            // A file that cannot be read is no hindrance: nothing in it is secret from this token.
            let tokens = self.token_file().and_then(|file| file.load()).unwrap_or_default();
            return self.client_of(self.server(&tokens)?, Some(token));
        }
        let tokens = self.token_file()?.load()?;
        let server = self.server(&tokens)?;
        match tokens.servers.get(&server.to_string()) {
            Some(Kept { token, .. }) => self.client_of(server, Some(token.clone())),
            None => Err(Failure::NotSignedIn { why: format!("You are not signed in to {server}.") }),
        }
    }

    /// A client for nobody yet.
    pub(crate) fn anonymous_client(&self) -> Result<Client, Failure> {
        let tokens = self.token_file().and_then(|file| file.load()).unwrap_or_default();
        self.client_of(self.server(&tokens)?, None)
    }

    fn client_of(&self, server: ServerUrl, token: Option<SecretText>) -> Result<Client, Failure> {
        Client::new(server, token, self.ca_file.clone()).map(|client| client.noting(&self.acts))
    }

    /// Reads one thing and shows it.
    pub(crate) async fn show<T: DeserializeOwned + Show>(&mut self, path: &str) -> Result<Done, Failure> {
        let answer = self.client()?.get(path).await?;
        self.console.one(&answer.read::<T>()?, &answer.value()?)?;
        Ok(Done::Well)
    }

    /// Reads a list, page by page; all of it when `limit` is 0.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        fields: &[(&str, Option<String>)],
        limit: usize,
    ) -> Result<Listed<T>, Failure> {
        let client = self.client()?;
        let mut listed = Listed { items: Vec::new(), answered: Vec::new(), more: false };
        let mut cursor = None;
        loop {
            let wanted = match limit {
                0 => PAGE_ITEMS,
                limit => PAGE_ITEMS.min(limit - listed.answered.len()),
            };
            let mut fields = fields.to_vec();
            fields.extend([("limit", Some(wanted.to_string())), ("cursor", cursor)]);
            let page = client.get(&query(path, &fields)).await?;
            let page: brevet_wire::List<Value> = page.read()?;
            listed.answered.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || (limit != 0 && listed.answered.len() >= limit) {
                break;
            }
        }
        listed.more = cursor.is_some();
        let unexpected = |error: serde_json::Error| Failure::Unexpected {
            server: client.server().to_string(),
            why: error.to_string(),
        };
        let typed = listed.answered.iter().map(T::deserialize).collect::<Result<_, _>>();
        listed.items = typed.map_err(unexpected)?;
        Ok(listed)
    }
}
