//! Prints the table of `docs/truth.md`: `cargo run --release -p safar-truth --example table -- 60000 7 S0,S1 intent_hazard`.
//!
//! People, seed, scenarios (short names, separated by commas; `further` are the other markets) and models (separated by blanks) may
//! be left out.
use safar_simulate::causal::{further, scenario, standard};
use safar_truth::{standard_models, validate};
use std::io::{self, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| words.get(index).map_or(Ok(default), |word| word.parse::<u64>());
    let people = u32::try_from(number(0, 60_000)?)?;
    let seed = number(1, 7)?;
    let scenarios = match words.get(2).map(String::as_str) {
        None => standard(),
        Some("further") => further(),
        Some(names) => names.split(',').filter_map(scenario).collect(),
    };
    let models = match words.get(3) {
        None => standard_models(),
        Some(specs) => specs.split(' ').map(str::parse).collect::<Result<_, _>>()?,
    };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| scenario | model | over-credit | share error | rank correlation | false credit | credited | incremental |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for one in scenarios {
        for row in validate(&[one], people, seed, &models)? {
            let cell = |number: Option<f64>, digits: usize| number.map_or(String::new(), |x| format!("{x:.digits$}"));
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {:.0} | {:.0} |",
                row.scenario,
                row.model,
                cell(row.over_credit, 3),
                cell(row.share_error, 4),
                cell(row.rank_correlation, 2),
                cell(row.false_credit, 0),
                row.credited,
                row.incremental
            )?;
        }
        out.flush()?;
    }
    Ok(())
}
