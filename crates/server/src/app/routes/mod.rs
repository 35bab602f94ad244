//! The list of routes: one line each.
mod build;
mod live;
mod manage;
mod person;
mod privacy;
mod session;
mod settings;
mod sql;
mod workspace;

pub use live::Live;

use super::{
    App,
    accounts::{Change, NewToken, NewUser, Role, SettingsVersion, Token, TokenWish, User},
    answer::{PAGES, PAGING, View, answer},
    extract::Given,
    guard::{Access, Caller},
    jobs::Job,
    reports::{Parameter, REPORTS, Report},
};
use axum::{
    Extension,
    extract::State,
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use std::sync::Arc;
use utoipa::{
    ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// A type of the OpenAPI document: its name, its shape, and the types inside of it.
#[derive(Clone)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// It and what it is made of, by name.
    pub parts: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    fn of<T: ToSchema>() -> Self {
        let mut parts = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut parts);
        Self { name: T::name().into_owned(), parts }
    }
}

/// What is answered when all is well.
#[derive(Clone)]
pub enum Answer {
    /// Nothing (204).
    Nothing,
    /// One of these.
    One(Shape),
    /// A list of these.
    Many(Shape),
    /// A report, or its download.
    Report(Shape),
    /// The OpenAPI document.
    Document,
    /// Server-sent events.
    Stream,
}

/// A route of the API.
pub struct Route {
    /// What is done.
    pub method: Method,
    /// Below `/api/v1`.
    pub path: String,
    /// Who may.
    pub access: Access,
    /// What it does.
    pub about: &'static str,
    /// What may follow the question mark.
    pub parameters: Vec<&'static [Parameter]>,
    /// What it takes.
    pub body: Option<Shape>,
    /// What it answers, and with which status.
    pub answer: (u16, Answer),
    /// The function.
    pub handler: MethodRouter<Arc<App>>,
}

impl Route {
    fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Shape::of::<T>());
        self
    }

    fn answers<T: ToSchema>(mut self) -> Self {
        self.answer = (200, Answer::One(Shape::of::<T>()));
        self
    }

    fn lists<T: ToSchema>(mut self) -> Self {
        self.answer = (200, Answer::Many(Shape::of::<T>()));
        self
    }

    fn pages(mut self) -> Self {
        self.parameters.push(PAGES);
        self
    }

    fn reports(mut self) -> Self {
        self.answer = (200, Answer::Report(Shape::of::<View>()));
        self.parameters.push(PAGING);
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.answer.0 = status;
        self
    }
}

fn route<H, T>(method: Method, path: &str, access: Access, about: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    let handler = on(filter, handler);
    Route {
        method,
        path: path.to_owned(),
        access,
        about,
        parameters: vec![],
        body: None,
        answer: (204, Answer::Nothing),
        handler,
    }
}

