//! Cases that users ask about, worked by hand.
use crate::made::{Row, names, row, run, spec};
use safar_attribution::{Attribution, credits_by_place};
use safar_model::DAY_US;

/// (conversions, value) by channel.
fn given(result: &Attribution) -> Vec<(f64, f64)> {
    result.credits.iter().map(|credit| (credit.conversions, credit.value)).collect()
}

/// Touches before the look-back window are not on the path. What is left of a path of which nothing is left is a
/// conversion without a touch.
#[test]
fn conversions_without_a_touch_in_the_window_are_unattributed() {
    for model in safar_attribution::all_models() {
        let result = run(&model, &[row(&[], 3.0, 5.0), row(&[1], 1.0, 0.0), row(&[2], 0.0, 4.0)]);
        assert_eq!((result.credits[1].conversions, result.unattributed.conversions), (1.0, 3.0), "{model}");
    }
}

/// A person who bought twice has one path for each conversion.
#[test]
fn several_conversions_of_a_person_are_several_paths() {
    let result = run(&spec("linear"), &[row(&[1, 2], 1.0, 0.0), row(&[3], 1.0, 0.0)]);
    assert_eq!(given(&result)[1..4], [(0.5, 1.0), (0.5, 1.0), (1.0, 2.0)]);
}

/// A refund takes value back from those who had earned it; the conversion stays.
#[test]
fn a_refund_is_negative_value_on_the_same_path() {
    let refunded = Row { value: 30.0 - 50.0, ..row(&[1, 2], 2.0, 0.0) };
    assert_eq!(given(&run(&spec("linear"), &[refunded]))[1..3], [(1.0, -10.0), (1.0, -10.0)]);
}

/// Touches at the same instant stay in the order in which they were read.
#[test]
fn ties_in_time_keep_their_order() {
    let tied = Row { ages: Some(vec![DAY_US; 2]), ..row(&[1, 2], 1.0, 0.0) };
    assert_eq!(given(&run(&spec("last"), std::slice::from_ref(&tied)))[2].0, 1.0);
    assert_eq!(given(&run(&spec("first"), std::slice::from_ref(&tied)))[1].0, 1.0);
    assert_eq!(given(&run(&spec("time_decay"), &[tied]))[1..3], [(0.5, 1.0), (0.5, 1.0)]);
}

/// A week older with a half-life of a week weighs half: ¼ against ½.
#[test]
fn older_touches_decay_by_their_age() {
    let aged = Row { ages: Some(vec![DAY_US * 14, DAY_US * 7]), ..row(&[1, 2], 3.0, 0.0) };
    let credits = given(&run(&spec("time_decay:half_life=7d"), &[aged]));
    assert!((credits[1].0 - 1.0).abs() < 1e-12 && (credits[2].0 - 2.0).abs() < 1e-12, "{credits:?}");
}

/// The one touch of a path has it all, whatever the model.
#[test]
fn a_path_of_one_touch_gives_it_all() {
    let rows = [row(&[1], 2.0, 0.0), row(&[2], 0.0, 5.0)];
    for model in safar_attribution::all_models() {
        let credits = given(&run(&model, &rows));
        assert!((credits[1].0 - 2.0).abs() < 1e-9 && credits[2].0 == 0.0, "{model}: {credits:?}");
    }
}

/// Channel 0 is called Direct.
#[test]
fn direct_earns_only_where_the_whole_path_is_direct() {
    let result = run(&spec("last_non_direct"), &[row(&[1, 0], 1.0, 0.0), row(&[0, 0], 1.0, 0.0)]);
    assert_eq!(given(&result)[..2], [(1.0, 2.0), (1.0, 2.0)]);
    // The second path's credit stands at its last touch.
    let paths = crate::made::paths(&[row(&[0, 0], 1.0, 0.0)]);
    let table = credits_by_place(&spec("last_non_direct"), &paths, &names()).unwrap();
    assert_eq!(table.iter().map(|row| row.credit.conversions).collect::<Vec<_>>(), [0.0, 1.0]);
}
