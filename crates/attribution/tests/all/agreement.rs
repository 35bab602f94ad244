//! Agreement of models, by hand.
use safar_attribution::uncertainty::Measure;
use safar_attribution::{Attribution, agreement, attribute};
use safar_model::{ChannelId, PathRef, PathsBuilder};

/// One path a > b > c of 6 conversions worth 60, one b of 3 worth 90, one of 1 worth 10 with no touch.
fn results(models: &[&str]) -> Vec<Attribution> {
    let mut paths = PathsBuilder::default();
    for (channels, conversions, value) in [(&[0, 1, 2][..], 6.0, 60.0), (&[1], 3.0, 90.0), (&[], 1.0, 10.0)] {
        let channels: Vec<_> = channels.iter().copied().map(ChannelId).collect();
        paths.push(PathRef { channels: &channels, ages: None, conversions, value, nulls: 0.0 });
    }
    let (paths, names) = (paths.finish(), ["a", "b", "c"].map(String::from));
    models.iter().map(|model| attribute(&model.parse().unwrap(), &paths, &names).unwrap()).collect()
}

fn close(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-12, "{got} instead of {want}");
}

#[test]
fn differences_are_those_worked_out_by_hand() {
    // first: 6 3 0; last: 0 3 6; linear: 2 5 2, all of 9. participation: 6 9 6 of 21.
    let got = agreement(&results(&["first", "last", "linear", "participation"]), Measure::Conversions).unwrap();
    let want = [[6.0 / 9.0, 3.0 / 9.0, 0.0], [0.0, 3.0 / 9.0, 6.0 / 9.0], [2.0 / 9.0, 5.0 / 9.0, 2.0 / 9.0]];
    for (model, want) in got.models.iter().zip(want) {
        model.shares.iter().zip(want).for_each(|(got, want)| close(*got, want));
        assert_eq!((model.unattributed, model.overlapping), (1.0, false));
    }
    assert!(got.models[3].overlapping);
    close(got.models[3].shares[1], 9.0 / 21.0);
    // Pairs: first–last, first–linear, first–participation, last–linear, last–participation, linear–participation.
    let at: Vec<_> = got.pairs.iter().map(|pair| (pair.a, pair.b)).collect();
    assert_eq!(at, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
    // first–last: 6 of 9 move. Ranks 3 2 1 and 1 2 3: wholly turned round.
    close(got.pairs[0].distance, 6.0 / 9.0);
    close(got.pairs[0].spearman.unwrap(), -1.0);
    close(got.pairs[0].kendall.unwrap(), -1.0);
    // first–linear: a loses 4 of 9. Ranks 3 2 1 and 1.5 3 1.5: centred 1 0 −1 and −½ 1 −½, products sum to 0.
    close(got.pairs[1].distance, 4.0 / 9.0);
    close(got.pairs[1].spearman.unwrap(), 0.0);
    close(got.pairs[1].kendall.unwrap(), 0.0);
    // linear–participation: b has 5/9 and 3/7; the order is the same, a tie with a tie.
    close(got.pairs[5].distance, 5.0 / 9.0 - 3.0 / 7.0);
    close(got.pairs[5].spearman.unwrap(), 1.0);
    close(got.pairs[5].kendall.unwrap(), 1.0);
    // a: from nothing by last to two thirds by first; so is c the other way round, and a comes first.
    let widest = got.widest().unwrap();
    assert_eq!((widest.channel, widest.low_model, widest.high_model), (0, 1, 0));
    close(widest.points(), 200.0 / 3.0);
    let b = got.spreads[1];
    assert_eq!((b.low_model, b.high_model), (0, 2));
    close(b.points(), 100.0 * 2.0 / 9.0);
}

#[test]
fn value_is_compared_by_itself() {
    // first: 60 90 0; linear: 20 110 20, of 150.
    let got = agreement(&results(&["first", "linear"]), Measure::Value).unwrap();
    close(got.pairs[0].distance, 40.0 / 150.0);
    assert_eq!(got.models[1].unattributed, 10.0);
}

#[test]
fn a_model_agrees_with_itself() {
    let got = agreement(&results(&["linear", "shapley"]), Measure::Conversions).unwrap();
    assert!(got.pairs[0].distance < 1e-15);
    assert_eq!((got.pairs[0].spearman, got.pairs[0].kendall), (Some(1.0), Some(1.0)));
}

#[test]
fn what_cannot_be_compared_is_named() {
    let error = |results: &[Attribution]| agreement(results, Measure::Conversions).unwrap_err().to_string();
    let mut two = results(&["first", "linear"]);
    assert_eq!(error(&two[..1]), "1 models were given; give 2 or more");
    two[1].credits.pop();
    assert_eq!(error(&two), "linear has 2 channels, first has 3; compare results on the same paths");
    let mut two = results(&["first", "linear"]);
    two[1].credits.iter_mut().for_each(|credit| credit.conversions = 0.0);
    let want = "the credits of linear sum to 0, which cannot be shared out; compare where something was earned";
    assert_eq!(error(&two), want);
}
