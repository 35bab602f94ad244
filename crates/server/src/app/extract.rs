//! Bodies and addresses of requests, with problems for those that do not fit.
use super::problem::{Code, Problem};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = Json::<T>::from_request(request, state).await;
        read.map(|Json(body)| Self(body)).map_err(|rejection| match rejection {
            JsonRejection::MissingJsonContentType(_) => {
                Problem::new(Code::BadRequest, "the body is not declared as JSON")
                    .hint("send the header `Content-Type: application/json`")
            }
            other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(Code::TooLarge, other.body_text()).hint("send at most 2 MB")
            }
            other => {
                Problem::new(Code::BadRequest, other.body_text()).hint("GET /api/v1/openapi.json describes the body")
            }
        })
    }
}

/// The number at the end of a path.
#[derive(Debug)]
pub struct Id(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<i64>::from_request_parts(parts, state).await;
        read.map(|Path(id)| Self(id))
            .map_err(|_| Problem::new(Code::NotFound, "the last part of the path is no number"))
    }
}

/// The parameters after the question mark, in their order.
#[derive(Debug)]
pub struct Given(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Given {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        read.map(|Query(pairs)| Self(pairs)).map_err(|error| Problem::new(Code::BadRequest, error.body_text()))
    }
}
