//! What the tests of several crates share: real data, a temporary workspace with the program in it, SQL logic files.
mod shared;
mod shop;
mod slt;

pub use shared::shared;
pub use shop::Shop;
pub use slt::run_logic_file;
