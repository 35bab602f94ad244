//! Keys that cluster the tables: a 63-bit hash of an identifier, and the bucket that holds it.
use xxhash_rust::xxh3::xxh3_64;

/// How many buckets (Delta partitions) every clustered table has.
///
/// A bucket is a range of keys, so files in key order are files in bucket order.
pub const BUCKETS: u32 = 16;

/// The 63-bit key of an identifier: equal on every machine, spread evenly, never negative.
///
/// ```
/// let key = safar_model::key_of("anonymous", "a-1");
/// assert_eq!(key, safar_model::key_of("anonymous", "a-1"));
/// assert_ne!(key, safar_model::key_of("user", "a-1"));
/// assert!(key >= 0);
/// ```
#[must_use]
pub fn key_of(namespace: &str, identifier: &str) -> i64 {
    let mut bytes = Vec::with_capacity(namespace.len() + identifier.len() + 1);
    bytes.extend_from_slice(namespace.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(identifier.as_bytes());
    (xxh3_64(&bytes) >> 1) as i64
}

/// The bucket of a key: its highest bits.
///
/// ```
/// use safar_model::{BUCKETS, bucket_of};
/// assert_eq!(bucket_of(0), 0);
/// assert_eq!(bucket_of(i64::MAX), BUCKETS as i32 - 1);
/// ```
#[must_use]
pub fn bucket_of(key: i64) -> i32 {
    (key >> (63 - BUCKETS.trailing_zeros())) as i32
}
