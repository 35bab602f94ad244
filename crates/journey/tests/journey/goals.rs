//! Conversions: conditions, orders told twice, refunds, currencies.
use crate::kit::*;
use safar_journey::{Count, Error, Goal, JourneyBuilder, JourneyRules};

fn with_goals(text: &str) -> JourneyRules {
    toml::from_str(text).expect("good rules")
}

#[test]
fn the_default_goal_knows_the_usual_names_of_a_purchase() {
    let names = [
        "purchase",
        "Order Completed",
        "ORDER_COMPLETED",
        "conversion",
        "checkout_completed",
        "transaction",
        "Placed Order",
        "add_to_cart",
    ];
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| event(1, T0 + index as i64, &format!("name={name};interaction=none")))
        .collect();
    let (out, _) = build(&JourneyRules::default(), &rows);
    assert_eq!(out.conversions.num_rows(), names.len() - 1);
}

#[test]
fn every_kind_of_condition_is_understood() {
    let rules = with_goals(
        r#"
        [[goals]]
        name = "thanks page"
        pages = ["/*/thanks"]
        [[goals]]
        name = "call"
        interactions = ["call"]
        fixed_value = 12.5
        [[goals]]
        name = "big pro order"
        events = ["order"]
        where = [{ field = "plan", is = ["pro", "team"] }, { field = "value", above = 100 }, { field = "seats", below = 10 }]
        [[goals]]
        name = "campaign lead"
        where = [{ field = "utm_campaign", contains = "spring" }, { field = "user_email", exists = false }]
        "#,
    );
    let rows = [
        event(1, T0, "page_url=https://shop.example/de/thanks?x=1;value=3"),
        event(1, T0 + 1, "interaction=call;name=call;value=3"),
        event(1, T0 + 2, "name=Order;interaction=none;value=101;properties={\"plan\":\"pro\",\"seats\":3}"),
        event(1, T0 + 3, "name=order;interaction=none;value=100;properties={\"plan\":\"pro\",\"seats\":3}"),
        event(1, T0 + 4, "name=order;interaction=none;value=500;properties={\"plan\":\"free\",\"seats\":3}"),
        event(1, T0 + 5, "page_url=/;utm_campaign=spring_sale;properties={\"user_email\":\"x\"}"),
        event(1, T0 + 6, "page_url=/;utm_campaign=spring_sale"),
    ];
    let (out, _) = build(&rules, &rows);
    assert_eq!(words(&out.conversions, "goal"), ["thanks page", "call", "big pro order", "campaign lead"]);
    assert_eq!(floats(&out.conversions, "value"), [3.0, 12.5, 101.0, 0.0]);
    assert_eq!(longs(&out.conversions, "occurred_at"), [T0, T0 + 1, T0 + 2, T0 + 6]);
}

#[test]
fn a_goal_can_count_every_time_once_a_session_or_once_a_person() {
    let lead = "name=purchase;page_url=https://shop.example/";
    let rows = [
        event(1, T0, lead),
        event(1, T0 + MINUTE, lead),
        event(1, T0 + 2 * MINUTE, "name=purchase;interaction=none"), // the server tells of it while the session runs
        event(1, T0 + DAY, lead),
        event(2, T0, lead),
    ];
    for (count, expected) in [(Count::Every, 5), (Count::OncePerSession, 3), (Count::OncePerPerson, 2)] {
        let rules = JourneyRules { goals: vec![Goal { count, ..Goal::default() }], ..JourneyRules::default() };
        assert_eq!(build(&rules, &rows).0.conversions.num_rows(), expected, "{count:?}");
    }
}

#[test]
fn an_order_told_twice_counts_once_and_a_differing_value_is_reported() {
    let rows = [
        event(1, T0, "page_url=https://shop.example/thanks;name=purchase;order_id=A;value=20"),
        event(1, T0 + SECOND, "interaction=none;name=purchase;order_id=A;value=20"),
        event(1, T0 + 2 * SECOND, "interaction=none;name=purchase;order_id=A;value=24.9"),
        event(1, T0 + 3 * SECOND, "interaction=none;name=purchase;order_id=B;value=1"),
        event(1, T0 + 4 * SECOND, "interaction=none;name=purchase;value=1"),
        event(1, T0 + 5 * SECOND, "interaction=none;name=purchase;value=1"),
    ];
    let (out, findings) = build(&JourneyRules::default(), &rows);
    assert_eq!(floats(&out.conversions, "value"), [20.0, 1.0, 1.0, 1.0]);
    assert_eq!((findings.duplicate_orders, findings.differing_duplicates), (2, 1));
    assert_eq!((longs(&out.sessions, "conversions"), floats(&out.sessions, "value")), (vec![4], vec![23.0]));
}

