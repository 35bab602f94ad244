//! Laws, worked examples and real data of the journey crate.
mod conventions;
mod counts;
mod engine;
mod explorer;
mod funnel;
mod goals;
mod kit;
mod laws;
mod paths;
mod real_data;
mod retention;
mod sessions;
