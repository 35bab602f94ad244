//! The application's files, built from `ui/` and held inside the program.
use super::{
    PREFIX,
    problem::{Code, Problem},
};
use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `npm run build` in `ui/` wrote; nothing where it was not run before the program was built.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// What is shown where the application was not built.
const ABSENT: &str = include_str!("absent.html");

/// A file of the application; its first page for every path that the application itself resolves.
pub async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if uri.path().starts_with(&format!("{PREFIX}/")) || uri.path() == PREFIX {
        return Problem::new(Code::NotFound, format!("there is nothing at {}", uri.path()))
            .hint(format!("GET {PREFIX}/openapi.json lists what there is"))
            .into_response();
    }
    if ![Method::GET, Method::HEAD].contains(&method) {
        return wrong_method(method).await;
    }
    let path = uri.path().trim_start_matches('/');
    match Files::get(path) {
        Some(file) => send(path, &file, &headers),
        // A file that is gone is no page: a browser must not take the first page for a script.
        None if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => StatusCode::NOT_FOUND.into_response(),
        None => match Files::get("index.html") {
            Some(file) => send("index.html", &file, &headers),
            None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], ABSENT).into_response(),
        },
    }
}

/// The answer to a method that a path does not know.
pub async fn wrong_method(method: Method) -> Response {
    Problem::new(Code::WrongMethod, format!("{method} is nothing to do here")).into_response()
}

fn send(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", super::accounts::hex(&file.metadata.sha256_hash()));
    // Vite puts a digest of the content in the names of these files: they never change.
    let keep = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let about = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, keep.to_owned())];
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if known.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(header::CONTENT_TYPE, media_type(path))], file.data.to_vec()).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
