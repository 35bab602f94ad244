//! Paths: windows, repeated conversions, ties, null paths.
use crate::kit::*;
use safar_journey::{JourneyRules, NullPaths, Windows};
use std::num::NonZeroU32;

fn rules(windows: Windows) -> JourneyRules {
    JourneyRules { windows, ..JourneyRules::default() }
}

fn touch(at: i64, channel: &str) -> Row {
    event(1, at, &format!("interaction=click;channel={channel}"))
}

fn view(at: i64, channel: &str) -> Row {
    event(1, at, &format!("interaction=impression;channel={channel}"))
}

fn sale(at: i64) -> Row {
    event(1, at, "interaction=none;name=purchase;value=1")
}

fn walked(windows: Windows, rows: &[Row]) -> Vec<String> {
    walks(&build(&rules(windows), rows).0.paths, "channels")
}

#[test]
fn clicks_count_thirty_days_and_views_one_day_unless_told_otherwise() {
    let conversion = T0 + 40 * DAY;
    let rows = [
        touch(conversion - 30 * DAY - 1, "A"),
        touch(conversion - 30 * DAY, "B"),
        view(conversion - DAY - 1, "C"),
        view(conversion - DAY, "D"),
        sale(conversion),
    ];
    assert_eq!(walked(Windows::default(), &rows), ["B > D"]);
    assert_eq!(walked(Windows { view_days: 0, ..Windows::default() }, &rows), ["B"]);
    let meta = Windows { click_days: NonZeroU32::new(7).expect("seven"), ..Windows::default() };
    assert_eq!(walked(meta, &rows), ["D"]);
    let long = Windows { view_days: 40, click_days: NonZeroU32::new(90).expect("ninety"), ..Windows::default() };
    let (out, _) = build(&rules(long), &rows);
    assert_eq!(walks(&out.paths, "channels"), ["A > B > C > D"]);
    assert_eq!(long_lists(&out.paths, "ages_us"), [[30 * DAY + 1, 30 * DAY, DAY + 1, DAY]]);
    assert_eq!(long_lists(&out.paths, "touchpoint_ids"), [longs(&out.touchpoints, "touchpoint_id")]);
}

#[test]
fn touches_before_an_earlier_conversion_count_again_only_if_asked() {
    let rows = [touch(T0, "A"), sale(T0 + 1), touch(T0 + 2, "B"), sale(T0 + 3), sale(T0 + 4)];
    assert_eq!(walked(Windows::default(), &rows), ["A", "B", ""]);
    assert_eq!(walked(Windows { count_again: true, ..Windows::default() }, &rows), ["A", "A > B", "A > B"]);
}

#[test]
fn at_one_instant_touches_come_before_conversions() {
    assert_eq!(walked(Windows::default(), &[sale(T0), touch(T0, "A"), touch(T0, "B")]), ["A > B"]);
    let both = |channel| event(1, T0, &format!("interaction=click;channel={channel};name=conversion"));
    assert_eq!(walked(Windows::default(), &[both("A"), both("B")]), ["A", "B"]);
    assert_eq!(walked(Windows::default(), &[touch(T0, "A"), both("B"), sale(T0), touch(T0, "C")]), ["A > B", "C"]);
}

#[test]
fn people_without_a_conversion_have_a_null_path_up_to_their_last_touch() {
    let rows = [touch(T0, "A"), touch(T0 + 20 * DAY, "B"), touch(T0 + 40 * DAY, "C")];
    let (out, _) = build(&JourneyRules::default(), &rows);
    assert_eq!(walks(&out.paths, "channels"), ["B > C"]);
    assert_eq!(floats(&out.paths, "nulls"), [1.0]);
    assert_eq!(longs(&out.paths, "occurred_at"), [T0 + 40 * DAY]);
    // Only views, which do not count: nobody was reached.
    let views = [view(T0, "A")];
    assert!(walked(Windows { view_days: 0, ..Windows::default() }, &views).is_empty());
}

#[test]
fn touches_after_the_last_conversion_are_a_null_path_only_if_journeys_are_asked_for() {
    let rows = [touch(T0, "A"), sale(T0 + 1), touch(T0 + 2, "B")];
    assert_eq!(walked(Windows::default(), &rows), ["A"]);
    assert_eq!(walked(Windows { null_paths: NullPaths::Journeys, ..Windows::default() }, &rows), ["A", "B"]);
}

#[test]
fn each_goal_has_paths_and_windows_of_its_own() {
    let rules: JourneyRules = toml::from_str(
        "[[goals]]\nname='purchase'\nevents=['purchase']\n[[goals]]\nname='lead'\nevents=['lead']\nwindows={ click_days = 1 }",
    )
    .expect("good rules");
    let rows = [
        touch(T0, "A"),
        event(1, T0 + DAY, "interaction=none;name=lead"),
        touch(T0 + 2 * DAY, "B"),
        event(1, T0 + 4 * DAY, "interaction=none;name=lead"),
        sale(T0 + 5 * DAY),
    ];
    let (out, _) = build(&rules, &rows);
    assert_eq!(words(&out.paths, "goal"), ["lead", "lead", "purchase"]);
    assert_eq!(walks(&out.paths, "channels"), ["A", "", "A > B"]);
}
