//! What `safar serve` runs: the HTTP API, SQL over the Postgres protocol, users, and the application.
pub mod app;
pub mod sql;
