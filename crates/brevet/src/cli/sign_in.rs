//! `login`, `logout`, `whoami`.

use brevet_wire::{Session, SetUp, SignIn, User, WhoAmI};
use clap::Args;
use serde_json::Value;

use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::password::{self, Purpose};
use super::table::{Sheet, Tone};
use super::token::Kept;

/// Sign in; the token is kept in a file that only you can read
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet login --user maria\n\n  \
    # the first time, with a code from an administrator, which is asked for\n  \
    brevet login --user maria --code\n\n  \
    # the very first account, with the code that 'brevet serve' printed\n  \
    brevet login --user admin --setup\n\n  \
    brevet login --user maria --code @code.txt\n\n  \
    pass show brevet | brevet login --user maria --password-stdin")]
pub(crate) struct LoginArgs {
    /// The name of your account
    #[arg(long, short, value_name = "NAME")]
    user: String,
    /// Read the password from standard input, rather than ask for it
    #[arg(long)]
    password_stdin: bool,
    /// With a one-time code from an administrator: sets a new password
    ///
    /// Without CODE it is asked for. @FILE reads it from a file, - from a line of standard input, before that of the
    /// password. A code that is written out here can be read by everybody on this machine, who may use it first.
    #[arg(long, value_name = "CODE", conflicts_with = "setup")]
    code: Option<Option<String>>,
    /// With the one-time code that the first start of the server printed: creates the first administrator
    ///
    /// The code is asked for, or comes from @FILE or -, as with --code.
    #[arg(long, value_name = "CODE")]
    setup: Option<Option<String>>,
    /// With --setup: how you are shown
    #[arg(long, value_name = "TEXT", requires = "setup")]
    display_name: Option<String>,
    /// With --setup: where mail goes
    #[arg(long, value_name = "ADDRESS", requires = "setup")]
    email: Option<String>,
}

/// Signs in.
pub(super) async fn login(context: &mut Context, args: LoginArgs) -> Result<Done, Failure> {
    let client = context.anonymous_client()?;
    let file = context.token_file()?;
    let mut tokens = file.load()?;
    let terminal = context.console.terminal;
    let LoginArgs { user: name, password_stdin, code, setup, display_name, email } = args;
    let read = |option, given: Option<Option<String>>| {
        given.map(|given| password::code(option, given, terminal)).transpose()
    };
    let (setup, code) = (read("--setup", setup)?, read("--code", code)?);
    let purpose = match setup.is_some() || code.is_some() {
        true => Purpose::Choose,
        false => Purpose::Enter { user: name.clone(), server: client.server().to_string() },
    };
    let password = password::read(&purpose, password_stdin, terminal)?;
    let answer = match setup {
        Some(code) => client.post("/setup", &SetUp { code, name, password, display_name, email }).await?,
        None => client.post("/sessions", &SignIn { name, password, code }).await?,
    };
    let session: Session = answer.read()?;
    let server = client.server().to_string();
    tokens.current = Some(server.clone());
    let kept = Kept { user: session.user.name.clone(), token: session.token, expires_at: session.expires_at };
    tokens.servers.insert(server.clone(), kept);
    file.save(&tokens)?;
    if context.has_token_in_environment() {
        context
            .console
            .note("BREVET_TOKEN is set and counts before this session; unset it to use the session.");
    }
    let until = context.console.view.clock.both(session.expires_at);
    let sentence = format!("Signed in to {server} as {} until {until}.", session.user.name);
    context.console.done(&sentence, &without_token(answer.value()?))?;
    Ok(Done::Well)
}

/// The token is in its file; on a screen or in the log of a script it would only be lost.
fn without_token(mut session: Value) -> Value {
    if let Some(fields) = session.as_object_mut() {
        fields.shift_remove("token");
    }
    session
}

/// Ends the session, here in any case.
pub(super) async fn logout(context: &mut Context) -> Result<Done, Failure> {
    let client = context.client()?;
    let ended = client.delete("/sessions/current").await;
    let server = client.server().to_string();
    if !context.has_token_in_environment() {
        let file = context.token_file()?;
        let mut tokens = file.load()?;
        tokens.servers.remove(&server);
        file.save(&tokens)?;
    }
    match ended {
        Ok(_) | Err(Failure::NotSignedIn { .. }) => {}
        Err(failure) => return Err(failure),
    }
    context.console.done(&format!("Signed out of {server}."), &Value::Null)?;
    Ok(Done::Well)
}

/// Shows who is signed in.
pub(super) async fn whoami(context: &mut Context) -> Result<Done, Failure> {
    context.show::<WhoAmI>("/whoami").await
}

impl Show for WhoAmI {
    fn show(&self, view: &View) -> String {
        let Self { user, session, expires_at, idle_seconds, waiting, warning } = self;
        let idle = format!("or after {} min without a call", idle_seconds / 60);
        Sheet::default()
            .line("User", &user.name)
            .maybe("Name", user.display_name.as_deref())
            .maybe("E-mail", user.email.as_deref())
            .maybe("May", rights(user))
            .maybe("Groups", Some(names(&user.groups)))
            .line("Session", session)
            .toned("Ends", format!("{}, {idle}", view.clock.both(*expires_at)), Tone::Quiet)
            .maybe(
                "Waiting",
                (*waiting > 0).then(|| format!("{waiting} for your decision (brevet request list --for-me)")),
            )
            .maybe("Warning", warning.as_deref())
            .text(view)
    }
}

/// What an account may beyond asking and running.
pub(super) fn rights(user: &User) -> Option<&'static str> {
    match (user.administrator, user.auditor) {
        (true, true) => Some("administer, audit"),
        (true, false) => Some("administer"),
        (false, true) => Some("audit"),
        (false, false) => None,
    }
}

/// `a, b, c`.
pub(super) fn names(references: &[brevet_wire::Reference]) -> String {
    references.iter().map(|reference| reference.name.as_str()).collect::<Vec<_>>().join(", ")
}
