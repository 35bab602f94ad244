//! Rule models print the weights they stand for.
use crate::made::{row, run, spec};
use safar_attribution::{MODELS, ModelSpec, PRESETS, all_models, causal_models};

/// In percent, rounded.
fn weights(model: &str, touches: u16) -> Vec<f64> {
    let weights = spec(model).weights(touches).expect("a rule");
    weights.iter().map(|weight| (weight * 100.0).round()).collect()
}

#[test]
fn presets_print_the_weights_they_stand_for() {
    // Adobe Analytics and Amplitude documentation; W as business-to-business tools explain it.
    for (model, want) in [
        ("first", vec![100.0, 0.0, 0.0]),
        ("last_non_direct", vec![0.0, 0.0, 100.0]),
        ("adobe_j", vec![100.0]),
        ("adobe_j", vec![25.0, 75.0]),
        ("adobe_j", vec![20.0, 10.0, 10.0, 60.0]),
        ("adobe_inverse_j", vec![75.0, 25.0]),
        ("adobe_inverse_j", vec![60.0, 20.0, 20.0]),
        ("amplitude_j", vec![30.0, 70.0]),
        ("amplitude_j", vec![20.0, 20.0, 60.0]),
        ("amplitude_j", vec![10.0, 10.0, 20.0, 60.0]),
        ("google_position", vec![50.0, 50.0]),
        ("google_position", vec![40.0, 20.0, 40.0]),
        ("w_shaped", vec![100.0]),
        ("w_shaped", vec![50.0, 50.0]),
        ("w_shaped", vec![33.0, 33.0, 33.0]),
        ("w_shaped", vec![30.0, 30.0, 10.0, 30.0]),
        ("w_shaped", vec![30.0, 5.0, 30.0, 5.0, 30.0]),
        ("participation", vec![100.0, 100.0]),
        ("time_decay:half_life=1d", vec![14.0, 29.0, 57.0]),
        ("shapley", vec![25.0, 25.0, 25.0, 25.0]),
        ("custom:weights=5/3/2", vec![63.0, 38.0]),
        ("custom:weights=5/3/2,from=last", vec![0.0, 20.0, 30.0, 50.0]),
    ] {
        assert_eq!(weights(model, want.len().try_into().unwrap()), want, "{model}");
        // What is printed is what is done.
        let channels: Vec<_> = (0..want.len() as u32).map(|touch| touch + 1).collect();
        let credits = run(&spec(model), &[row(&channels, 100.0, 0.0)]).credits;
        let done: Vec<_> = credits[1..=want.len()].iter().map(|credit| credit.conversions.round()).collect();
        assert_eq!(done, want, "{model}");
    }
    assert_eq!("Adobe-J".parse::<ModelSpec>().unwrap().to_string(), "adobe_j");
}

#[test]
fn every_preset_and_model_says_where_it_comes_from() {
    for preset in PRESETS {
        let preset_spec = spec(preset.name);
        assert_eq!(preset_spec, ModelSpec::Preset { name: preset.name, model: Box::new(spec(preset.spec)) });
        assert_eq!((preset_spec.to_string().as_str(), preset_spec.name()), (preset.name, preset.name));
        assert_eq!(preset_spec.weights(4), spec(preset.spec).weights(4));
        let rows = [row(&[1, 2, 3, 4, 1], 100.0, 0.0)];
        assert_eq!(run(&preset_spec, &rows).credits, run(&spec(preset.spec), &rows).credits);
        assert!(preset_spec.weights(5).is_some() && preset.version.parse::<u16>().is_ok(), "{}", preset.name);
    }
    for model in MODELS {
        assert!(!model.source.is_empty() && (model.version.is_empty() || model.version.parse::<u16>().is_ok()));
    }
}

#[test]
fn all_models_are_those_with_a_useful_default() {
    let both = [all_models(), causal_models()].concat();
    let names: Vec<_> = both.iter().map(ModelSpec::name).collect();
    let listed: Vec<_> = MODELS.iter().map(|model| model.name).filter(|name| *name != "custom").collect();
    assert_eq!(names, listed);
    for model in all_models() {
        let table: Vec<_> = (0..=5).map(|touches| model.weights(touches)).collect();
        assert!(table.iter().all(|weights| weights.is_some() == model.is_rule()), "{model}");
        for weights in table.into_iter().flatten().filter(|weights| !weights.is_empty()) {
            let sum: f64 = weights.iter().sum();
            assert!((sum - 1.0).abs() < 1e-12 || model == ModelSpec::Participation, "{model}: {weights:?}");
        }
    }
}
