//! Users and tokens.
use crate::app::{
    App,
    accounts::{Change, NewToken, NewUser, TokenWish, User},
    answer::Page,
    extract::{Body, Given, Id},
    guard::Caller,
    problem::{Code, Problem},
};
use axum::{Extension, Json, extract::State, http::StatusCode, response::Response};
use safar_pipeline::privacy::Act;
use serde_json::json;
use std::sync::Arc;
use tokio::task::spawn_blocking;

fn no_user(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no user {id}")).hint("GET /api/v1/users lists them")
}

pub async fn users(State(app): State<Arc<App>>, Given(given): Given) -> Result<Response, Problem> {
    let (users, total) = app.accounts.users(Page::check(given)?)?;
    Ok(Page::of(&users, total))
}

pub async fn add_user(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let adding = Arc::clone(&app);
    let user = spawn_blocking(move || adding.accounts.add_user(&new)).await.map_err(Problem::internal)??;
    app.note(&caller.user()?.email, Act::UserAdded, json!({ "user": user.id, "role": user.role }))?;
    Ok((StatusCode::CREATED, Json(user)))
}

pub async fn change_user(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Body(change): Body<Change>,
) -> Result<Json<User>, Problem> {
    let (changing, password) = (Arc::clone(&app), change.password.is_some());
    let user =
        spawn_blocking(move || changing.accounts.change_user(id, &change)).await.map_err(Problem::internal)??;
    let user = user.ok_or_else(|| no_user(id))?;
    let detail = json!({ "user": user.id, "role": user.role, "password": password });
    app.note(&caller.user()?.email, Act::UserChanged, detail)?;
    Ok(Json(user))
}

pub async fn delete_user(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if !app.accounts.delete_user(id)? {
        return Err(no_user(id));
    }
    app.note(&caller.user()?.email, Act::UserDeleted, json!({ "user": id }))?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn tokens(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Given(given): Given,
) -> Result<Response, Problem> {
    let (tokens, total) = app.accounts.tokens(caller.user()?.id, Page::check(given)?)?;
    Ok(Page::of(&tokens, total))
}

pub async fn add_token(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(wish): Body<TokenWish>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    let token = app.accounts.add_token(caller.user()?.id, &wish)?;
    app.note(&caller.user()?.email, Act::TokenMade, json!({}))?;
    Ok((StatusCode::CREATED, Json(token)))
}

pub async fn delete_token(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if app.accounts.delete_token(caller.user()?.id, id)? {
        app.note(&caller.user()?.email, Act::TokenDeleted, json!({ "token": id }))?;
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(Code::NotFound, format!("you have no token {id}")).hint("GET /api/v1/tokens lists yours"))
}
