//! What holds for any events.
use crate::kit::*;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use proptest::collection::vec;
use proptest::prelude::*;
use safar_journey::{JourneyBatches, JourneyBuilder, JourneyRules, NullPaths, SessionPreset, SessionRules, Windows};
use safar_model::Interaction;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

const KINDS: [&str; 12] = [
    "page_url=https://shop.example/a;source=google;medium=cpc;channel=Paid Search;click_id=g",
    "page_url=https://shop.example/b;source=(direct);medium=(none);channel=Direct",
    "page_url=https://shop.example/c",
    "page_url=https://shop.example/d;source=news;medium=email;campaign=x;utm_campaign=x;channel=Email",
    "interaction=impression;channel=Display",
    "interaction=click;channel=Paid Social",
    "interaction=email;name=open",
    "interaction=call;name=purchase;value=3;order_id=O2",
    "interaction=none;name=purchase;value=10.25;order_id=O1",
    "interaction=none;name=purchase;value=7",
    "page_url=https://shop.example/thanks;name=purchase;value=2.5;order_id=O1;currency=USD",
    "interaction=none;name=refund;order_id=O1;value=1.25",
];

fn rows() -> impl Strategy<Value = Vec<Row>> {
    // Coarse times, so that instants are shared; gaps around the cuts.
    let row = (0i64..5, 0i64..400, 0usize..KINDS.len());
    vec(row, 0..80).prop_map(|rows| {
        let mut rows: Vec<_> = rows
            .into_iter()
            .enumerate()
            .map(|(index, (person, slot, kind))| {
                let at = T0 + slot / 4 * DAY + slot % 4 * 20 * MINUTE;
                event(person << 59, at, &format!("{};event_id=e{index}", KINDS[kind]))
            })
            .collect();
        rows.sort_by_key(|row| (row.person, row.at));
        rows
    })
}

fn rules() -> impl Strategy<Value = JourneyRules> {
    use SessionPreset::{Adobe, Ga4, Matomo, UniversalAnalytics};
    let presets = prop::sample::select(vec![Ga4, UniversalAnalytics, Matomo, Adobe]);
    (presets, 1u32..40, 0u32..10, any::<bool>(), any::<bool>()).prop_map(
        |(preset, click, view_days, count_again, journeys)| {
            let null_paths = if journeys { NullPaths::Journeys } else { NullPaths::People };
            let click_days = NonZeroU32::new(click).expect("positive");
            JourneyRules {
                sessions: SessionRules { preset, ..SessionRules::default() },
                windows: Windows { click_days, view_days, count_again, null_paths },
                ..JourneyRules::default()
            }
        },
    )
}

fn joined(parts: &[JourneyBatches]) -> JourneyBatches {
    let all = |pick: fn(&JourneyBatches) -> &RecordBatch| {
        let batches: Vec<_> = parts.iter().map(|part| pick(part).clone()).collect();
        concat_batches(&batches[0].schema(), &batches).expect("one schema")
    };
    JourneyBatches {
        places: all(|part| &part.places),
        sessions: all(|part| &part.sessions),
        touchpoints: all(|part| &part.touchpoints),
        conversions: all(|part| &part.conversions),
        paths: all(|part| &part.paths),
    }
}

fn is_onsite(row: &Row) -> bool {
    row.texts.iter().any(|(column, _)| *column == "page_url")
}

const ORDERS: [&str; 9] = [
    "interaction=none;name=purchase;value=10.25;order_id=O1",
    "page_url=https://shop.example/thanks;name=purchase;value=2.5;order_id=O1",
    "interaction=none;name=purchase;value=3;order_id=O2",
    "interaction=none;name=refund;order_id=O1;value=1.25",
    "interaction=none;name=refund;order_id=O1;value=1.25;properties={\"refund_id\":\"r\"}",
    "interaction=none;name=refund;order_id=O2",
    "interaction=none;name=refund;order_id=O2;value=0.5",
    "interaction=none;name=refund;order_id=Z;value=4",
    "interaction=none;name=sign_up;order_id=O2",
];

/// Events about orders, told by up to ten people.
fn told() -> impl Strategy<Value = Vec<Row>> {
    vec((0i64..10, 0i64..60, 0usize..ORDERS.len()), 0..40).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        let mut rows: Vec<_> = rows
            .map(|(index, (person, slot, kind))| {
                event(person << 59, T0 + slot * 7 * HOUR, &format!("{};event_id=e{index}", ORDERS[kind]))
            })
            .collect();
        rows.sort_by_key(|row| row.at);
        rows
    })
}

