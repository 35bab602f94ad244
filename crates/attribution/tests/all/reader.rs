//! Reading of path files.
use proptest::prelude::*;
use safar_attribution::{ReadOptions, read_paths};

type Read = Vec<(Vec<String>, f64, f64, f64)>;

fn read(text: impl AsRef<[u8]>) -> Result<Read, String> {
    let (paths, names) = read_paths(text.as_ref(), &ReadOptions::default()).map_err(|error| error.to_string())?;
    let name = |channel: &safar_model::ChannelId| names[channel.0 as usize].clone();
    Ok(paths
        .iter()
        .map(|path| (path.channels.iter().map(name).collect(), path.conversions, path.value, path.nulls))
        .collect())
}

fn row(path: &[&str], conversions: f64, value: f64, nulls: f64) -> (Vec<String>, f64, f64, f64) {
    (path.iter().map(|name| (*name).to_string()).collect(), conversions, value, nulls)
}

#[test]
fn every_shape_of_file_reads_alike() {
    let want = vec![row(&["A b", "C", "A b"], 2.0, 10.5, 3.0), row(&[], 1.0, -4.0, 0.0)];
    for text in [
        "path;total_conversions;total_conversion_value;total_null\nA b > C > A b;2;10.5;3\n;1;-4;0\n",
        "\u{feff}path;total_conversions;total_conversion_value;total_null\r\nA b>C>A b;2;10.5;3\r\n;1;-4;0",
        "Path,Conversions,Value,Null\nA b > C > A b,2,10.5,3\n,1,-4,\n\n\r\n",
        "total_null\tconversion_value\tpath\tnote\tconversions\n3\t10.5\tA b >C> A b\tx\t2\n\t-4\t\ty\t1\n",
        "\"path\"|\"conversions\"|\"value\"|\"nulls\"\n\"A b > C > A b\"|\"2\"|10.5|3\n\"\"|1|\"-4\"|0\n",
    ] {
        assert_eq!(read(text).as_ref(), Ok(&want), "{text}");
    }
}

#[test]
fn quoted_fields_hold_delimiters_quotes_and_line_ends() {
    let text = "path;conversions\n\"a;b > c\"\"d\ne\";1\nTV 30\" > \"x\";2\nlast;z\n";
    let error = read(text).unwrap_err();
    assert!(error.starts_with("line 5, column `total_conversions`: not a number `z`;"), "{error}");
    let got = read(text.replace(";z", ";3")).unwrap();
    assert_eq!(got[0].0, ["a;b", "c\"d\ne"]);
    assert_eq!(got[1].0, ["TV 30\"", "\"x\""]);
    assert_eq!(got[2].1, 3.0);
}

#[test]
fn errors_name_line_column_value_and_way_out() {
    let long = format!("path;conversions\n{}", "A > ".repeat(100));
    for (text, error) in [
        ("", "line 1: there is none, the input is empty; the first row names the columns: path, total_conversions"),
        ("a;b\n", "line 1: no column `path` among `a, b`; columns are path,"),
        ("path\n", "line 1: no column `total_conversions` among `path`;"),
        ("path;conversions;total_conversions\n", "line 1: more than one column means `total_conversions`;"),
        (
            "path;conversions\nA;1\n\nA > > B;1\n",
            "line 4, column `path`: a channel without a name in `A > > B`; put a name",
        ),
        (
            "path;conversions\nA\n",
            "line 2, column `total_conversions`: the row ends before this column ``; give every row",
        ),
        (
            "path;conversions\nA;1;2\n",
            "line 2, column `(none)`: one field more than the header names: `2`; quote fields",
        ),
        ("path;conversions\nA;-1\n", "line 2, column `total_conversions`: negative count `-1`; counts are 0 or more"),
        ("path;conversions\nA;\n", "line 2, column `total_conversions`: not a number ``; write a number of 0 or more"),
        (
            "path;conversions;value\nA;1;inf\n",
            "line 2, column `total_conversion_value`: too large or not finite: `inf`;",
        ),
        (
            "path;conversions;value\nA;1;1,5\n",
            "line 2, column `total_conversion_value`: not a number `1,5`; write a number",
        ),
        ("path;conversions;null\nA;1;1e999\n", "line 2, column `total_null`: too large or not finite: `1e999`;"),
        ("path;conversions\n\"A\"b;1\n", "line 2, column `path`: text after a closing quote in `\"A\"b;1`;"),
        (&long, "line 2, column `path`: a channel without a name in `A > A > A > A > A > A > A > A > A > "),
    ] {
        let got = read(text).unwrap_err();
        assert!(got.starts_with(error), "{got}\n  instead of\n{error}");
    }
    let error = read(b"path;conversions\nA\xff;1\n").unwrap_err();
    assert!(error.starts_with("line 2, column `path`: text that is not UTF-8:"), "{error}");
}

#[test]
fn delimiter_and_separator_can_be_given() {
    let options = ReadOptions { delimiter: Some(b'/'), separator: "=>".into() };
    let (paths, names) = read_paths("path/conversions\na>b => c=>d/1\n".as_bytes(), &options).unwrap();
    assert_eq!((paths.touchpoints(), names), (3, vec!["a>b".to_string(), "c".into(), "d".into()]));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        head in prop::sample::select(vec!["", "path;conversions;value;null\n", "path,conversions\n", "\u{feff}\"path\"\t"]),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\";,\t|\r\n >0123456789.-eA".to_vec())], 0..200),
    ) {
        let _ = read([head.as_bytes(), &bytes].concat());
    }
}