/// Every route of the API.
pub fn routes() -> Vec<Route> {
    use Access::Public;
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    let [viewer, analyst, admin] = [Role::Viewer, Role::Analyst, Role::Admin].map(Access::Role);
    let mut routes = vec![
        route(get.clone(), "/session", Public, "Who is logged in, and the token to send with changes", session::show)
            .answers::<session::SessionView>(),
        route(
            post.clone(),
            "/setup",
            Public,
            "Make the first account, with the code that `safar serve` printed",
            session::set_up,
        )
        .takes::<session::Setup>()
        .answers::<session::SessionView>(),
        route(post.clone(), "/login", Public, "Log in", session::log_in)
            .takes::<session::Login>()
            .answers::<session::SessionView>(),
        route(post.clone(), "/logout", Public, "Log out", session::log_out),
        route(
            post.clone(),
            "/password",
            viewer,
            "Change one's own password; ends all logins and tokens",
            session::change_password,
        )
        .takes::<session::NewPassword>()
        .answers::<session::SessionView>(),
        route(get.clone(), "/openapi.json", Public, "This document", super::openapi::show).document(),
        route(get.clone(), "/users", admin, "Everybody", manage::users).lists::<User>().pages(),
        route(post.clone(), "/users", admin, "Make a user", manage::add_user)
            .takes::<NewUser>()
            .answers::<User>()
            .status(201),
        route(patch, "/users/{id}", admin, "Change a user", manage::change_user).takes::<Change>().answers::<User>(),
        route(delete.clone(), "/users/{id}", admin, "Delete a user, their logins and tokens", manage::delete_user),
        route(get.clone(), "/tokens", viewer, "One's own tokens", manage::tokens).lists::<Token>().pages(),
        route(post.clone(), "/tokens", viewer, "Make a token, which may do what its owner may", manage::add_token)
            .takes::<TokenWish>()
            .answers::<NewToken>()
            .status(201),
        route(delete, "/tokens/{id}", viewer, "Take a token away", manage::delete_token),
        route(get.clone(), "/workspace", viewer, "What the workspace holds", workspace::show)
            .answers::<workspace::WorkspaceView>(),
        route(get.clone(), "/people/{id}", analyst, "Everything about one person; events in pages", person::show)
            .answers::<person::PersonView>()
            .pages(),
        route(
            get.clone(),
            "/people/{id}/export",
            admin,
            "Everything that is known of one person, for that person",
            privacy::hand_out,
        )
        .answers::<privacy::ExportView>(),
        route(
            post.clone(),
            "/people/{id}/erase",
            admin,
            "Erase one person from everything; cannot be undone",
            privacy::erase_person,
        )
        .takes::<privacy::Confirmation>()
        .answers::<build::Started>()
        .status(202),
        route(
            get.clone(),
            "/audit",
            admin,
            "Who erased, handed out, changed and downloaded what, newest first",
            privacy::audit,
        )
        .lists::<privacy::AuditView>()
        .pages(),
        route(get.clone(), "/live", viewer, "Events as they come to the tables: server-sent events", live::stream)
            .streams(),
        route(get.clone(), "/tables", viewer, "The tables of SQL, their columns and meanings", workspace::tables)
            .lists::<workspace::TableView>(),
        route(post.clone(), "/sql", analyst, "Ask in SQL, read only", sql::ask).takes::<sql::Question>().reports(),
        route(get.clone(), "/settings", analyst, "The text of safar.toml, and who changed it here", settings::show)
            .answers::<settings::SettingsView>(),
        route(get.clone(), "/settings/history", analyst, "The texts that safar.toml had", settings::history)
            .lists::<SettingsVersion>()
            .pages(),
        route(post.clone(), "/settings/check", analyst, "Whether a text could be used", settings::check)
            .takes::<settings::Text>()
            .answers::<settings::Checked>(),
        route(
            post.clone(),
            "/settings/preview",
            analyst,
            "What a build with other settings would change: channel rules are tried on every event, nothing is stored",
            settings::foretell,
        )
        .takes::<settings::Text>()
        .answers::<settings::PreviewView>(),
        route(put, "/settings", admin, "Replace safar.toml", settings::replace)
            .takes::<settings::Replacement>()
            .answers::<settings::SettingsView>(),
        route(post, "/build", analyst, "Bring the derived tables up to date", build::start)
            .answers::<build::Started>()
            .status(202),
        route(get, "/jobs/{id}", analyst, "How far a build is", build::show).answers::<Job>(),
    ];
    routes.extend(REPORTS.iter().map(report));
    routes
}

impl Route {
    fn document(mut self) -> Self {
        self.answer = (200, Answer::Document);
        self
    }

    fn streams(mut self) -> Self {
        self.answer = (200, Answer::Stream);
        self
    }
}

fn report(report: &'static Report) -> Route {
    let handler = move |State(app): State<Arc<App>>, Extension(caller): Extension<Caller>, Given(given): Given| async move {
        answer(&app, &caller, report, given).await
    };
    let path = format!("/reports/{}", report.name);
    let mut route = route(Method::GET, &path, Access::Role(report.role), report.about, handler);
    route.parameters.extend(report.parameters);
    route.reports()
}
