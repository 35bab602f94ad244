//! Logging in and out, and the first account.
use crate::app::{
    App, Door,
    accounts::{Change, NewUser, Role, User, matches, secret},
    extract::Body,
    guard::{Caller, csrf, set_cookie},
    problem::{Code, Problem},
    reason::Reason,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use safar_pipeline::privacy::Act;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Nobody before a login.
    user: Option<User>,
    /// Whether the first account is still to be made.
    setup_needed: bool,
    /// What changes must carry in the header `X-Safar-CSRF`; empty with a token, which needs none.
    csrf: String,
    /// The language to begin with; the browser's own where empty.
    locale: String,
}

/// The first account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// What `safar serve` printed.
    code: String,
    /// How others call them.
    name: String,
    /// What they log in with.
    email: String,
    /// At least ten letters.
    password: String,
}

/// A login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    email: String,
    password: String,
}

/// A change of one's own password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password until now.
    current: String,
    /// At least ten letters.
    new: String,
}

async fn view(app: &App, user: Option<User>, session: Option<&str>) -> Result<Json<SessionView>, Problem> {
    // Also where settings are broken: whoever mends them must be able to log in.
    let opened = app.current.get().await;
    Ok(Json(SessionView {
        user,
        setup_needed: app.accounts.is_empty()?,
        csrf: session.map_or_else(String::new, csrf),
        locale: opened.map_or_else(|_| String::new(), |opened| opened.workspace.settings().workspace.locale.clone()),
    }))
}

pub async fn show(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    let body = view(&app, caller.user.clone(), caller.session.as_deref()).await?;
    match &caller.session {
        Some(session) => Ok(([(header::SET_COOKIE, set_cookie(&app, session)?)], body).into_response()),
        None => Ok(body.into_response()),
    }
}

/// Begins a session under a new secret, so that one that somebody else planted is worth nothing.
async fn begin(app: &App, user: User) -> Result<Response, Problem> {
    let secret = secret()?;
    app.accounts.log_in(user.id, &secret, app.settings.session_days)?;
    let body = view(app, Some(user), Some(&secret)).await?;
    Ok(([(header::SET_COOKIE, set_cookie(app, &secret)?)], body).into_response())
}

pub async fn set_up(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(setup): Body<Setup>,
) -> Result<Response, Problem> {
    let attempt = app.attempt(Door::SetUp, "", caller.address).await?;
    let made = {
        let app = Arc::clone(&app);
        let new = NewUser { name: setup.name, email: setup.email, password: setup.password, role: Role::Admin };
        spawn_blocking(move || {
            let mut code = app.setup_code.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(wanted) = code.as_deref() else {
                return Err(Problem::new(Code::Conflict, "the first account was made already")
                    .hint("log in")
                    .because(Reason::SetUpAlready));
            };
            if wanted != setup.code.trim() {
                return Ok(None);
            }
            let user = app.accounts.add_user(&new)?;
            *code = None;
            Ok(Some(user))
        })
    };
    match made.await.map_err(Problem::internal)? {
        Ok(Some(user)) => {
            attempt.succeeded();
            app.note(&user.email, Act::UserAdded, json!({ "user": user.id, "role": user.role }))?;
            begin(&app, user).await
        }
        Err(problem) => {
            attempt.withdrawn();
            Err(problem)
        }
        Ok(None) => {
            drop(attempt);
            app.note_failure(Door::SetUp);
            Err(Problem::new(Code::WrongPassword, "that is not the set-up code")
                .hint("`safar serve` prints it when it starts")
                .because(Reason::WrongCode))
        }
    }
}

/// The user, where the password is theirs. Counts guesses from before they are looked at; digests on threads of their own.
async fn prove(app: &Arc<App>, caller: &Caller, email: &str, password: String) -> Result<User, Problem> {
    let attempt = app.attempt(Door::Password, email, caller.address).await?;
    let known = app.accounts.by_email(email)?;
    let digest = known.as_ref().map(|(_, digest)| digest.clone());
    let _turn = app.digests.acquire().await.map_err(Problem::internal)?;
    let is_right = spawn_blocking(move || matches(&password, digest.as_deref())).await.map_err(Problem::internal)?;
    match known {
        Some((user, _)) if is_right => {
            attempt.succeeded();
            Ok(user)
        }
        _ => {
            drop(attempt);
            app.note_failure(Door::Password);
            Err(Problem::new(Code::WrongPassword, "address and password do not go together")
                .hint("an administrator can give you a new password")
                .because(Reason::WrongPassword))
        }
    }
}

pub async fn log_in(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let user = prove(&app, &caller, &login.email, login.password).await?;
    if let Some(old) = &caller.session {
        app.accounts.log_out(old)?;
    }
    begin(&app, user).await
}

pub async fn log_out(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    if let Some(session) = &caller.session {
        app.accounts.log_out(session)?;
    }
    let cookie = set_cookie(&app, &secret()?)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

pub async fn change_password(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(wish): Body<NewPassword>,
) -> Result<Response, Problem> {
    let user = prove(&app, &caller, &caller.user()?.email, wish.current).await?;
    let change = Change { password: Some(wish.new), ..Change::default() };
    let changing = Arc::clone(&app);
    let changed = spawn_blocking(move || changing.accounts.change_user(user.id, &change));
    let user = changed.await.map_err(Problem::internal)??;
    let user = user.ok_or_else(|| Problem::new(Code::NotFound, "the account is gone").because(Reason::AccountGone))?;
    app.note(&user.email, Act::PasswordChanged, Value::Null)?;
    begin(&app, user).await
}
