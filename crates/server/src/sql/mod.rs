//! SQL over the Postgres protocol, for psql, drivers and BI tools.
//!
//! A connection signs in with the name and the secret of a token (SCRAM-SHA-256) whose owner may ask in SQL, gets a session of its
//! own, and can change nothing: neither tables nor, through them, files. Each statement outside of a transaction sees what was
//! published last; those of one transaction see the same.
mod absent;
mod catalog;
mod copy;
mod cursors;
mod descriptions;
mod dialect;
mod errors;
mod functions;
mod hook;
mod json;
mod login;
mod names;
mod patterns;
mod reader;
mod service;
mod times;
mod tls;
mod variables;

use crate::app::App;
use cursors::Cursors;
use datafusion_postgres::{
    DfSessionService, QueryHook,
    hooks::{set_show::SetShowHook, transactions::TransactionStatementHook},
    pgwire::{
        api::{
            ConnectionManager, ErrorHandler, PgWireServerHandlers,
            auth::StartupHandler,
            cancel::{CancelHandler, DefaultCancelHandler},
            query::{ExtendedQueryHandler, SimpleQueryHandler},
        },
        tokio::{TlsAcceptor, process_socket},
    },
};
use errors::Errors;
use hook::Hooked;
use login::{Login, Seat};
use reader::{Guard, Reader, View};
use safar_pipeline::settings::SqlSettings;
use service::Service;
use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// How many connections there may be at once.
const CONNECTIONS: usize = 64;

/// How often it is looked whether a client is still there while its statement is computed.
const PRESENCE: Duration = Duration::from_secs(1);

/// Why the SQL server does not start.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// Certificate or key cannot be used.
    #[error("[server.sql] {}: {reason}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why not, and what would do.
        reason: String,
    },
    /// Passwords are safe by SCRAM, but rows would be read by everybody on the way.
    #[error(
        "[server.sql] listens on {0}, which others can reach, without encryption; set `certificate` and `key`, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// Only one of two files is named.
    #[error("[server.sql] names only one of `certificate` and `key`; name both")]
    Half,
}

/// The SQL server of a workspace.
pub struct SqlServer {
    app: Arc<App>,
    tls: Option<TlsAcceptor>,
    manager: Arc<ConnectionManager>,
    timeout: Option<Duration>,
}

impl SqlServer {
    /// Reads the certificate; `root` is the workspace's folder.
    ///
    /// # Errors
    /// When the settings would leave connections unprotected: nothing falls back to plain text.
    pub fn new(app: Arc<App>, root: &Path, settings: &SqlSettings, address: SocketAddr) -> Result<Self, SqlError> {
        let tls = match (&settings.certificate, &settings.key) {
            (Some(certificate), Some(key)) => Some(tls::acceptor(&root.join(certificate), &root.join(key))?),
            (None, None) if address.ip().is_loopback() => None,
            (None, None) => return Err(SqlError::Open(address)),
            _ => return Err(SqlError::Half),
        };
        let seconds = Duration::from_secs(settings.statement_timeout_seconds.into());
        let timeout = Some(seconds).filter(|limit| !limit.is_zero());
        Ok(Self { app, tls, manager: Arc::new(ConnectionManager::new()), timeout })
    }

    /// Answers on `listener` until `stop`.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
        let server = Arc::new(self);
        let turns = Arc::new(Semaphore::new(CONNECTIONS));
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, address)) => {
                    let Ok(turn) = Arc::clone(&turns).try_acquire_owned() else {
                        tracing::warn!("{address} is refused: there are {CONNECTIONS} connections already");
                        continue;
                    };
                    let server = Arc::clone(&server);
                    let app = Arc::clone(&server.app);
                    app.spawn_sql(async move {
                        let _turn = turn;
                        if let Err(error) = server.connection(socket, address).await {
                            tracing::debug!("the connection of {address} ended: {error}");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!("cannot take a connection: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(&self, socket: TcpStream, address: SocketAddr) -> io::Result<()> {
        let opened = self.app.opened().await.map_err(|problem| io::Error::other(problem.detail))?;
        let workspace = opened.workspace.clone();
        let view = Arc::new(View::open(workspace).await.map_err(io::Error::other)?);
        let context = Arc::new(view.context());
        let _catalog = catalog::register(&context).await.map_err(io::Error::other)?;
        functions::register(&context);
        let seat = Seat::new(Arc::clone(&self.app));
        let hooks: Vec<Arc<dyn QueryHook>> = vec![
            Arc::new(Hooked(Guard { view: Arc::clone(&view), seat: Arc::clone(&seat), timeout: self.timeout })),
            Arc::new(SetShowHook),
            Arc::new(TransactionStatementHook),
            Arc::new(Hooked(Cursors::default())),
            Arc::new(Hooked(Reader { seat: Arc::clone(&seat) })),
        ];
        let login = Login::new(Arc::clone(&seat), &self.manager, self.tls.is_some(), address.ip(), self.timeout);
        let handlers = Connection {
            service: Arc::new(Service(Arc::new(DfSessionService::new_with_hooks(context, hooks)))),
            login: Arc::new(login),
            cancel: Arc::new(DefaultCancelHandler::new(Arc::clone(&self.manager))),
        };
        let (socket, watched) = twice(socket)?;
        tokio::select! {
            ended = process_socket(socket, self.tls.clone(), handlers) => ended,
            () = gone(&watched, &seat) => Err(io::Error::other("the client is gone")),
        }
    }
}

/// A connection, and once more to watch it by: the library reads nothing while a statement is computed, and would not see that
/// nobody waits for the answer.
fn twice(socket: TcpStream) -> io::Result<(TcpStream, TcpStream)> {
    let socket = socket.into_std()?;
    let watched = TcpStream::from_std(socket.try_clone()?)?;
    Ok((TcpStream::from_std(socket)?, watched))
}

/// Waits until the client has closed the connection. Before somebody has signed in it waits for that: the library reads then, and
/// whoever asks to cancel a statement hangs up at once.
async fn gone(watched: &TcpStream, seat: &Seat) {
    seat.taken().await;
    loop {
        match watched.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(PRESENCE).await,
            _ => return,
        }
    }
}

/// What answers one connection.
struct Connection {
    service: Arc<Service>,
    login: Arc<Login>,
    cancel: Arc<DefaultCancelHandler>,
}

impl PgWireServerHandlers for Connection {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.service)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.service)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.login)
    }

    fn error_handler(&self) -> Arc<impl ErrorHandler> {
        Arc::new(Errors)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::clone(&self.cancel)
    }
}