/// Order, event, gross value and what was given back, of every conversion; and what is given back for orders that nobody placed.
fn worth(rules: &JourneyRules, rows: &[Row]) -> (Vec<(String, String, String)>, f64) {
    let found = orders(rules, rows, &<_>::default());
    let (out, _) = build_with(rules, rows, &found.shared);
    let (orders, events) = (words(&out.conversions, "order_id"), words(&out.conversions, "event_id"));
    let money = |column| floats(&out.conversions, column);
    let money: Vec<(f64, f64)> = money("gross_value").into_iter().zip(money("refunded_value")).collect();
    let (mut sold, mut orphans) = (vec![], 0.0);
    for ((order, event), (gross, back)) in orders.into_iter().zip(events).zip(money) {
        match gross > 0.0 {
            true => sold.push((order, event, format!("{gross} {back}"))),
            false => orphans += back,
        }
    }
    sold.sort();
    (sold, orphans)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn who_is_who_makes_no_difference_to_what_orders_are_worth(rows in told(), one in 0i64..10) {
        let rules = JourneyRules::default();
        let alone: Vec<Row> = rows.iter().map(|row| Row { person: 0, ..row.clone() }).collect();
        let joined: Vec<Row> =
            rows.iter().map(|row| Row { person: if row.person < one << 59 { 0 } else { row.person }, ..row.clone() }).collect();
        let expected = worth(&rules, &alone);
        prop_assert_eq!(&worth(&rules, &rows), &expected);
        prop_assert_eq!(&worth(&rules, &joined), &expected);
    }

    #[test]
    fn whoever_is_not_said_to_have_changed_has_the_rows_of_before(rows in told(), late in 0usize..40) {
        prop_assume!(!rows.is_empty());
        let rules = JourneyRules::default();
        let late = rows[late % rows.len()].clone();
        let before: Vec<_> = rows.iter().filter(|row| **row != late).cloned().collect();
        let old = orders(&rules, &before, &<_>::default());
        let new = orders(&rules, &rows, &old.shared);
        let mut people: Vec<_> = rows.iter().map(|row| row.person).collect();
        people.sort_unstable();
        people.dedup();
        for person in people.into_iter().filter(|person| *person != late.person && !new.changed.contains(person)) {
            let own: Vec<_> = rows.iter().filter(|row| row.person == person).cloned().collect();
            prop_assert_eq!(build_with(&rules, &own, &new.shared).0, build_with(&rules, &own, &old.shared).0);
        }
    }

    #[test]
    fn the_size_of_batches_does_not_matter(rows in rows(), rules in rules(), size in 1usize..9) {
        let (whole, findings) = build(&rules, &rows);
        let mut builder = JourneyBuilder::new(&rules).expect("good rules");
        let mut parts = vec![];
        let all = batch(&rows);
        for start in (0..rows.len()).step_by(size) {
            builder.push(&all.slice(start, size.min(rows.len() - start))).expect("good events");
            parts.push(builder.take().expect("batches"));
        }
        let (rest, same_findings) = builder.finish().expect("batches");
        parts.push(rest);
        prop_assert_eq!(joined(&parts), whole);
        prop_assert_eq!(same_findings, findings);
    }

    #[test]
    fn every_event_has_a_place(rows in rows(), rules in rules()) {
        let (built, _) = build(&rules, &rows);
        let steps = longs(&built.places, "step");
        prop_assert_eq!(steps.len(), rows.len());
        let mut people: Vec<_> = rows.iter().map(|row| row.person).collect();
        people.sort_unstable();
        let numbered: Vec<_> = people.chunk_by(|a, b| a == b).flat_map(|own| 1..=own.len() as i64).collect();
        prop_assert_eq!(steps, numbered);
        // The events of a session that happened on the site are those that it counts; others may fall into its time.
        let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
        let sessions = built.places["session_id"].as_primitive::<Int64Type>();
        let mut sorted = rows.clone();
        sorted.sort_by_key(|row| (row.person, row.at));
        for (row, session) in sorted.iter().zip(sessions) {
            if is_onsite(row) {
                *counted.entry(session.expect("a session runs")).or_default() += 1;
            }
        }
        let ids = longs(&built.sessions, "session_id").into_iter();
        let told: BTreeMap<i64, i64> = ids.zip(longs(&built.sessions, "events")).collect();
        prop_assert_eq!(counted, told);
    }

    #[test]
    fn a_late_event_rebuilds_its_person_to_what_a_rebuild_from_scratch_gives(rows in rows(), rules in rules(), late in 0usize..80) {
        prop_assume!(!rows.is_empty());
        let late = rows[late % rows.len()].clone();
        let before: Vec<_> = rows.iter().filter(|row| **row != late).cloned().collect();
        let (scratch, _) = build(&rules, &rows);
        let mut parts = vec![];
        let mut people: Vec<_> = rows.iter().map(|row| row.person).collect();
        people.dedup();
        for person in people {
            let events = if person == late.person { &rows } else { &before };
            let own: Vec<_> = events.iter().filter(|row| row.person == person).cloned().collect();
            parts.push(build(&rules, &own).0);
        }
        prop_assert_eq!(joined(&parts), scratch);
    }

    #[test]
    fn paths_carry_every_conversion_and_all_money_once(rows in rows(), rules in rules()) {
        let (out, findings) = build(&rules, &rows);
        let orphans = findings.orphan_refunds.iter().filter(|orphan| orphan.amount > 0.0).count();
        let sum = |column| floats(&out.paths, column).iter().sum::<f64>();
        prop_assert_eq!(sum("conversions"), (out.conversions.num_rows() - orphans) as f64);
        prop_assert_eq!(sum("value"), floats(&out.conversions, "value").iter().sum::<f64>());
        let gross = floats(&out.conversions, "gross_value");
        let refunded = floats(&out.conversions, "refunded_value");
        for (row, net) in floats(&out.conversions, "value").into_iter().enumerate() {
            prop_assert_eq!(net, gross[row] - refunded[row]);
        }
        let sold: f64 = gross.iter().sum();
        let duplicates = findings.duplicate_orders as usize;
        prop_assert_eq!(rows.iter().filter(|row| row.texts.contains(&("name", "purchase".to_owned()))).count(), out.conversions.num_rows() - orphans + duplicates);
        prop_assert!(sold >= 0.0);
    }

    #[test]
    fn paths_hold_exactly_the_touches_of_their_windows(rows in rows(), rules in rules()) {
        let (out, _) = build(&rules, &rows);
        let ids = longs(&out.touchpoints, "touchpoint_id");
        let people = longs(&out.touchpoints, "person_id");
        let times = longs(&out.touchpoints, "occurred_at");
        let kinds = words(&out.touchpoints, "interaction");
        let path_people = longs(&out.paths, "person_id");
        let ends = longs(&out.paths, "occurred_at");
        let paths = long_lists(&out.paths, "touchpoint_ids");
        let ages = long_lists(&out.paths, "ages_us");
        let mut used: BTreeMap<i64, usize> = BTreeMap::new();
        for (row, path) in paths.iter().enumerate() {
            prop_assert_eq!(longs(&out.paths, "length")[row] as usize, path.len());
            prop_assert!(ages[row].is_sorted_by(|older, newer| older >= newer));
            for (touch, age) in path.iter().zip(&ages[row]) {
                *used.entry(*touch).or_default() += 1;
                let at = ids.iter().position(|id| id == touch).expect("a touchpoint");
                let view = kinds[at].parse::<Interaction>().expect("a kind").is_view();
                prop_assert_eq!(people[at], path_people[row]);
                prop_assert_eq!(times[at], ends[row] - age);
                prop_assert!(*age >= 0 && rules.windows.reach_us(view).is_some_and(|reach| *age <= reach));
            }
            // With touches that count again, and at instants that nothing shares, the path is all of the window.
            let lone = rows.iter().filter(|other| other.person == path_people[row] && other.at == ends[row]).count() == 1;
            if rules.windows.count_again && lone && floats(&out.paths, "conversions")[row] == 1.0 {
                let expected: Vec<_> = (0..ids.len())
                    .filter(|at| people[*at] == path_people[row] && times[*at] <= ends[row])
                    .filter(|at| {
                        let view = kinds[*at].parse::<Interaction>().expect("a kind").is_view();
                        rules.windows.reach_us(view).is_some_and(|reach| ends[row] - times[*at] <= reach)
                    })
                    .map(|at| ids[at])
                    .collect();
                prop_assert_eq!(path, &expected);
            }
        }
        if !rules.windows.count_again {
            prop_assert!(used.values().all(|times| *times == 1));
        }
    }

    #[test]
    fn sessions_split_the_onsite_events_and_do_not_overlap(rows in rows(), rules in rules()) {
        let (out, _) = build(&rules, &rows);
        let sizes = longs(&out.sessions, "events");
        prop_assert_eq!(sizes.iter().sum::<i64>() as usize, rows.iter().filter(|row| is_onsite(row)).count());
        let (people, starts, ends) = (longs(&out.sessions, "person_id"), longs(&out.sessions, "started_at"), longs(&out.sessions, "ended_at"));
        for row in 0..sizes.len() {
            let inside = rows.iter().filter(|event| event.person == people[row] && is_onsite(event) && (starts[row]..=ends[row]).contains(&event.at));
            prop_assert!(inside.count() as i64 >= sizes[row]);
            if row > 0 && people[row] == people[row - 1] {
                prop_assert!(starts[row] >= ends[row - 1]);
            }
        }
        prop_assert!(out.touchpoints.num_rows() >= sizes.len());
    }

    #[test]
    fn every_person_with_a_touch_that_counts_converts_or_has_one_null_path(rows in rows(), mut rules in rules()) {
        rules.windows.null_paths = NullPaths::People;
        let (out, findings) = build(&rules, &rows);
        let nulls = floats(&out.paths, "nulls");
        let path_people = longs(&out.paths, "person_id");
        let kinds = words(&out.touchpoints, "interaction");
        let mut people: Vec<_> = rows.iter().map(|row| row.person).collect();
        people.dedup();
        for person in people {
            let touched = longs(&out.touchpoints, "person_id").iter().zip(&kinds).any(|(other, kind)| {
                *other == person && (rules.windows.view_days > 0 || kind != "impression")
            });
            let orphans = findings.orphan_refunds.iter().filter(|orphan| orphan.person_id == person).count();
            let converted = longs(&out.conversions, "person_id").iter().filter(|other| **other == person).count() > orphans;
            let own: f64 = path_people.iter().zip(&nulls).filter(|(other, _)| **other == person).map(|(_, null)| null).sum();
            prop_assert_eq!(own, f64::from(u8::from(touched && !converted)));
        }
    }
}
