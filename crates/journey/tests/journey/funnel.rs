//! Funnels against all attempts that there are, and by hand.
use proptest::prelude::*;
use safar_journey::funnel::{Act, Funnel, Order, Reached};

const WINDOW: i64 = 5;

/// Every list of ascending indices of `acts`, with no excluded event from the first to the last.
fn attempts(acts: &[Act]) -> Vec<Vec<usize>> {
    let mut all = vec![];
    for set in 1_u32..1 << acts.len() {
        let list: Vec<usize> = (0..acts.len()).filter(|index| set & (1 << index) != 0).collect();
        let (first, last) = (list[0], list[list.len() - 1]);
        if acts[last].at - acts[first].at <= WINDOW && acts[first..=last].iter().all(|act| !act.excluded) {
            all.push(list);
        }
    }
    all
}

fn is_step(act: &Act, step: usize) -> bool {
    step < 32 && act.steps & (1 << step) != 0
}

/// Whether the events can be as many different steps.
fn fits_any(acts: &[Act], list: &[usize], steps: usize, used: u32) -> bool {
    let Some((first, rest)) = list.split_first() else { return true };
    (0..steps).any(|step| {
        used & (1 << step) == 0 && is_step(&acts[*first], step) && fits_any(acts, rest, steps, used | 1 << step)
    })
}

/// Whether each step is reached, and whether it can be reached from the step before.
fn by_trying(acts: &[Act], steps: usize, order: Order, open: bool) -> Vec<(bool, bool)> {
    let mut found = vec![(false, false); steps];
    for list in attempts(acts) {
        if order == Order::Any {
            if list.len() <= steps && fits_any(acts, &list, steps, 0) {
                found.iter_mut().take(list.len()).for_each(|step| *step = (true, true));
            }
            continue;
        }
        let follows = list.windows(2).all(|pair| order == Order::Ordered || pair[0] + 1 == pair[1]);
        let starts = if open { acts[list[0]].steps.trailing_zeros() as usize } else { 0 };
        let fits = list.iter().enumerate().all(|(place, index)| is_step(&acts[*index], starts + place));
        let last = starts + list.len() - 1;
        if follows && fits && last < steps {
            found[last].0 = true;
            found[last].1 |= list.len() > 1;
        }
    }
    found
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (0_i64..4, 0_u32..8, 0_u8..8);
    proptest::collection::vec(act, 0..8).prop_map(|list| {
        let mut at = 0;
        list.into_iter()
            .map(|(pause, steps, dice)| {
                at += pause;
                Act { at, steps, excluded: dice == 0 }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nobody_gets_farther_or_less_far_than_the_best_attempt(acts in acts(), steps in 1_usize..=3) {
        for order in [Order::Ordered, Order::Strict, Order::Any] {
            for open in [false, true] {
                let got = Funnel::new(steps, order, open, WINDOW).unwrap().of(&acts);
                let want = by_trying(&acts, steps, order, open);
                for (step, (got, (reached, continued))) in got.iter().zip(want).enumerate() {
                    prop_assert_eq!(got.is_some(), reached, "{:?} open {} step {}", order, open, step);
                    let came = got.is_some_and(|got| got.since.is_some());
                    prop_assert_eq!(came, reached && continued && step > 0, "{:?} open {} step {}", order, open, step);
                }
            }
        }
    }

    #[test]
    fn in_a_closed_funnel_the_steps_are_one_attempt(acts in acts(), steps in 1_usize..=3) {
        for order in [Order::Ordered, Order::Strict] {
            let got: Vec<Reached> = Funnel::new(steps, order, false, WINDOW).unwrap().of(&acts).into_iter().flatten().collect();
            let list: Vec<usize> = got.iter().map(|step| step.act).collect();
            prop_assert!(list.is_empty() || attempts(&acts).contains(&list), "{:?}", list);
            for (step, reached) in got.iter().enumerate() {
                prop_assert!(is_step(&acts[reached.act], step));
                let since = (step > 0).then(|| acts[reached.act].at - acts[list[step - 1]].at);
                prop_assert_eq!(reached.since, since);
            }
        }
    }
}

/// `A B x` at seconds: the letters are steps 0, 1, 2; `-` is another event, `!` an exclusion.
fn told(text: &str) -> Vec<Act> {
    text.split(' ')
        .map(|word| {
            let (letter, at) = word.split_at(1);
            let steps = match letter {
                "A" => 1,
                "B" => 2,
                "C" => 4,
                _ => 0,
            };
            Act { at: at.parse().unwrap(), steps, excluded: letter == "!" }
        })
        .collect()
}

#[test]
fn a_funnel_by_hand() {
    let depth = |order, open, text| {
        let reached = Funnel::new(3, order, open, 10).unwrap().of(&told(text));
        reached.iter().map(|step| if step.is_some() { '1' } else { '0' }).collect::<String>()
    };
    assert_eq!(depth(Order::Ordered, false, "A0 -1 B2 C9"), "111");
    assert_eq!(depth(Order::Strict, false, "A0 -1 B2 C9"), "100");
    // The second attempt is in time, the first is not.
    assert_eq!(depth(Order::Ordered, false, "A0 B1 A5 B9 C12"), "111");
    assert_eq!(depth(Order::Ordered, false, "A0 B1 A5 C12"), "110");
    assert_eq!(depth(Order::Ordered, false, "A0 !1 B2 C3"), "100");
    assert_eq!(depth(Order::Ordered, true, "B2 C3"), "011");
    assert_eq!(depth(Order::Ordered, false, "B2 C3"), "000");
    assert_eq!(depth(Order::Any, false, "C1 A4"), "110");
    assert_eq!(depth(Order::Any, false, "C1 A4 B12"), "110");
    assert_eq!(depth(Order::Any, false, "C1 A4 B11"), "111");
}

#[test]
fn a_repeated_step_needs_a_second_event() {
    let both = |at| Act { at, steps: 0b11, excluded: false };
    for order in [Order::Ordered, Order::Strict, Order::Any] {
        for open in [false, true] {
            let funnel = Funnel::new(2, order, open, 10).unwrap();
            let reached = |acts: &[Act]| funnel.of(acts).iter().flatten().count();
            assert_eq!((reached(&[both(0)]), reached(&[both(0), both(0)])), (1, 2), "{order:?} {open}");
        }
    }
    assert!(Funnel::new(0, Order::Any, false, 1).is_err() && Funnel::new(17, Order::Any, false, 1).is_err());
}
