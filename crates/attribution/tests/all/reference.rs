//! Results of the exact reference implementation on real path files, to 1e-9.
use crate::shared;
use safar_attribution::{Attribution, ModelSpec, PlaceCredit, ReadOptions, attribute, credits_by_place, read_paths};
use std::{collections::HashMap, fs::File, io::BufReader};

/// The reference's name and parameters of a model, and how it is spelled here.
fn spelled(model: &str, parameters: &str) -> Option<String> {
    Some(match (model, parameters) {
        ("first" | "last" | "linear" | "position_decay", _) => model.into(),
        ("position_based", "first=.4;last=.4;n2=.5/.5") => "position:first=0.4,last=0.4".into(),
        ("time_decay_idx", "half=7;step=1 per touch") => "time_decay:half_life=7d".into(),
        ("time_decay_idx", "half=1;step=1 per touch") => "time_decay:half_life=1d".into(),
        ("shapley_subset_sum" | "shapley_ordered", _) => "shapley".into(),
        ("fractribution", _) => "leave_one_out".into(),
        ("shao_li_raw", _) => "shao_li".into(),
        ("markov1_shapley", _) => "shapley_markov".into(),
        ("shapley_dp6_convrate", _) => "shapley_rate:most=8".into(),
        _ => format!("markov:order={}", model.strip_prefix("markov_")?.split('_').next()?.parse::<u32>().ok()?),
    })
}

fn close(got: f64, want: &str, what: &str) {
    if let Ok(want) = want.parse::<f64>() {
        assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-3), "{what}: {got} instead of {want}");
    }
}

#[test]
fn every_exact_result_is_met() {
    let Some(results) = shared("reference/attribution/reference_results.csv") else { return };
    let mut done = HashMap::<(String, String), (Attribution, Vec<PlaceCredit>, Vec<String>)>::new();
    let mut met = 0;
    for row in csv::Reader::from_path(results).unwrap().deserialize() {
        let row: HashMap<String, String> = row.unwrap();
        let (dataset, model) = (&row["dataset"], &row["model"]);
        let spec = (row["tool"] == "exact-ref").then(|| spelled(model, &row["parameters"])).flatten();
        let Some(spec) = spec else {
            assert!(row["tool"] != "exact-ref", "a result of the exact reference is not covered: {row:?}");
            continue;
        };
        let (result, table, names) = done.entry((dataset.clone(), spec.clone())).or_insert_with(|| {
            let file = shared(&format!("data/journeys/{dataset}/paths.csv")).expect("the results come with their data");
            let (paths, names) =
                read_paths(BufReader::new(File::open(file).unwrap()), &ReadOptions::default()).unwrap();
            let spec: ModelSpec = spec.parse().unwrap();
            let table =
                if spec == ModelSpec::Shapley { credits_by_place(&spec, &paths, &names).unwrap() } else { vec![] };
            (attribute(&spec, &paths, &names).unwrap(), table, names)
        });
        let (name, place) = match row["channel"].rsplit_once('@') {
            Some((name, place)) if model == "shapley_ordered" => (name, place.parse().unwrap()),
            _ => (row["channel"].as_str(), 0),
        };
        let channel = names.iter().position(|known| known == name).expect("a known channel");
        let what = format!("{dataset}, {spec}, {}", row["channel"]);
        if model.ends_with("_removal_effect") {
            let markov = result.diagnostics.markov.as_ref().unwrap();
            close(markov.removal_effects[channel], &row["credit_conversions"], &what);
            close(markov.value_removal_effects[channel], &row["credit_value"], &what);
        } else if place > 0 {
            let row_of_table =
                table.iter().find(|row| (row.channel, row.place) == (channel, place)).expect("its place");
            close(row_of_table.credit.conversions, &row["credit_conversions"], &what);
        } else if let Some(raw) = &result.diagnostics.raw {
            close(raw[channel], &row["credit_conversions"], &what);
        } else {
            close(result.credits[channel].conversions, &row["credit_conversions"], &what);
            close(result.credits[channel].value, &row["credit_value"], &what);
        }
        met += 1;
    }
    assert!(met >= 34 * 20 + 1259, "only {met} rows were compared");
}
