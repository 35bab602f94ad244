//! Results of the exact reference implementation, and of public tools, on real path files.
use crate::shared;
use safar_attribution::{
    Attribution, ModelSpec, PlaceCredit, ReadOptions, attribute, credits_by_place,
    models::{ExactSet, exact_set_values},
    read_paths, transform,
};
use safar_model::Paths;
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::BufReader,
};

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

fn data(dataset: &str) -> (Paths, Vec<String>) {
    let file = shared(&format!("data/journeys/{dataset}/paths.csv")).expect("the results come with their data");
    read_paths(BufReader::new(File::open(file).unwrap()), &ReadOptions::default()).unwrap()
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
            let (paths, names) = data(dataset);
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

/// How a public tool's result is to be compared; what `docs/reference-tools.md` says in words.
#[derive(Clone, Debug, PartialEq)]
enum Same {
    /// The same definition: equal to 1e-9 after a transform (or none) by this model.
    Exact(&'static str, String),
    /// The same for conversions; value is shared otherwise.
    Conversions(String),
    /// The same definition, by random walks: the part of all credit that changes hands, and the difference of a removal
    /// effect, are at most this.
    Sampled(String, f64),
    /// Values of the game of exact sets.
    ExactSet,
    /// Another definition, or another reading of the data.
    Other,
}

/// Names of channels lose their digits there, so that two channels of this data set become one.
const LOSES_DIGITS: [&str; 2] = ["markov_model_attribution", "tdmca"];

fn same(tool: &str, model: &str, parameters: &str) -> Option<Same> {
    let exact = |spec: &str| Some(Same::Exact("", spec.to_string()));
    let after = |step: &'static str, spec: &str| Some(Same::Exact(step, spec.to_string()));
    let order = || model.strip_prefix("markov_").and_then(|rest| rest.split('_').next()?.parse::<u32>().ok());
    let chain = || order().map(|order| format!("markov:order={order}"));
    match (tool, model, parameters) {
        ("eeghor/mta", "linear", _) => after("exposure", "linear"),
        ("eeghor/mta", "position_based", _) => after("exposure", "position:first=0.4,last=0.4"),
        ("eeghor/mta", "linear_unique", _) => after("first", "linear"),
        ("eeghor/mta", "time_decay_rank", _) => after("first", "position_decay"),
        // Values are read as one unit each.
        ("marketing_attribution_models", "first" | "last" | "linear" | "position_decay", _) => {
            Some(Same::Conversions(model.to_string()))
        }
        ("marketing_attribution_models", "position_based", _) => {
            Some(Same::Conversions("position:first=0.4,last=0.4".into()))
        }
        (_, "first" | "last" | "linear" | "position_decay", _) => exact(model),
        (_, "position_based", _) => exact("position:first=0.4,last=0.4"),
        (_, "shapley_subset_sum", _) => exact("shapley"),
        (_, "shao_li_raw", _) => exact("shao_li"),
        ("google/fractribution", "fractribution", _) => exact("leave_one_out"),
        ("shapley-attribution", "time_decay_idx", _) => exact("time_decay:half_life=1d"),
        ("do-attribution", "shapley_exact_set", _) => Some(Same::ExactSet),
        ("do-attribution", _, "removal_strategy=redirect_to_null") => exact(&chain()?),
        ("do-attribution", _, "removal_strategy=fail" | "removal_strategy=fail_refit" | "removal_strategy=detour") => {
            Some(Same::Other)
        }
        ("marketing_attribution_models", _, "conversion_value_as_frequency=False" | "MAM2") => {
            Some(Same::Conversions(chain()?))
        }
        ("markov_model_attribution" | "tdmca", "markov_1" | "markov_1_removal_effect", _) => exact("markov:order=1"),
        ("ChannelAttribution(R)" | "ChannelAttribution(py)", _, parameters) => {
            let off = if parameters.contains("conv_par=.02") { 0.02 } else { 0.05 };
            Some(Same::Sampled(chain()?, off))
        }
        ("pychattr", _, _) => Some(Same::Sampled(chain()?, 0.02)),
        ("eeghor/mta", "additive_hazard" | "markov_1_observed_paths", _)
        | ("marketing_attribution_models", "markov_1" | "markov_1_removal_effect" | "markov_1_pathlevel", _)
        | ("marketing_attribution_models", "shapley_dp6_convrate" | "time_decay_idx", _)
        | ("markovattribution", "markov_1", _)
        | ("shapley-attribution", "shapley_gbm_mc" | "shapley_gbm_path" | "shapley_ordered_total", _) => {
            Some(Same::Other)
        }
        _ => None,
    }
}

/// What a tool printed of one data set: model, parameters, and by channel conversions and value.
type Printed = BTreeMap<(String, String, String, String), Vec<(String, String, String)>>;

#[test]
fn public_tools_agree_where_their_definitions_do() {
    let Some(results) = shared("reference/attribution/reference_results.csv") else { return };
    let mut printed = Printed::new();
    for row in csv::Reader::from_path(results).unwrap().deserialize() {
        let row: HashMap<String, String> = row.unwrap();
        if row["tool"] != "exact-ref" {
            let of = ["tool", "dataset", "model", "parameters"].map(|key| row[key].clone());
            let [tool, dataset, model, parameters] = of;
            let cells = (row["channel"].clone(), row["credit_conversions"].clone(), row["credit_value"].clone());
            printed.entry((tool, dataset, model, parameters)).or_default().push(cells);
        }
    }
    let mut files = HashMap::<String, (Paths, Vec<String>)>::new();
    let mut done = HashMap::<(String, String, String), Attribution>::new();
    let (mut exact, mut sampled, mut other) = (0, 0, 0);
    for ((tool, dataset, model, parameters), cells) in &printed {
        let what = format!("{tool}, {dataset}, {model}, {parameters}");
        let same = same(tool, model, parameters).unwrap_or_else(|| panic!("{what}: how is this to be compared?"));
        if same == Same::Other || (LOSES_DIGITS.contains(&tool.as_str()) && dataset == "simple_shop") {
            other += cells.len();
            continue;
        }
        let (paths, names) = files.entry(dataset.clone()).or_insert_with(|| data(dataset));
        let channel_of = |name: &str| names.iter().position(|known| known == name);
        if same == Same::ExactSet {
            let values = exact_set_values(paths, names.len(), ExactSet::Conversions);
            for (name, conversions, _) in cells {
                close(values[channel_of(name).unwrap()], conversions, &format!("{what}, {name}"));
                exact += 1;
            }
            continue;
        }
        let (step, spec, off) = match &same {
            Same::Exact(step, spec) => (*step, spec, None),
            Same::Conversions(spec) => ("", spec, None),
            Same::Sampled(spec, off) => ("", spec, Some(*off)),
            Same::ExactSet | Same::Other => unreachable!("seen to above"),
        };
        let result = done.entry((dataset.clone(), step.to_string(), spec.clone())).or_insert_with(|| {
            let steps: Vec<_> = if step.is_empty() { vec![] } else { vec![step.parse().unwrap()] };
            let (paths, names) = transform(&steps, paths, names).unwrap();
            attribute(&spec.parse().unwrap(), &paths, &names).unwrap()
        });
        let mut moved = [[0.0; 2]; 2];
        for (name, conversions, value) in cells {
            let what = format!("{what}, {name}");
            let Some(channel) = channel_of(name) else {
                // What google/fractribution gives to nobody.
                assert_eq!((name.as_str(), conversions.as_str()), ("Unmatched_Channel", "0.0"), "{what}");
                continue;
            };
            let markov = result.diagnostics.markov.as_ref();
            let own = match (markov.filter(|_| model.ends_with("_removal_effect")), &result.diagnostics.raw) {
                (Some(markov), _) => [markov.removal_effects[channel], markov.value_removal_effects[channel]],
                (_, Some(raw)) => [raw[channel], f64::NAN],
                _ => [result.credits[channel].conversions, result.credits[channel].value],
            };
            let told = [conversions.as_str(), if matches!(same, Same::Conversions(_)) { "" } else { value.as_str() }];
            let Some(off) = off else {
                own.iter().zip(told).for_each(|(own, told)| close(*own, told, &what));
                exact += 1;
                continue;
            };
            sampled += 1;
            for ((own, told), moved) in own.iter().zip(told).zip(&mut moved) {
                let told: f64 = told.parse().unwrap();
                moved[0] += (own - told).abs() / 2.0;
                moved[1] += own;
                let is_effect = model.ends_with("_removal_effect");
                assert!(!is_effect || (own - told).abs() <= off, "{what}: {own} and {told}");
            }
        }
        if let Some(off) = off.filter(|_| !model.ends_with("_removal_effect")) {
            assert!(moved.iter().all(|[moved, all]| *moved <= off * all), "{what}: {moved:?}");
        }
    }
    assert!(exact >= 1_200 && sampled >= 1_000, "{exact} exact, {sampled} sampled, {other} of other definitions");
}
