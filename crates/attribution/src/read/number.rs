//! Numbers of a path file.
use super::{ReadError, cut, header::Column};

/// Reads a count (finite, 0 or more) or a value (finite). An empty value or null count is 0.
pub(super) fn read(field: &[u8], column: Column, line: usize) -> Result<f64, ReadError> {
    let text = field.trim_ascii();
    if text.is_empty() && column != Column::Conversions {
        return Ok(0.0);
    }
    let error = |problem, hint| Err(ReadError::Row { line, column: column.name(), value: cut(field), problem, hint });
    let is_count = column != Column::Value;
    match plain(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok()) {
        Some(number) if !number.is_finite() || number.abs() > crate::WEIGHT_MAX => {
            error("too large or not finite:", "write a number below 1e100")
        }
        Some(number) if is_count && number < 0.0 => {
            error("negative count", "counts are 0 or more; a refund is a negative value")
        }
        Some(number) => Ok(number),
        None if is_count => error(
            "not a number",
            "write a number of 0 or more, with a point for decimals and without thousands separators",
        ),
        None => error("not a number", "write a number with a point for decimals and without thousands separators"),
    }
}

/// Digits, at most 15, and perhaps a point among them: then digits and power of ten are exact numbers and one
/// division rounds correctly. Everything else is left to the standard library.
#[inline]
fn plain(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let (mut mantissa, mut point) = (0_u64, None);
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && digits.len() > 1 => point = Some(digits.len() - 1 - index),
            _ => return None,
        }
    }
    if mantissa >= 1 << 53 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let number = mantissa as f64 / POWERS[point.unwrap_or(0)];
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    #[test]
    fn short_numbers_read_as_the_standard_library_reads_them() {
        for text in ["0", "12", "-3.25", "1234567890.12345", "0.1", ".5", "5.", "9007199254740993", "00012.50"] {
            let quick = super::plain(text.as_bytes());
            assert!(quick.is_none() || quick == Some(text.parse().unwrap()), "{text}: {quick:?}");
        }
        assert_eq!(super::plain(b"12.5"), Some(12.5));
        for text in ["", "-", ".", "1e3", "1,5", "1.2.3", "+1"] {
            assert_eq!(super::plain(text.as_bytes()), None, "{text}");
        }
    }
}
