//! `safar attribute --paths` without a workspace.
use crate::{empty, shared};

#[test]
fn a_file_of_paths_needs_no_workspace() {
    let shop = empty();
    shop.write("paths.csv", "path;total_conversions;total_conversion_value;total_null\nA > B > C;1;10;0\nA > B;0;0;1\nB > C;1;4;0\n;2;6;0\n");
    let report = shop.output(&[
        "attribute",
        "--paths",
        "paths.csv",
        "--model",
        "markov:order=2",
        "--model",
        "linear",
        "--format",
        "csv",
    ]);
    insta::assert_snapshot!(report);
    let table = shop.output(&["attribute", "--paths", "paths.csv"]);
    insta::assert_snapshot!(table);
}

#[test]
fn standard_input_is_a_file_too() {
    let shop = empty();
    let text = "path;total_conversions\nA > A;3\n";
    let assert = shop
        .safar(&["attribute", "--paths", "-", "--model", "first", "--format", "csv"])
        .write_stdin(text)
        .assert()
        .success();
    assert_eq!(
        String::from_utf8_lossy(&assert.get_output().stdout),
        "model,channel,conversions,value\nfirst,A,3.0,0.0\nfirst,(unattributed),0.0,0.0\n"
    );
}

#[test]
fn real_paths_give_the_reference_credit() {
    let Some(file) = shared("data/journeys/ca_pathdata/paths.csv") else { return };
    let shop = empty();
    let report = shop.output(&["attribute", "--paths", file.to_str().unwrap(), "--model", "first", "--format", "csv"]);
    // reference_results.csv: ca_pathdata,first,,alpha
    assert!(report.contains("first,alpha,6308.0,19121.2723557"), "{report}");
}
