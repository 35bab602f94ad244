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

#[test]
fn places_of_paths_earn_apart() {
    let shop = empty();
    shop.write("paths.csv", "path;conversions;value\nAds > Mail;8;80\nMail;4;60\nMail > Ads > Mail;3;9\n;1;5\n");
    let places = |models: &[&str]| {
        let words = ["attribute", "--paths", "paths.csv", "--places", "--format", "csv"];
        let models = models.iter().flat_map(|model| ["--model", *model]);
        shop.output(&words.into_iter().chain(models).collect::<Vec<_>>())
    };
    // Of the path of three touches Mail has a half by its first touch and by its last, and Ads the other (Zhao et al. 2018).
    assert_eq!(
        places(&["shapley", "last"]),
        "model,channel,place,conversions,value\n\
         shapley,Mail,1,4.75,62.25\nshapley,Mail,2,4.0,40.0\nshapley,Mail,3,0.75,2.25\n\
         shapley,Ads,1,4.0,40.0\nshapley,Ads,2,1.5,4.5\n\
         last,Mail,1,4.0,60.0\nlast,Mail,2,8.0,80.0\nlast,Mail,3,3.0,9.0\nlast,Ads,1,0.0,0.0\nlast,Ads,2,0.0,0.0\n"
    );
    let markov = shop.safar(&["attribute", "--paths", "paths.csv", "--places", "--model", "markov"]).assert().failure();
    assert!(String::from_utf8_lossy(&markov.get_output().stderr).contains("touch by touch"));
}

#[test]
fn paths_can_be_changed_first() {
    let shop = empty();
    shop.write("paths.csv", "path;total_conversions\nA > A > B;12\nDirect > A;3\n");
    let linear = |transforms: &[&str]| {
        let mut words = vec!["attribute", "--paths", "paths.csv", "--model", "linear", "--format", "csv"];
        transforms.iter().for_each(|transform| words.extend(["--transform", transform]));
        shop.output(&words)
    };
    assert!(linear(&[]).contains("linear,A,9.5,0.0\nlinear,B,4.0,0.0"), "{}", linear(&[]));
    assert!(linear(&["exposure"]).contains("linear,A,7.5,0.0\nlinear,B,6.0,0.0"), "{}", linear(&["exposure"]));
    let both = linear(&["exposure", "remove_direct"]);
    assert!(both.contains("linear,A,9.0,0.0\nlinear,B,6.0,0.0\nlinear,Direct,0.0,0.0"), "{both}");
    let wrong = shop.safar(&["attribute", "--paths", "paths.csv", "--transform", "shuffle"]).assert().failure();
    let said = String::from_utf8_lossy(&wrong.get_output().stderr).into_owned();
    assert!(said.contains("no transform `shuffle`; transforms are exposure, unique,"), "{said}");
}

#[test]
fn a_preset_keeps_its_name_and_shows_its_weights() {
    let shop = empty();
    shop.write("paths.csv", "path;total_conversions\nA > B > C > D;100\n");
    let words = ["attribute", "--paths", "paths.csv", "--model", "adobe_j", "--model", "position"];
    let output = shop.safar(&words).assert().success();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("models: adobe_j position:first=0.4,last=0.4"), "{said}");
    assert!(said.contains("adobe_j 20/10/10/60, position 40/10/10/40"), "{said}");
    assert!(
        shop.output(&[&words[..], &["--format", "csv"]].concat())
            .starts_with("model,channel,conversions,value\nadobe_j,D,60.0,0.0")
    );
}

#[test]
fn how_sure_ranks_are_stands_in_every_format() {
    let shop = empty();
    // 100 to 80 with a standard error of √180: above in 93 % of resamples, which is not sure at 95 %; 20 stands apart.
    shop.write("paths.csv", "path;total_conversions\nA;100\nB;80\nC;20\n;5\n");
    let words = ["attribute", "--paths", "paths.csv", "--model", "last", "--intervals", "--resamples", "400"];
    let json = shop.output(&[&words[..], &["--format", "json"]].concat());
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let of = |row: usize, name: &str| rows[row][format!("conversions_{name}")].clone();
    let ranks = |row: usize| ["rank", "rank_low", "rank_high"].map(|name| of(row, name));
    assert_eq!(ranks(0), [1, 1, 2]);
    assert_eq!(ranks(1), [2, 1, 2]);
    assert_eq!(ranks(2), [3, 3, 3]);
    let above = of(0, "above_next").as_f64().unwrap();
    assert!((0.87..0.975).contains(&above), "{above}");
    assert_eq!((of(1, "above_next"), of(2, "above_next")), (1.0.into(), serde_json::Value::Null));
    assert!(ranks(3).iter().all(serde_json::Value::is_null), "{}", rows[3]);
    let said = shop.safar(&words).assert().success();
    let said = String::from_utf8_lossy(&said.get_output().stderr).into_owned();
    assert!(
        said.contains(&format!("last: A above B in {:.0} %, B above C in 100 % of resamples", above * 100.0)),
        "{said}"
    );
}