#[test]
fn refunds_reduce_their_order_and_unknown_orders_keep_the_total_right() {
    let rows = [
        event(1, T0, "page_url=/;channel=Email;source=news"),
        event(1, T0 + 1, "interaction=none;name=purchase;order_id=A;value=20"),
        event(1, T0 + 2, "interaction=none;name=purchase;order_id=B;value=30"),
        event(1, T0 + DAY, "interaction=none;name=refund;order_id=A;value=-5"),
        event(1, T0 + 2 * DAY, "interaction=none;name=Order Refunded;order_id=B"),
        event(1, T0 + 3 * DAY, "interaction=none;name=refund;order_id=Z;value=7"),
        event(2, T0, "interaction=none;name=refund;order_id=A;value=1"),
    ];
    let rules = JourneyRules::default();
    let (out, findings) = build(&rules, &rows);
    assert_eq!(floats(&out.conversions, "gross_value"), [20.0, 30.0, 0.0, 0.0]);
    assert_eq!(floats(&out.conversions, "refunded_value"), [5.0, 30.0, 7.0, 1.0]);
    assert_eq!(floats(&out.conversions, "value"), [15.0, 0.0, -7.0, -1.0]);
    // An orphan refund is money without a conversion, and earns nobody credit.
    assert_eq!(floats(&out.paths, "conversions"), [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(floats(&out.paths, "value"), [15.0, 0.0, -7.0, -1.0]);
    assert_eq!(longs(&out.paths, "length"), [1, 0, 0, 0]);
    let orphans: Vec<_> = findings
        .orphan_refunds
        .iter()
        .map(|orphan| (orphan.person_id, orphan.order_id.as_deref(), orphan.amount))
        .collect();
    assert_eq!(orphans, [(1, Some("Z"), 7.0), (2, Some("A"), 1.0)]);

    // Who looks at all people finds that person 2 gave order A back.
    let (out, findings) = build_with(&rules, &rows, &orders(&rules, &rows, &<_>::default()).shared);
    assert_eq!(floats(&out.conversions, "value"), [14.0, 0.0, -7.0]);
    assert_eq!(findings.orphan_refunds.len(), 1);
}

#[test]
fn an_order_that_several_people_told_of_counts_once_for_the_first() {
    let rows = [
        event(1, T0, "page_url=/;channel=Email;source=news"),
        event(1, T0 + SECOND, "page_url=/thanks;name=purchase;order_id=A;value=20"),
        event(2, T0 + 2 * SECOND, "interaction=none;name=purchase;order_id=A;value=24"),
        event(2, T0 + 3 * SECOND, "interaction=none;name=purchase;order_id=B;value=5"),
        event(3, T0 + DAY, "interaction=none;name=refund;order_id=A;value=6"),
        event(2, T0 + DAY + SECOND, "interaction=none;name=refund;order_id=A;value=6"),
    ];
    let rules = JourneyRules::default();
    let found = orders(&rules, &rows, &<_>::default());
    assert_eq!((found.several, found.crowded.0), (1, 0));
    assert_eq!(found.changed.iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
    let (out, findings) = build_with(&rules, &rows, &found.shared);
    assert_eq!(longs(&out.conversions, "person_id"), [1, 2]);
    assert_eq!(floats(&out.conversions, "value"), [14.0, 5.0]);
    assert_eq!((findings.orders_of_others, findings.refunds_again, findings.orphan_refunds.len()), (1, 1, 0));
    assert_eq!(longs(&out.sessions, "conversions"), [1]);
    // Nothing changed since; then the first event goes, and the order is the other's.
    let again = orders(&rules, &rows, &found.shared);
    assert!(again.changed.is_empty() && again.shared == found.shared);
    let less: Vec<_> = rows.iter().filter(|row| row.at != T0 + SECOND).cloned().collect();
    let later = orders(&rules, &less, &found.shared);
    assert_eq!(later.changed.iter().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(floats(&build_with(&rules, &less, &later.shared).0.conversions, "value"), [18.0, 5.0]);
}

#[test]
fn a_word_in_the_place_of_an_order_number_joins_nothing() {
    let bought = |order: &str| -> Vec<Row> {
        let texts = format!("interaction=none;name=purchase;order_id={order};value=1");
        (1..=11).map(|person| event(person, T0, &texts)).collect()
    };
    let rules = JourneyRules::default();
    for (order, people, crowded) in [("undefined", 2, 0), ("7", 11, 1), ("7", 10, 0)] {
        let rows = &bought(order)[..people];
        let found = orders(&rules, rows, &<_>::default());
        assert_eq!(found.crowded.0, crowded, "{order} of {people}");
        let (out, _) = build_with(&rules, rows, &found.shared);
        let is_shared = order == "7" && crowded == 0;
        assert_eq!(out.conversions.num_rows(), if is_shared { 1 } else { people }, "{order} of {people}");
    }
}

#[test]
fn refunds_told_again_count_once_and_no_order_is_refunded_beyond_its_worth_unsaid() {
    let rows = [
        event(1, T0, "interaction=none;name=purchase;order_id=A;value=20"),
        event(1, T0, "interaction=none;name=purchase;order_id=B;value=20"),
        event(1, T0, "interaction=none;name=purchase;order_id=C;value=20"),
        // The browser and the server; later another part.
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=A;value=4"),
        event(1, T0 + HOUR + SECOND, "interaction=none;name=refund;order_id=A;value=4"),
        event(1, T0 + 3 * DAY, "interaction=none;name=refund;order_id=A;value=4"),
        // Two parts of the same amount, with numbers.
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=B;value=4;properties={\"refund_id\":1}"),
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=B;value=4;event_id=shopify:refund:2"),
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=C;value=12"),
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=C;value=13"),
        // Nobody placed Z.
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=Z;value=2"),
        event(1, T0 + HOUR, "interaction=none;name=refund;order_id=Z;value=2"),
    ];
    let (out, findings) = build(&JourneyRules::default(), &rows);
    assert_eq!(floats(&out.conversions, "refunded_value"), [8.0, 8.0, 25.0, 2.0]);
    assert_eq!((findings.refunds_again, findings.refunds_above_value), (2, 1));
}

#[test]
fn without_a_value_all_is_given_back_whoever_tells() {
    let rows = [
        event(1, T0, "interaction=none;name=purchase;order_id=A;value=20"),
        event(2, T0, "interaction=none;name=purchase;order_id=B;value=20"),
        event(1, T0 + 1, "interaction=none;name=refund;order_id=A"),
        event(3, T0 + 1, "interaction=none;name=refund;order_id=B"),
        event(4, T0 + 2, "interaction=none;name=refund;order_id=B"),
    ];
    let rules = JourneyRules::default();
    let (out, findings) = build_with(&rules, &rows, &orders(&rules, &rows, &<_>::default()).shared);
    assert_eq!(floats(&out.conversions, "refunded_value"), [20.0, 20.0]);
    assert_eq!((findings.refunds_again, findings.orphan_refunds.len()), (1, 0));
}

#[test]
fn a_refund_of_an_order_that_a_goal_does_not_count_takes_nothing() {
    let rows = [
        event(1, T0, "interaction=none;name=purchase;order_id=A;value=20"),
        event(1, T0 + 1, "interaction=none;name=purchase;order_id=B;value=30"),
        event(1, T0 + 2, "interaction=none;name=refund;order_id=B;value=30"),
    ];
    let rules = JourneyRules {
        goals: vec![Goal { count: Count::OncePerPerson, ..Goal::default() }],
        ..JourneyRules::default()
    };
    assert_eq!(floats(&build(&rules, &rows).0.conversions, "value"), [20.0]);
}

#[test]
fn a_purchase_below_nothing_is_counted_among_the_findings() {
    let rows = [
        event(1, T0, "interaction=none;name=purchase;value=-50"),
        event(1, T0 + 1, "interaction=none;name=purchase;value=20"),
    ];
    let (out, findings) = build(&JourneyRules::default(), &rows);
    assert_eq!(floats(&out.conversions, "value"), [-50.0, 20.0]);
    assert_eq!(findings.negative_conversions, 1);
}

#[test]
fn other_currencies_are_kept_and_counted() {
    let rows = [
        event(1, T0, "interaction=none;name=purchase;value=20;currency=EUR"),
        event(1, T0 + 1, "interaction=none;name=purchase;value=2000;currency=ISK"),
        event(1, T0 + 2, "interaction=none;name=purchase;value=3"),
    ];
    let (out, findings) = build(&JourneyRules::default(), &rows);
    assert_eq!(floats(&out.conversions, "value"), [20.0, 2000.0, 3.0]);
    assert_eq!(findings.other_currencies.into_iter().collect::<Vec<_>>(), [("ISK".to_owned(), 1)]);
}

#[test]
fn rules_that_cannot_work_are_refused() {
    let refused = |text: &str| JourneyBuilder::new(&with_goals(text)).expect_err("refused");
    assert!(matches!(refused("time_zone = 'Mars/Olympus'"), Error::TimeZone { .. }));
    assert!(matches!(refused("[[goals]]\nname = 'all'"), Error::GoalWithoutCondition { .. }));
    assert!(matches!(
        refused("[[goals]]\nname='a'\nevents=['x']\n[[goals]]\nname='a'\nevents=['y']"),
        Error::GoalName { .. }
    ));
    for (text, hint) in [
        ("[windows]\nclick_days = 0", "nonzero"),
        ("[windows]\nclick_day = 1", "click_days"),
        ("[sessions]\npreset = 'ga5'", "universal-analytics"),
        ("[[goals]]\nname='a'\nwhere=[{ field = 'plan' }]", "exactly one of is, contains, above, below, exists"),
    ] {
        let error = toml::from_str::<JourneyRules>(text).expect_err("refused").to_string();
        assert!(error.contains(hint), "{error}");
    }
    let text = toml::to_string(&JourneyRules::default()).expect("rules can be written");
    assert_eq!(with_goals(&text), JourneyRules::default());
}

#[test]
fn events_out_of_order_and_missing_columns_are_refused() {
    let rows = [event(1, T0 + 1, "page_url=/"), event(1, T0, "page_url=/")];
    let mut builder = JourneyBuilder::new(&JourneyRules::default()).expect("good rules");
    assert!(matches!(builder.push(&batch(&rows)), Err(Error::Unsorted { .. })));
    let short = batch(&rows).project(&[0, 1, 2]).expect("three columns");
    let refused = builder.push(&short).expect_err("refused").to_string();
    assert!(refused.contains("no column `event_id`"), "{refused}");
}
