//! Signing in with a token, by SCRAM-SHA-256.
use crate::app::{
    App,
    accounts::{Role, SCRAM_ITERATIONS, digest},
};
use async_trait::async_trait;
use datafusion_postgres::pgwire::{
    api::{
        ClientInfo, ConnectionManager,
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
};

/// Lets connections in.
pub struct Login {
    app: Arc<App>,
    inner: SASLAuthStartupHandler<DefaultServerParameterProvider>,
    needs_encryption: bool,
    address: IpAddr,
}

impl Login {
    /// Of a connection from `address`; with a certificate, only of encrypted ones.
    pub fn new(app: Arc<App>, manager: &Arc<ConnectionManager>, needs_encryption: bool, address: IpAddr) -> Self {
        let mut parameters = DefaultServerParameterProvider::default();
        parameters.search_path = "data".to_owned();
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        let mut scram = ScramAuth::new(Arc::new(Tokens(Arc::clone(&app))));
        scram.set_iterations(SCRAM_ITERATIONS);
        let inner = SASLAuthStartupHandler::new(Arc::new(parameters))
            .with_scram(scram)
            .with_connection_manager(Arc::clone(manager));
        Self { app, inner, needs_encryption, address }
    }
}

/// An error that ends the connection.
fn fatal(code: &str, message: impl Into<String>) -> PgWireError {
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
        self.app
            .check_attempt(&user, self.address)
            .map_err(|problem| fatal("28P01", format!("{}; {}", problem.detail, problem.hint.unwrap_or_default())))?;
        let result = self.inner.on_startup(client, message).await;
        if matches!(result, Err(PgWireError::InvalidPassword(_))) {
            self.app.failed_attempt(&user, self.address);
        }
        result
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
        let found = self.0.accounts().scram(user).map_err(|error| PgWireError::ApiError(Box::new(error)))?;
        Ok(match found.filter(|found| found.user.role >= Role::Analyst) {
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
