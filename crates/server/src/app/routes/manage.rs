//! Users and tokens.
use crate::app::{
    App,
    accounts::{Change, NewToken, NewUser, Token, TokenWish, User},
    extract::{Body, Id},
    guard::Caller,
    problem::{Code, Problem},
};
use axum::{Extension, Json, extract::State, http::StatusCode};
use std::sync::Arc;
use tokio::task::spawn_blocking;

fn no_user(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no user {id}")).hint("GET /api/v1/users lists them")
}

pub async fn users(State(app): State<Arc<App>>) -> Result<Json<Vec<User>>, Problem> {
    Ok(Json(app.accounts.users()?))
}

pub async fn add_user(
    State(app): State<Arc<App>>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let user = spawn_blocking(move || app.accounts.add_user(&new)).await.map_err(Problem::internal)??;
    Ok((StatusCode::CREATED, Json(user)))
}

pub async fn change_user(
    State(app): State<Arc<App>>,
    Id(id): Id,
    Body(change): Body<Change>,
) -> Result<Json<User>, Problem> {
    let user = spawn_blocking(move || app.accounts.change_user(id, &change)).await.map_err(Problem::internal)??;
    user.map(Json).ok_or_else(|| no_user(id))
}

pub async fn delete_user(State(app): State<Arc<App>>, Id(id): Id) -> Result<StatusCode, Problem> {
    if app.accounts.delete_user(id)? { Ok(StatusCode::NO_CONTENT) } else { Err(no_user(id)) }
}

pub async fn tokens(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<Token>>, Problem> {
    Ok(Json(app.accounts.tokens(caller.user()?.id)?))
}

pub async fn add_token(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(wish): Body<TokenWish>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    let token = app.accounts.add_token(caller.user()?.id, &wish)?;
    Ok((StatusCode::CREATED, Json(token)))
}

pub async fn delete_token(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    if app.accounts.delete_token(caller.user()?.id, id)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(Code::NotFound, format!("you have no token {id}")).hint("GET /api/v1/tokens lists yours"))
}
