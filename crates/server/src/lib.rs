//! What `safar serve` runs: the collector, the HTTP API, SQL over the Postgres protocol, users, and the application.
pub mod app;
pub mod collect;
pub mod sql;
