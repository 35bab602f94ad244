//! Who asks, and whether they may: in front of every route.
use super::{
    App,
    accounts::{AccountError, Role, User, digest, hex, secret},
    problem::{Code, Problem},
    reason::Reason,
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The cookie of a browser.
pub const COOKIE: &str = "safar_session";

/// The header in which a browser repeats the session's token, which only pages of this application can know.
pub const CSRF_HEADER: &str = "x-safar-csrf";

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: what must work before a login.
    Public,
    /// Users with this role or a higher one.
    Role(Role),
}

/// Who asks.
#[derive(Clone)]
pub struct Caller {
    /// Nobody before a login.
    pub user: Option<User>,
    /// The secret of the cookie; none with a token.
    pub session: Option<String>,
    /// The token, where one was sent.
    pub token: Option<String>,
    /// From where, where that is known.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// The user; routes that are not public have one.
    ///
    /// # Errors
    /// [`Code::LoginNeeded`].
    pub fn user(&self) -> Result<&User, Problem> {
        self.user.as_ref().ok_or_else(login_needed)
    }

    /// Whether whoever asked may still do what `role` may: for answers that take long.
    pub fn may_still(&self, app: &App, role: Role) -> Result<bool, Problem> {
        let user = match (&self.token, &self.session) {
            (Some(token), _) => app.accounts.token_user(token)?,
            (None, Some(session)) => app.accounts.logged_in(session)?,
            (None, None) => None,
        };
        Ok(user.is_some_and(|user| user.role >= role))
    }

    /// Whether the user may do what `role` may.
    pub fn may(&self, role: Role) -> bool {
        self.user.as_ref().is_some_and(|user| user.role >= role)
    }
}

fn login_needed() -> Problem {
    Problem::new(Code::LoginNeeded, "nobody is logged in").hint("log in, or send `Authorization: Bearer TOKEN`")
}

/// What a browser must repeat for the session with `secret`.
pub fn csrf(secret: &str) -> String {
    hex(&digest(&format!("csrf {secret}")))
}

/// Finds out who asks, refuses those who may not, and passes the others on.
pub async fn guard(State((app, access)): State<(Arc<App>, Access)>, mut request: Request, next: Next) -> Response {
    let mut response = match admit(&app, access, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn admit(app: &App, access: Access, request: &Request) -> Result<Caller, Problem> {
    let caller = caller(app, request)?;
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    if changes && let Some(session) = &caller.session {
        let sent = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if sent != Some(csrf(session).as_str()) {
            return Err(Problem::new(Code::Csrf, format!("the header {CSRF_HEADER} is missing or of another session"))
                .hint("take `csrf` from GET /api/v1/session"));
        }
    }
    match access {
        Access::Public => Ok(caller),
        Access::Role(_) if caller.user.is_none() => Err(login_needed()),
        Access::Role(role) if caller.may(role) => Ok(caller),
        Access::Role(role) => {
            let hint = format!("an administrator can make you {}", role.name());
            Err(Problem::new(Code::NotAllowed, format!("this needs the role {}", role.name()))
                .hint(hint)
                .because(Reason::NeedsRole { role }))
        }
    }
}

fn caller(app: &App, request: &Request) -> Result<Caller, Problem> {
    let headers = request.headers();
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let user = token.map(|token| app.accounts.token_user(token.trim())).transpose()?.flatten();
        let user = user.ok_or_else(|| {
            Problem::new(Code::LoginNeeded, "the token is not known, or has ended")
                .hint("make another under /api/v1/tokens")
        })?;
        let token = token.map(|token| token.trim().to_owned());
        return Ok(Caller { user: Some(user), session: None, token, address });
    }
    // A browser without a session gets the secret of one that nobody has logged in to: it still cannot be forged by others.
    let session = match cookie(headers) {
        Some(session) => session,
        None => secret()?,
    };
    Ok(Caller { user: app.accounts.logged_in(&session)?, session: Some(session), token: None, address })
}

/// The session's secret in the cookies of a request.
fn cookie(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, value)| *name == COOKIE && !value.is_empty())?;
    Some(value.to_owned())
}

/// The header that gives a browser the secret of its session.
pub fn set_cookie(app: &App, secret: &str) -> Result<HeaderValue, Problem> {
    let seconds = u64::from(app.settings.session_days) * 86_400;
    let secure = if app.settings.secure_cookies { "; Secure" } else { "" };
    let text = format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(Problem::internal)
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Refused(text, reason) => Self::new(Code::BadRequest, text).because(reason),
            other => Self::internal(other),
        }
    }
}
