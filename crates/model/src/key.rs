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
    let (space, id) = (namespace.as_bytes(), identifier.as_bytes());
    let length = space.len() + 1 + id.len();
    let mut short = [0; 128];
    // One row after the other asks for its key: identifiers of the usual length cost no allocation.
    let hash = match short.get_mut(..length) {
        Some(bytes) => {
            bytes[..space.len()].copy_from_slice(space);
            bytes[space.len() + 1..].copy_from_slice(id);
            xxh3_64(bytes)
        }
        None => xxh3_64(&[space, &[0], id].concat()),
    };
    (hash >> 1) as i64
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_makes_no_difference() {
        for length in [0, 1, 117, 118, 119, 4000] {
            let id = "x".repeat(length);
            let whole = xxh3_64(format!("anonymous\0{id}").as_bytes());
            assert_eq!(key_of("anonymous", &id), (whole >> 1) as i64, "{length}");
        }
    }
}
