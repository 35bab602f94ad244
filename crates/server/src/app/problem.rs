//! What the API answers when it cannot do what was asked: problem details (RFC 9457).
use super::reason::Reason;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use safar_pipeline::{Error, settings::SettingsError};
use serde::Serialize;
use utoipa::ToSchema;

/// What kind of problem; programs look at this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A parameter or the body does not fit.
    BadRequest,
    /// The SQL is wrong.
    BadQuery,
    /// The SQL would change something.
    ReadOnly,
    /// Nobody is logged in.
    LoginNeeded,
    /// E-mail address and password do not go together, or the set-up code is wrong.
    WrongPassword,
    /// The user's role does not allow it.
    NotAllowed,
    /// A request that changes something came without the session's token.
    Csrf,
    /// There is nothing of that name.
    NotFound,
    /// The path knows other methods.
    WrongMethod,
    /// It was changed meanwhile, is there already, or is being done.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// safar.toml cannot be used.
    BadSettings,
    /// The data do not allow the computation.
    NotComputable,
    /// Too many failed logins.
    TooManyAttempts,
    /// The answer or its computation needs more memory than it may use.
    OutOfMemory,
    /// Another process is writing.
    Busy,
    /// A fault of the program or the machine.
    Internal,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::BadQuery | Self::ReadOnly => StatusCode::BAD_REQUEST,
            Self::LoginNeeded | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::NotAllowed | Self::Csrf => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadSettings | Self::NotComputable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::OutOfMemory | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request does not fit",
            Self::BadQuery => "The query is wrong",
            Self::ReadOnly => "Queries only read",
            Self::LoginNeeded => "A login is needed",
            Self::WrongPassword => "That is not right",
            Self::NotAllowed => "Your role does not allow this",
            Self::Csrf => "The request lacks the session's token",
            Self::NotFound => "There is no such thing",
            Self::WrongMethod => "This path has other methods",
            Self::Conflict => "That is no longer possible",
            Self::TooLarge => "The request is too large",
            Self::BadSettings => "The settings cannot be used",
            Self::NotComputable => "The data do not allow this",
            Self::TooManyAttempts => "Too many attempts",
            Self::OutOfMemory => "The answer needs too much memory",
            Self::Busy => "Another process is writing",
            Self::Internal => "Something went wrong inside",
        }
    }
}

/// The body of every answer that is no success, as `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind: `urn:safar:problem:CODE`.
    #[schema(value_type = String)]
    pub r#type: Box<str>,
    /// The kind, in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The kind, for programs.
    pub code: Code,
    /// The way out, where there is one.
    #[schema(value_type = Option<String>)]
    pub hint: Option<Box<str>>,
    /// Why, where it is one of the reasons that people meet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<Box<Reason>>,
    /// The file that is wrong, of settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub file: Option<Box<str>>,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Its column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Seconds after which to try again, where that helps; also the header `Retry-After`.
    #[serde(skip)]
    pub retry_seconds: Option<u32>,
}

impl Problem {
    /// A problem; what follows `hint: ` in `detail` is its hint.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let (detail, hint) = match detail.split_once("\n  hint: ") {
            Some((detail, hint)) => (detail.to_owned(), Some(hint.into())),
            None => (detail, None),
        };
        let name = serde_json::to_value(code).ok();
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or("internal");
        Self {
            r#type: format!("urn:safar:problem:{name}").into(),
            title: code.title(),
            status: code.status().as_u16(),
            detail,
            code,
            hint,
            reason: None,
            file: None,
            line: None,
            column: None,
            retry_seconds: None,
        }
    }

    /// The way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint: String = hint.into();
        self.hint = Some(hint.into_boxed_str());
        self
    }

    /// Says why, for programs and other languages.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(Box::new(reason));
        self
    }

    /// A fault that the user can do nothing about: told in full to the log only.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!("{error}");
        Self::new(Code::Internal, "the answer could not be made")
            .hint("the server's log says why")
            .because(Reason::SeeLog)
    }

    fn of_engine(error: &safar_engine::Error) -> Self {
        use datafusion::error::DataFusionError as D;
        use safar_engine::Error as E;
        let problem = |code| Self::new(code, error.to_string());
        let told = match error {
            E::Query { message, hint, .. } => {
                let problem = Self::new(Code::BadQuery, message.clone());
                hint.iter().fold(problem, |problem, hint| problem.hint(hint.clone()))
            }
            E::ReadOnly(_) => problem(Code::ReadOnly),
            E::Memory { .. } => problem(Code::OutOfMemory),
            E::NoWorkers(_) => problem(Code::Busy),
            // What the values of the data do not allow: a text that is no number, a division by zero, an unknown option.
            E::Execution(of) if matches!(of.find_root(), D::ArrowError(..) | D::Execution(_) | D::Configuration(_)) => {
                problem(Code::BadQuery)
            }
            other => Self::internal(other),
        };
        Reason::of_query(error).into_iter().fold(told, Self::because)
    }

    fn of_settings(error: SettingsError) -> Self {
        match error {
            SettingsError::Bad { path, line, column, found, reason, .. } => Self {
                file: Some(path.into()),
                line: u32::try_from(line).ok(),
                column: u32::try_from(column).ok(),
                ..Self::new(Code::BadSettings, reason).hint(format!("the line is: {found}"))
            },
            unreadable @ SettingsError::Unreadable { .. } => Self::new(Code::BadSettings, unreadable.to_string()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let reason = Reason::of(&error);
        let problem = match error {
            Error::Settings(error) => Self::of_settings(error),
            Error::Request(text) => Self::new(Code::BadRequest, text),
            error @ (Error::NoGoal { .. } | Error::NoPaths | Error::NothingToTest) => {
                Self::new(Code::BadRequest, error.to_string())
            }
            error @ Error::NoPerson { .. } => Self::new(Code::NotFound, error.to_string()),
            Error::Engine(error) => Self::of_engine(&error),
            Error::DataFusion(error) => Self::of_engine(&safar_engine::Error::from(error)),
            Error::Store(error) if error.is_locked() => Self::new(Code::Busy, error.to_string()),
            error @ (Error::Rules(_) | Error::Journey(_)) => Self::new(Code::BadSettings, error.to_string()),
            error @ (Error::Attribution(_)
            | Error::Bootstrap(_)
            | Error::Validation(_)
            | Error::Experiment(_)
            | Error::Calibration(_)) => Self::new(Code::NotComputable, error.to_string()),
            other => Self::internal(other),
        };
        reason.into_iter().fold(problem, Self::because)
    }
}

impl From<safar_store::Error> for Problem {
    fn from(error: safar_store::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<safar_engine::Error> for Problem {
    fn from(error: safar_engine::Error) -> Self {
        Self::of_engine(&error)
    }
}

impl From<datafusion::error::DataFusionError> for Problem {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::of_engine(&safar_engine::Error::from(error))
    }
}

impl From<arrow::error::ArrowError> for Problem {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
