//! Sessions by each vendor's rules.
use crate::kit::*;
use safar_journey::{JourneyRules, SessionPreset, SessionRules};

const PAGE: &str = "page_url=https://shop.example/";

fn rules(preset: SessionPreset) -> JourneyRules {
    JourneyRules { sessions: SessionRules { preset, ..SessionRules::default() }, ..JourneyRules::default() }
}

/// How many events each session has.
fn sizes(rules: &JourneyRules, rows: &[Row]) -> Vec<i64> {
    longs(&build(rules, rows).0.sessions, "events")
}

#[test]
fn thirty_idle_minutes_end_a_session_and_not_a_microsecond_less() {
    let at = |gap| [event(1, T0, PAGE), event(1, T0 + gap, PAGE)];
    for preset in [SessionPreset::Ga4, SessionPreset::UniversalAnalytics, SessionPreset::Matomo, SessionPreset::Adobe] {
        assert_eq!(sizes(&rules(preset), &at(30 * MINUTE)), [2], "{preset:?}");
        assert_eq!(sizes(&rules(preset), &at(30 * MINUTE + 1)), [1, 1], "{preset:?}");
    }
    let mut shorter = rules(SessionPreset::Ga4);
    shorter.sessions.idle_minutes = std::num::NonZeroU32::new(10);
    assert_eq!(sizes(&shorter, &at(11 * MINUTE)), [1, 1]);
}

#[test]
fn midnight_of_the_sites_time_zone_cuts_for_universal_analytics_and_matomo() {
    // Midnight in Tehran (UTC+3:30) is 20:30 UTC.
    let rows = [event(1, T0 + 20 * HOUR + 25 * MINUTE, PAGE), event(1, T0 + 20 * HOUR + 35 * MINUTE, PAGE)];
    for (preset, utc, tehran) in [
        (SessionPreset::Ga4, vec![2], vec![2]),
        (SessionPreset::UniversalAnalytics, vec![2], vec![1, 1]),
        (SessionPreset::Matomo, vec![2], vec![1, 1]),
        (SessionPreset::Adobe, vec![2], vec![2]),
    ] {
        let mut rules = rules(preset);
        assert_eq!(sizes(&rules, &rows), utc, "{preset:?}");
        rules.time_zone = "Asia/Tehran".to_owned();
        assert_eq!(sizes(&rules, &rows), tehran, "{preset:?}");
    }
}

#[test]
fn a_new_campaign_cuts_where_the_vendor_says_so() {
    let tagged = |at, campaign: &str| {
        event(
            1,
            at,
            &format!("{PAGE};utm_campaign={campaign};utm_source=news;source=news;medium=email;campaign={campaign}"),
        )
    };
    let rows = [
        event(1, T0, PAGE),
        tagged(T0 + MINUTE, "spring"),
        tagged(T0 + 2 * MINUTE, "spring"),
        tagged(T0 + 3 * MINUTE, "sale"),
    ];
    assert_eq!(sizes(&rules(SessionPreset::Ga4), &rows), [4]);
    assert_eq!(sizes(&rules(SessionPreset::UniversalAnalytics), &rows), [1, 2, 1]);
    assert_eq!(sizes(&rules(SessionPreset::Matomo), &rows), [1, 2, 1]);
    assert_eq!(sizes(&rules(SessionPreset::Adobe), &rows), [4]);
}

#[test]
fn a_new_referrer_cuts_for_universal_analytics_and_not_for_matomo() {
    let referred = format!("{PAGE};referrer=https://blog.example/;source=blog.example;medium=referral");
    let rows = [event(1, T0, PAGE), event(1, T0 + MINUTE, &referred)];
    assert_eq!(sizes(&rules(SessionPreset::UniversalAnalytics), &rows), [1, 1]);
    assert_eq!(sizes(&rules(SessionPreset::Matomo), &rows), [2]);
}

#[test]
fn adobe_ends_a_session_after_twelve_hours() {
    let rows: Vec<_> = (0..40).map(|turn| event(1, T0 + turn * 20 * MINUTE, PAGE)).collect();
    assert_eq!(sizes(&rules(SessionPreset::Adobe), &rows), [36, 4]);
    assert_eq!(sizes(&rules(SessionPreset::Ga4), &rows), [40]);
}

#[test]
fn a_session_is_engaged_after_ten_seconds_or_two_views_or_a_key_event() {
    let step = "name=scroll;page_url=https://shop.example/";
    let cases = [
        (vec![event(1, T0, PAGE)], false),
        (vec![event(1, T0, PAGE), event(1, T0 + 9 * SECOND, step)], false),
        (vec![event(1, T0, PAGE), event(1, T0 + 10 * SECOND, step)], true),
        (vec![event(1, T0, PAGE), event(1, T0 + SECOND, PAGE)], true),
        (
            vec![
                event(1, T0, PAGE),
                event(1, T0 + SECOND, "name=purchase;page_url=https://shop.example/thanks;value=5"),
            ],
            true,
        ),
    ];
    for (rows, engaged) in cases {
        assert_eq!(flags(&build(&JourneyRules::default(), &rows).0.sessions, "engaged"), [engaged], "{rows:?}");
    }
}

