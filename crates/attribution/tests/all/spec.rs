//! Spellings of models.
use proptest::prelude::*;
use safar_attribution::{CustomWeights, MODELS, ModelSpec, Order, SolverChoice, Transform};

fn parse(text: &str) -> ModelSpec {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn defaults_are_filled_in() {
    for (given, full) in [
        ("first", "first"),
        (" LAST ", "last"),
        ("last-non-direct", "last_non_direct:direct=Direct"),
        ("last_non_direct:direct=Direct|(none)", "last_non_direct:direct=Direct|(none)"),
        ("position", "position:first=0.4,last=0.4"),
        ("position: last = .5", "position:first=0.4,last=0.5"),
        ("time_decay", "time_decay:half_life=7d"),
        ("time_decay:half_life=36h", "time_decay:half_life=36h"),
        ("time_decay:half_life=0.5d", "time_decay:half_life=12h"),
        ("time_decay:half_life=90m", "time_decay:half_life=90m"),
        ("time_decay:half_life=1.5s", "time_decay:half_life=1.500000s"),
        ("markov", "markov:order=1"),
        ("markov:order=auto", "markov:order=auto,most=4,seed=1"),
        ("markov:seed=7,order=AUTO,most=2,solver=Exact", "markov:order=auto,most=2,seed=7,solver=exact"),
        ("markov:solver=auto", "markov:order=1"),
        ("shapley_markov", "shapley_markov:order=1"),
        ("shapley_markov:seed=1", "shapley_markov:order=1"),
        ("shapley_markov:seed=2", "shapley_markov:order=1,seed=2"),
        ("shapley_markov:samples=50", "shapley_markov:order=1,samples=50,seed=1"),
        ("logistic", "logistic:bags=100,l2=1,seed=1"),
        ("w-shaped", "w_shaped"),
        ("intent_hazard:seasons=12", "intent_hazard:levels=7,moods=3,rounds=60,seasons=12"),
        ("intent_hazard:seasons=1", "intent_hazard:levels=7,moods=3,rounds=60"),
        ("adobe-j", "adobe_j"),
        ("custom:first=30,middle=10,last=60", "custom:first=30,middle=10,last=60"),
        ("custom:weights=0.5/0.3/0.2,from=last", "custom:weights=0.5/0.3/0.2,from=last"),
    ] {
        assert_eq!(parse(given).to_string(), full);
        assert_eq!(parse(full), parse(given));
    }
}

#[test]
fn every_listed_model_parses_with_its_defaults() {
    for model in MODELS {
        let settings: Vec<_> = model.settings.iter().filter(|setting| !setting.default.is_empty()).collect();
        let set = settings.iter().map(|setting| format!("{}={}", setting.name, setting.default));
        let text = match model.name {
            // Its weights have no useful default.
            "custom" => "custom:first=1".to_string(),
            name if settings.is_empty() => name.to_string(),
            name => format!("{name}:{}", set.collect::<Vec<_>>().join(",")),
        };
        assert_eq!(parse(&text).name(), model.name);
        if model.name != "custom" {
            assert_eq!(parse(&text), parse(model.name));
        }
    }
}

#[test]
fn errors_name_the_part_and_the_way_out() {
    for (given, error) in [
        ("", "``: no model is named; models are first, last, "),
        ("magic", "`magic`: no model `magic`; models are first, last, "),
        ("first:x=1", "`first:x=1`: no setting `x`; `first` takes no settings"),
        ("markov:ordr=2", "`markov:ordr=2`: no setting `ordr`; `markov` takes order, most, seed, solver"),
        ("markov:most=2", "`markov:most=2`: `most` does not go with the other settings; most and seed go with"),
        (
            "markov:order=auto,most=99",
            "`markov:order=auto,most=99`: `99` is no most; it must be a whole number, 1 to 32",
        ),
        ("markov:solver=fast", "`markov:solver=fast`: `fast` is no solver; it must be auto, exact or iterative"),
        ("shapley_markov:samples=3", "`shapley_markov:samples=3`: `3` is no samples; it must be a whole number, 4 to"),
        ("logistic:l2=0", "`logistic:l2=0`: `0` is no l2; it must be a number, 1e-9 or more"),
        ("logistic:seed=-1", "`logistic:seed=-1`: `-1` is no seed; it must be a whole number, 0 or more"),
        ("markov:order=0", "`markov:order=0`: `0` is no order; it must be a whole number, 1 or more"),
        ("markov:2", "`markov:2`: `2` is no setting; write setting=value"),
        ("markov:order=1,order=2", "`markov:order=1,order=2`: `order` is set twice; set it once"),
        ("position:first=nan", "`position:first=nan`: `nan` is no first; it must be a number, 0 or more"),
        ("position:first=0.7", "`position:first=0.7`: first + last = 1.1 is out of range; it must be above 0"),
        ("time_decay:half_life=7", "`time_decay:half_life=7`: `7` is no half_life; write a positive number with d"),
        ("time_decay:half_life=0d", "`time_decay:half_life=0d`: `0d` is no half_life"),
        ("last_non_direct:direct=a||b", "`last_non_direct:direct=a||b`: `a||b` is no direct; write one or more"),
        ("custom", "`custom`: every weight is 0; set first, middle, last or weights"),
        ("custom:weights=1/x", "`custom:weights=1/x`: `1/x` is no weights; write numbers"),
        ("custom:weights=1/2,first=1", "`custom:weights=1/2,first=1`: `first` does not go with the other"),
    ] {
        let got = given.parse::<ModelSpec>().unwrap_err().to_string();
        assert!(got.starts_with(error), "{got}\n  instead of\n{error}");
    }
}

proptest! {
    #[test]
    fn any_spec_reads_as_it_is_written(
        direct in prop::collection::vec(".{1,9}|[,|\\\\]{1,4}", 1..4),
        a in 0.001..0.5_f64, b in 0.0..0.5_f64, half_life in 1..10_i64.pow(15), order in 1..u32::MAX, seed in any::<u64>(),
        weights in prop::collection::vec(0.001..1e9_f64, 1..6), from_last in any::<bool>(),
    ) {
        // Names of channels have no spaces around them: the reader takes them off.
        let direct: Vec<_> = direct.iter().map(|name| format!("x{}", name.trim())).collect();
        for direct in [Transform::RemoveDirect { direct: direct.clone() }, Transform::RemoveLastDirect { direct: direct.clone() }] {
            prop_assert_eq!(direct.to_string().parse::<Transform>().unwrap(), direct);
        }
        for spec in [
            ModelSpec::ShapleyRate { most: Some(order as usize) },
            ModelSpec::ShapleyMarkov { order, samples: None, seed: 1 },
            ModelSpec::ShapleyMarkov { order, samples: Some(order.clamp(4, 1_000_000)), seed },
            ModelSpec::LastNonDirect { direct },
            ModelSpec::Position { first: a, last: b },
            ModelSpec::TimeDecay { half_life },
            ModelSpec::Markov { order: Order::Fixed(order), solver: SolverChoice::Auto },
            ModelSpec::Markov { order: Order::Auto { most: order.min(32), seed }, solver: SolverChoice::Iterative },
            ModelSpec::Logistic { bags: order.min(10_000), l2: a, seed },
            ModelSpec::Custom(CustomWeights::Ends { first: a, middle: b, last: a }),
            ModelSpec::Custom(CustomWeights::Places { weights, from_last }),
        ] {
            let text = spec.to_string();
            prop_assert_eq!(&text.parse::<ModelSpec>().unwrap(), &spec, "{}", text);
            let json = serde_json::to_string(&spec).unwrap();
            prop_assert_eq!(serde_json::from_str::<ModelSpec>(&json).unwrap(), spec);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}", name in prop::sample::select(MODELS.to_vec())) {
        let _ = text.parse::<ModelSpec>();
        let _ = format!("{}:{text}", name.name).parse::<ModelSpec>();
        let _ = format!("{}:{}={text}", name.name, name.settings.first().map_or("", |s| s.name)).parse::<ModelSpec>();
    }
}

#[test]
fn transforms_read_as_they_are_written() {
    for text in
        ["exposure", "unique", "first", "frequency", "remove_direct:direct=a|b", "remove_last_direct:direct=Direct"]
    {
        assert_eq!(text.parse::<Transform>().unwrap().to_string(), text);
    }
    let error = "shuffle".parse::<Transform>().unwrap_err().to_string();
    assert!(error.starts_with("`shuffle`: no transform `shuffle`; transforms are exposure, unique,"), "{error}");
    let error = "remove_direct:name=a".parse::<Transform>().unwrap_err().to_string();
    assert!(error.ends_with("`name=a` is no setting; write direct=NAME or direct=NAME|NAME"), "{error}");
}
