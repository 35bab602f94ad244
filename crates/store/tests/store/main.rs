//! The store against the disk: what is committed stays, what is not was never there.
mod commit;
mod compact;
mod crash;
mod earlier;
mod faults;
mod replace;
mod scan;
mod support;
mod sweep;
