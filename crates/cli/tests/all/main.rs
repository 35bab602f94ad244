//! The program as people meet it: commands, files, messages, crashes.
mod bad_input;
mod collected;
mod crashes;
mod erasure;
mod imported;
mod importing;
mod journey_of_a_user;
mod kept;
mod markets;
mod paths_files;
mod people;
mod retaining;
mod visitors;

pub use safar_testkit::{Shop, shared};
use std::path::PathBuf;

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_safar"))
}

fn empty() -> Shop {
    Shop::empty(program())
}

fn shop() -> Shop {
    Shop::new(program())
}

fn with_sample() -> Shop {
    Shop::with_sample(program())
}
