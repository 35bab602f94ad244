//! The application and the SQL server over a small simulated shop.
mod accounts;
mod api;
mod exports;
mod reports;
mod settings;
mod sql;
mod support;
