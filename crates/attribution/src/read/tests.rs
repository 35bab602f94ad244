//! Rows that lie in several blocks.
use super::*;
use proptest::prelude::*;

proptest! {
    /// Whatever the size of the blocks, and whatever the threads they are read by.
    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::vec((prop::collection::vec("[a-z][a-z\";,\n]{0,5}", 0..5), 0..1000_u32, -1e6..1e6_f64, 0.0..9.0_f64), 1..40),
        block in 1_usize..50,
    ) {
        let mut text = "path;conversions;value;null\n".to_string();
        for (path, conversions, value, nulls) in &rows {
            let path = path.join(" > ").replace('"', "\"\"");
            text.push_str(&format!("\"{path}\";{conversions};{value};{nulls}\n"));
        }
        let (paths, names) = read_in_blocks(text.as_bytes(), &ReadOptions::default(), block).unwrap();
        prop_assert_eq!(paths.len(), rows.len());
        for (got, (path, conversions, value, nulls)) in paths.iter().zip(&rows) {
            let trimmed: Vec<_> = path.iter().map(|name| name.trim()).collect();
            let got_names: Vec<_> = got.channels.iter().map(|channel| names[channel.0 as usize].as_str()).collect();
            prop_assert_eq!(got_names, trimmed);
            prop_assert_eq!((got.conversions, got.value, got.nulls), (f64::from(*conversions), *value, *nulls));
        }
    }
}

#[test]
fn the_first_fault_is_told_with_its_line() {
    for block in 1..40 {
        let text = "\n\npath;conversions\n\"a\nb\";1\n\nA;x\nB;y\n";
        let error = read_in_blocks(text.as_bytes(), &ReadOptions::default(), block).unwrap_err().to_string();
        assert!(error.starts_with("line 7, column `total_conversions`: not a number `x`;"), "{error}");
    }
}

/// A source that fails once it has given these bytes.
struct Fails<'a>(&'a [u8]);

impl Read for Fails<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() { Err(std::io::Error::other("unplugged")) } else { self.0.read(into) }
    }
}

#[test]
fn a_fault_of_the_source_is_told_after_those_before_it() {
    let good = "A;1\n".repeat(60);
    for block in 1..60 {
        let told = |text: &str| {
            read_in_blocks(Fails(text.as_bytes()), &ReadOptions::default(), block).unwrap_err().to_string()
        };
        assert_eq!(told(&format!("path;conversions\n{good}")), "cannot read: unplugged");
        let error = told(&format!("path;conversions\nA;x\n{good}"));
        assert!(error.starts_with("line 2, column `total_conversions`: not a number `x`;"), "{error}");
    }
}

#[test]
fn channels_are_numbered_as_they_first_appear() {
    for block in 1..40 {
        let text = "path;conversions\nB > A;1\nC;1\nA > D;1\n";
        let (_, names) = read_in_blocks(text.as_bytes(), &ReadOptions::default(), block).unwrap();
        assert_eq!(names, ["B", "A", "C", "D"]);
    }
}
