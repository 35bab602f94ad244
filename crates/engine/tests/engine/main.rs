//! The engine as its users see it: SQL that only reads, and the same answers from workers, also when one dies.
mod distributed;
mod node;
mod sql;
mod support;
