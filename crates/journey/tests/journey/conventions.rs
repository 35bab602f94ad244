//! The examples of `docs/conventions.md`: days in, paths out.
use crate::kit::*;
use safar_journey::{JourneyRules, Windows};

const PAGE: &str = include_str!("../../../../docs/conventions.md");

#[test]
fn examples_of_the_page_come_out_as_it_says() {
    let blocks: Vec<&str> = PAGE.split("```journey\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 6, "only {} examples were found", blocks.len());
    for block in blocks {
        let (mut settings, mut rows, mut want) = (String::new(), vec![], vec![]);
        for line in block.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["=", ref walk @ ..] => want.push(walk.join(" ")),
                ["day", day, "purchase"] => rows.push((day, "interaction=none;name=purchase;value=1".to_owned())),
                ["day", day, interaction, channel] => {
                    rows.push((day, format!("interaction={interaction};channel={channel}")));
                }
                _ => settings.extend([line, "\n"]),
            }
        }
        let at = |day: &str| T0 + (day.parse::<f64>().expect("a day") * DAY as f64).round() as i64;
        let rows: Vec<Row> = rows.iter().map(|(day, texts)| event(1, at(day), texts)).collect();
        let windows: Windows = toml::from_str(&settings).expect("settings of [windows]");
        let (out, _) = build(&JourneyRules { windows, ..JourneyRules::default() }, &rows);
        assert_eq!(walks(&out.paths, "channels"), want, "{block}");
    }
}
