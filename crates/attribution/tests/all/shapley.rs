//! Sampled Shapley values against exact ones.
use crate::made::{made_up, paths, spec};
use safar_attribution::{Attribution, attribute};

fn names(channels: u32) -> Vec<String> {
    (0..channels).map(|channel| format!("c{channel:02}")).collect()
}

fn run(model: &str, channels: u32) -> Attribution {
    attribute(&spec(model), &paths(&made_up(80, channels)), &names(channels)).unwrap()
}

#[test]
fn sampled_values_are_as_near_to_the_exact_ones_as_they_say() {
    for order in [1, 2, 3] {
        let exact = run(&format!("shapley_markov:order={order}"), 9);
        assert_eq!(exact.diagnostics.sampled, None);
        let sampled = run(&format!("shapley_markov:order={order},samples=400,seed=3"), 9);
        let drawn = sampled.diagnostics.sampled.unwrap();
        assert_eq!((drawn.samples, drawn.seed), (400, 3));
        let mut squares = 0.0;
        for channel in 0..9 {
            let apart = [
                (sampled.credits[channel].conversions - exact.credits[channel].conversions)
                    / drawn.errors[channel].conversions,
                (sampled.credits[channel].value - exact.credits[channel].value) / drawn.errors[channel].value,
            ];
            assert!(apart.iter().all(|apart| apart.abs() < 5.0), "order {order}, channel {channel}: {apart:?}");
            squares += apart[0] * apart[0] / 9.0;
        }
        // Neither too proud nor too shy: in the mean, values are about one standard error off.
        assert!((0.1..4.0).contains(&squares), "order {order}: {squares}");
        let sum: f64 = sampled.credits.iter().map(|credit| credit.conversions).sum();
        let all: f64 = exact.credits.iter().map(|credit| credit.conversions).sum();
        assert!((sum - all).abs() < 1e-10 * all, "{sum} {all}");
    }
}

#[test]
fn more_channels_than_can_be_enumerated_are_sampled_and_said_so() {
    let result = run("shapley_markov:samples=20", 25);
    let drawn = result.diagnostics.sampled.as_ref().unwrap();
    assert_eq!((drawn.samples, drawn.errors.len()), (20, 25));
    let unasked = attribute(&spec("shapley_markov"), &paths(&made_up(300, 24)), &names(24)).unwrap();
    let drawn = unasked.diagnostics.sampled.unwrap();
    assert_eq!((drawn.samples, drawn.seed), (1000, 1));
    assert!(drawn.errors.iter().any(|error| error.conversions > 0.0));
    assert!(unasked.unattributed.conversions.abs() < 1e-9);
}

#[test]
fn another_seed_draws_others_and_the_same_seed_the_same() {
    let [a, b, again] = ["seed=1", "seed=2", "seed=1"].map(|seed| run(&format!("shapley_markov:samples=6,{seed}"), 9));
    assert_eq!(a, again);
    assert_ne!(a.credits, b.credits);
}

#[test]
fn a_game_too_large_to_draw_says_what_to_do() {
    let rows = paths(&made_up(4000, 30));
    let error = attribute(&spec("shapley_markov:order=3,samples=100000"), &rows, &names(30)).unwrap_err().to_string();
    assert!(error.starts_with("shapley_markov is exact up to "), "{error}");
    assert!(error.ends_with("choose a lower order or fewer samples, or group rare channels first"), "{error}");
}
