//! The application and the SQL server over a small simulated shop.
mod accounts;
mod api;
mod exports;
mod privacy;
mod reports;
mod settings;
mod sql;
mod support;
