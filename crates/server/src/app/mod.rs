//! The application and its API, as browsers and programs meet them.
//!
//! Every route is one line of [`routes::routes`]: its path, who may use it, what it takes and answers, and the function behind
//! it. The router, the checks of roles and the OpenAPI document are made from that list.
pub mod accounts;
mod answer;
mod attempts;
mod cache;
mod cells;
mod current;
mod export;
mod extract;
mod guard;
mod jobs;
mod openapi;
mod pages;
mod problem;
mod queries;
mod reason;
pub mod reports;
pub mod routes;

pub(crate) use attempts::Door;
pub use guard::Access;
pub use openapi::document;
pub use problem::{Code, Problem};
pub use reason::Reason;

use accounts::{AccountError, Accounts};
use attempts::{Attempt, Attempts};
use axum::{
    Router,
    http::{HeaderName, HeaderValue},
    middleware::from_fn_with_state,
};
use cache::Cache;
use current::{Current, Opened};
use jobs::Jobs;
use queries::Queries;
use safar_pipeline::{
    privacy::{Act, Audit},
    settings::ServerSettings,
};
use serde_json::{Value, json};
use std::{
    future::{Future, IntoFuture},
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};

/// Where the API begins.
pub const PREFIX: &str = "/api/v1";

/// Why the application does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The file of users.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// Threads or the network.
    #[error("cannot serve: {0}")]
    Io(#[from] io::Error),
}

/// What all requests share.
#[derive(Debug)]
pub struct App {
    accounts: Accounts,
    attempts: Attempts,
    audit: Audit,
    cache: Cache,
    current: Current,
    /// Turns for digesting passwords, which takes 19 MiB each.
    digests: Semaphore,
    /// Taken while safar.toml is replaced.
    editing: tokio::sync::Mutex<()>,
    jobs: Jobs,
    live: routes::Live,
    queries: Arc<Queries>,
    settings: ServerSettings,
    setup_code: Mutex<Option<String>>,
    strangers: String,
}

impl App {
    /// The application of the workspace in `root`.
    ///
    /// # Errors
    /// When the file of users cannot be opened, or threads cannot be started.
    pub fn open(root: &Path, settings: ServerSettings) -> Result<Arc<Self>, ServeError> {
        let accounts = Accounts::open(root)?;
        let code = if accounts.is_empty()? { Some(accounts::secret()?[..16].to_owned()) } else { None };
        Ok(Arc::new(Self {
            accounts,
            attempts: Attempts::default(),
            audit: Audit::at(root),
            cache: Cache::default(),
            current: Current::new(root),
            digests: Semaphore::new(2),
            editing: tokio::sync::Mutex::default(),
            jobs: Jobs::default(),
            live: routes::Live::default(),
            queries: Arc::new(Queries::new()?),
            settings,
            setup_code: Mutex::new(code),
            strangers: accounts::secret()?,
        }))
    }

    /// The code that whoever sets up the first account must know; none once there is one.
    pub fn setup_code(&self) -> Option<String> {
        self.setup_code.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many reports are being computed now.
    pub fn running_queries(&self) -> usize {
        self.queries.running()
    }

    /// How many connections of the SQL server there are now.
    pub fn sql_connections(&self) -> usize {
        self.queries.connections()
    }

    /// Adds to the audit log what a user did.
    pub(crate) fn note(&self, user: &str, act: Act, detail: Value) -> Result<(), Problem> {
        Ok(self.audit.add(&format!("account:{user}"), act, detail)?)
    }

    /// Users and tokens.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The workspace as it is now.
    pub(crate) async fn opened(&self) -> Result<Arc<Opened>, Problem> {
        self.current.get().await
    }

    /// One more guess at `account`, reserved before it is looked at.
    pub(crate) async fn attempt(
        &self,
        door: Door,
        account: &str,
        address: Option<IpAddr>,
    ) -> Result<Attempt<'_>, Problem> {
        self.attempts.begin(door, account, address).await
    }

    /// Adds a failed login to the audit log. Who tried is not known: the name is whatever somebody typed.
    pub(crate) fn note_failure(&self, door: Door) {
        if let Err(error) = self.audit.add("unknown", Act::LoginFailed, json!({ "door": door.name() })) {
            tracing::error!(%error, "the audit log cannot be written");
        }
    }

    /// Random, and the same while the server runs: so that the salt of a name that does not exist is, too.
    pub(crate) fn salt_of_strangers(&self) -> &str {
        &self.strangers
    }

    /// Runs a connection of the SQL server on its threads, until it ends.
    pub(crate) fn spawn_sql(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.queries.detach(work);
    }
}

/// Everything that is answered over HTTP.
pub fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes::routes() {
        let check = from_fn_with_state((Arc::clone(app), route.access), guard::guard);
        router = router.route(&format!("{PREFIX}{}", route.path), route.handler.route_layer(check));
    }
    let router = router
        .method_not_allowed_fallback(pages::wrong_method)
        .fallback(pages::page)
        .with_state(Arc::clone(app))
        .layer(CompressionLayer::new());
    HEADERS.iter().fold(router, |router, (name, value)| {
        let layer =
            SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value));
        router.layer(layer)
    })
}

/// What every answer tells browsers to refuse.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// How long answers may take that are under way when the server stops, before they are given up; streams of news never end by
/// themselves.
const GRACE: Duration = Duration::from_secs(5);

/// Answers on `listener` until `stop`, and then finishes what was begun.
///
/// # Errors
/// When the network fails.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (stopping, stopped) = oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        drop(stopping);
    };
    let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let overdue = async {
        let _ = stopped.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = axum::serve(listener, service).with_graceful_shutdown(stop).into_future() => Ok(ended?),
        () = overdue => {
            app.queries.close();
            Ok(())
        }
    }
}
