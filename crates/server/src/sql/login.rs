//! Signing in with a token, by SCRAM-SHA-256; and whether who signed in may still ask.
use super::service::set_timeout;
use crate::app::{
    App, Door,
    accounts::{Role, SCRAM_ITERATIONS, ScramSecret, User, digest},
};
use async_trait::async_trait;
use datafusion_postgres::pgwire::{
    api::{
        ClientInfo, ConnectionManager, PgWireConnectionState,
        auth::{
            AuthSource, DefaultServerParameterProvider, LoginInfo, Password, StartupHandler,
            sasl::{SASLAuthStartupHandler, scram::ScramAuth},
        },
    },
    error::{ErrorInfo, PgWireError, PgWireResult},
    messages::{PgWireBackendMessage, PgWireFrontendMessage},
};
use futures::Sink;
use std::{
    fmt::{self, Debug},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// Who sits at a connection: nobody until a login has ended well. The library goes on with what was sent behind a login that
/// failed, so every statement asks here.
pub struct Seat {
    app: Arc<App>,
    token: watch::Sender<Option<String>>,
}

impl Seat {
    /// A free one.
    pub fn new(app: Arc<App>) -> Arc<Self> {
        Arc::new(Self { app, token: watch::Sender::default() })
    }

    /// What the connection belongs to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Waits until somebody has signed in.
    pub async fn taken(&self) {
        // The sender is here, so that it cannot be gone.
        let _ = self.token.subscribe().wait_for(Option::is_some).await;
    }

    /// Whose token it is now.
    ///
    /// # Errors
    /// One that ends the connection when the token has ended or was taken away, or its owner may no longer ask.
    pub fn user(&self) -> PgWireResult<User> {
        let token = self.token.borrow().clone();
        let found = match token {
            Some(token) => found(&self.app, &token)?,
            None => return Err(fatal("28000", "nobody has signed in")),
        };
        let found = found.ok_or_else(|| fatal("28000", "the token has ended; connect with another one"))?;
        Ok(found.user)
    }
}

/// What is known of the token of one who may ask in SQL.
fn found(app: &App, token: &str) -> PgWireResult<Option<ScramSecret>> {
    let found = app.accounts().scram(token).map_err(|error| fatal("XX000", error.to_string()))?;
    Ok(found.filter(|found| found.user.role >= Role::Analyst))
}

/// Lets connections in.
pub struct Login {
    seat: Arc<Seat>,
    inner: SASLAuthStartupHandler<DefaultServerParameterProvider>,
    needs_encryption: bool,
    address: IpAddr,
    timeout: Option<Duration>,
}

impl Login {
    /// Of a connection from `address`; with a certificate, only of encrypted ones. No statement may take longer than `timeout`.
    pub fn new(
        seat: Arc<Seat>,
        manager: &Arc<ConnectionManager>,
        needs_encryption: bool,
        address: IpAddr,
        timeout: Option<Duration>,
    ) -> Self {
        let mut parameters = DefaultServerParameterProvider::default();
        parameters.search_path = "data".to_owned();
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        let mut scram = ScramAuth::new(Arc::new(Tokens(Arc::clone(&seat.app))));
        scram.set_iterations(SCRAM_ITERATIONS);
        let inner = SASLAuthStartupHandler::new(Arc::new(parameters))
            .with_scram(scram)
            .with_connection_manager(Arc::clone(manager));
        Self { seat, inner, needs_encryption, address, timeout }
    }
}

/// An error that ends the connection.
pub(super) fn fatal(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("FATAL".to_owned(), code.to_owned(), message.into())))
}

#[async_trait]
impl StartupHandler for Login {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if self.needs_encryption && !client.is_secure() {
            return Err(fatal("28000", "connections must be encrypted; connect with sslmode=require or better"));
        }
        let user = client.metadata().get("user").cloned().unwrap_or_default();
        // What only begins a login proves nothing: no guess.
        let attempt = match message {
            PgWireFrontendMessage::PasswordMessageFamily(_) => {
                let attempt = self.seat.app.attempt(Door::Sql, &user, Some(self.address)).await;
                Some(attempt.map_err(|problem| {
                    fatal("28P01", format!("{}; {}", problem.detail, problem.hint.unwrap_or_default()))
                })?)
            }
            _ => None,
        };
        let result = self.inner.on_startup(client, message).await;
        let is_in = result.is_ok() && matches!(client.state(), PgWireConnectionState::ReadyForQuery);
        match attempt {
            Some(attempt) if matches!(result, Err(PgWireError::InvalidPassword(_))) => {
                drop(attempt);
                self.seat.app.note_failure(Door::Sql);
            }
            Some(attempt) if is_in => attempt.succeeded(),
            Some(attempt) => attempt.withdrawn(),
            None => {}
        }
        // Whatever goes wrong before the login has ended must end the connection.
        result.map_err(|error| match ErrorInfo::from(error) {
            info if info.is_fatal() => PgWireError::UserError(Box::new(info)),
            info => fatal(&info.code, info.message),
        })?;
        if is_in {
            set_timeout(client, self.timeout);
            self.seat.token.send_replace(Some(user));
        }
        Ok(())
    }
}

/// What SCRAM checks by: the tokens of those who may ask in SQL.
struct Tokens(Arc<App>);

impl Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait's macro leaves the lifetime unnamed")]
#[async_trait]
impl AuthSource for Tokens {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let user = login.user().unwrap_or_default();
        Ok(match found(&self.0, user)? {
            Some(found) => Password::new(Some(found.salt), found.password),
            // A name that does not exist fails like a wrong secret, with a salt that is the same every time.
            None => {
                let salt = digest(&format!("{} {user}", self.0.salt_of_strangers()))[..16].to_vec();
                let nobody = crate::app::accounts::secret().map_err(|error| PgWireError::ApiError(Box::new(error)))?;
                Password::new(Some(salt), digest(&nobody).to_vec())
            }
        })
    }
}
