//! What the tests of several crates share: real data, a temporary workspace with the program in it, SQL logic files.
mod mmdb;
mod shared;
mod shop;
mod slt;

pub use mmdb::database as country_database;
pub use shared::shared;
pub use shop::Shop;
pub use slt::run_logic_file;