#[test]
fn returning_from_a_payment_provider_keeps_the_first_source() {
    let rows = [
        event(
            1,
            T0,
            "page_url=https://shop.example/a;source=google;medium=cpc;campaign=brand;channel=Paid Search;click_id=g1;click_id_type=gclid",
        ),
        event(
            1,
            T0 + MINUTE,
            "page_url=https://shop.example/b;referrer=https://pay.example/;source=(direct);medium=(none);channel=Direct",
        ),
        event(1, T0 + 2 * MINUTE, "page_url=https://shop.example/c;source=news;medium=email;channel=Email"),
    ];
    let (out, _) = build(&JourneyRules::default(), &rows);
    assert_eq!(words(&out.sessions, "channel"), ["Paid Search"]);
    assert_eq!(words(&out.sessions, "source"), ["google"]);
    assert_eq!(words(&out.sessions, "landing_page"), ["https://shop.example/a"]);
    assert_eq!(words(&out.sessions, "exit_page"), ["https://shop.example/c"]);
    assert_eq!(words(&out.touchpoints, "interaction"), ["click"]);
    assert_eq!(words(&out.touchpoints, "click_id"), ["g1"]);
    assert_eq!(longs(&out.touchpoints, "session_id"), longs(&out.sessions, "session_id"));
}

#[test]
fn a_session_that_begins_direct_takes_its_first_real_source() {
    let rows = [
        event(1, T0, "page_url=/;source=(direct);medium=(none);channel=Direct"),
        event(1, T0 + MINUTE, "page_url=/x;source=news;medium=email;channel=Email"),
    ];
    let (out, _) = build(&JourneyRules::default(), &rows);
    assert_eq!(words(&out.sessions, "channel"), ["Email"]);
    assert_eq!(
        (words(&out.touchpoints, "channel"), longs(&out.touchpoints, "occurred_at")),
        (vec!["Email".to_owned()], vec![T0])
    );
}

#[test]
fn what_happens_elsewhere_is_a_touch_and_no_session() {
    let rows = [
        event(1, T0, "interaction=impression;channel=Display"),
        event(1, T0 + HOUR, "interaction=call;name=call"),
        event(1, T0 + 2 * HOUR, "interaction=click;channel=Paid Social"),
        event(1, T0 + 3 * HOUR, "page_url=https://shop.example/"),
        event(1, T0 + 3 * HOUR + MINUTE, "interaction=email;name=open;channel=Email;properties={\"subject\":\"a\"}"),
        event(1, T0 + 3 * HOUR + 2 * MINUTE, "interaction=none;name=refund_policy_read"),
    ];
    let (out, _) = build(&JourneyRules::default(), &rows);
    assert_eq!(longs(&out.sessions, "events"), [1]);
    assert_eq!(words(&out.touchpoints, "channel"), ["Display", "Call", "Paid Social", "Direct", "Email"]);
    assert_eq!(words(&out.touchpoints, "interaction"), ["impression", "call", "click", "visit", "email"]);
    assert_eq!(words(&out.touchpoints, "properties")[4], "{\"subject\":\"a\"}");
}

#[test]
fn a_visit_without_a_page_is_a_screen_of_an_app_unless_its_channel_was_stated() {
    let derived = "interaction=visit;name=screen_view;source=(direct);medium=(none);channel=Direct";
    let stated =
        "interaction=visit;source=(direct);medium=(none);channel=Radio;properties={\"$given_channel\":\"Radio\"}";
    let (out, _) = build(
        &JourneyRules::default(),
        &[event(1, T0, derived), event(1, T0 + MINUTE, derived), event(1, T0 + 2 * MINUTE, stated)],
    );
    assert_eq!((longs(&out.sessions, "events"), longs(&out.sessions, "page_views")), (vec![2], vec![2]));
    assert_eq!(words(&out.touchpoints, "channel"), ["Direct", "Radio"]);
}

#[test]
fn a_stated_channel_says_where_the_person_came_from() {
    let stated = "page_url=/x;source=(direct);medium=(none);channel=Radio;properties={\"$given_channel\":\"Radio\"}";
    let rows = [event(1, T0, "page_url=/;source=(direct);medium=(none);channel=Direct"), event(1, T0 + MINUTE, stated)];
    assert_eq!(words(&build(&JourneyRules::default(), &rows).0.sessions, "channel"), ["Radio"]);
}
