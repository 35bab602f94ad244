//! Imports from the first byte to the tables.
mod formats;
mod lines;
mod mistaken;
mod once;
mod privacy;
mod ready;
mod real;
mod rejected;
mod rules;
mod shape_costs;
mod shape_people;
mod support;
mod visitors;
