//! Imports from the first byte to the tables.
mod formats;
mod once;
mod real;
mod rejected;
mod rules;
mod support;
