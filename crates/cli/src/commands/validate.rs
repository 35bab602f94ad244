//! `safar validate`
use super::batch;
use crate::{
    args::Validate,
    output::{Alignment, Format, Grid, number, render},
    printer::Printer,
};
use anyhow::{Result, bail};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use safar_simulate::causal::{Scenario, further, scenario, standard};
use safar_truth::{Row, standard_models, validate};
use std::sync::Arc;

pub fn run(args: &Validate, printer: Printer) -> Result<()> {
    let scenarios = scenarios(&args.scenario)?;
    let models = if args.model.is_empty() { standard_models() } else { args.model.clone() };
    let mut rows = vec![];
    for seed in &args.seed {
        for market in &scenarios {
            printer.say(format!("{}: {} (seed {seed})", market.name, market.about));
            rows.extend(validate(std::slice::from_ref(market), args.people, *seed, &models)?);
        }
    }
    let table = all(&rows)?;
    if args.format == Format::Table {
        printer.result(side_by_side(&rows, &scenarios).as_bytes())?;
    } else {
        printer.result(&render(&table.schema(), &[table], args.format)?)?;
    }
    let seeds: Vec<String> = args.seed.iter().map(u64::to_string).collect();
    printer.say(format!(
        "over-credit (credit to ads ÷ what ads caused) / share error (total variation from the true Shapley shares) / rank correlation (Spearman's, of credits and true values); where ads caused nothing: false credit, in conversions. {} people, seed {}, safar {}",
        number(f64::from(args.people), 0),
        seeds.join(", "),
        env!("CARGO_PKG_VERSION")
    ));
    Ok(())
}

fn scenarios(names: &[String]) -> Result<Vec<Scenario>> {
    if names.is_empty() {
        return Ok(standard());
    }
    let mut found = vec![];
    for name in names {
        if name == "further" {
            found.extend(further());
        } else if let Some(market) = scenario(name) {
            found.push(market);
        } else {
            let all: Vec<_> = standard().into_iter().chain(further()).map(|market| market.name).collect();
            bail!("there is no market `{name}`; there are {}", all.join(", "));
        }
    }
    Ok(found)
}

fn all(rows: &[Row]) -> Result<RecordBatch> {
    let texts =
        |of: &dyn Fn(&Row) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let numbers =
        |of: &dyn Fn(&Row) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    batch(vec![
        ("scenario", texts(&|row| row.scenario.to_owned())),
        ("model", texts(&|row| row.model.clone())),
        ("over_credit", numbers(&|row| row.over_credit)),
        ("share_error", numbers(&|row| row.share_error)),
        ("rank_correlation", numbers(&|row| row.rank_correlation)),
        ("false_credit", numbers(&|row| row.false_credit)),
        ("credited", numbers(&|row| Some(row.credited))),
        ("incremental", numbers(&|row| Some(row.incremental))),
        ("conversions", numbers(&|row| Some(row.conversions))),
        ("people", numbers(&|row| Some(f64::from(row.people)))),
        ("seed", numbers(&|row| Some(row.seed as f64))),
    ])
}

/// One row a model, one column a market, means over the seeds; the mean share error last, and the rows by it.
fn side_by_side(rows: &[Row], scenarios: &[Scenario]) -> String {
    let short = |name: &str| name.split('_').next().unwrap_or(name).to_owned();
    let head = scenarios.iter().map(|market| (short(market.name), Alignment::Right));
    let ends = [("mean share error".to_owned(), Alignment::Right)];
    let mut grid = Grid::new([("model".to_owned(), Alignment::Left)].into_iter().chain(head).chain(ends));
    let mut names: Vec<&str> = vec![];
    for row in rows {
        if !names.contains(&row.model.as_str()) {
            names.push(&row.model);
        }
    }
    let mean = |found: &[f64]| found.iter().sum::<f64>() / found.len() as f64;
    let mut lines: Vec<(f64, Vec<String>)> = vec![];
    for name in names {
        let of =
            |market: &str| rows.iter().filter(|row| row.model == name && row.scenario == market).collect::<Vec<_>>();
        let mut cells = vec![name.to_owned()];
        let mut errors = vec![];
        for market in scenarios {
            let found = of(market.name);
            let part = |of: fn(&Row) -> Option<f64>| found.iter().filter_map(|row| of(row)).collect::<Vec<_>>();
            let (over, share, nothing) =
                (part(|row| row.over_credit), part(|row| row.share_error), part(|row| row.false_credit));
            let ranks = part(|row| row.rank_correlation);
            errors.extend(&share);
            cells.push(if nothing.is_empty() {
                let ranks = if ranks.is_empty() { "–".to_owned() } else { format!("{:.2}", mean(&ranks)) };
                format!("{:.2} / {:.3} / {ranks}", mean(&over), mean(&share))
            } else {
                number(mean(&nothing), 0)
            });
        }
        let error = mean(&errors);
        cells.push(if error.is_nan() { String::new() } else { format!("{error:.3}") });
        lines.push((error, cells));
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.into_iter().for_each(|(_, cells)| grid.row(cells));
    grid.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_over_credit_share_error_and_rank_correlation() {
        let row = |scenario, over_credit, share_error, rank_correlation, false_credit| Row {
            scenario,
            model: "last".into(),
            people: 10,
            seed: 1,
            conversions: 9.0,
            credited: 6.0,
            incremental: 4.0,
            over_credit,
            share_error,
            rank_correlation,
            false_credit,
            credits: [1.0; 6],
            truth: [1.0; 6],
        };
        let markets = ["S0", "S4"].map(|name| scenario(name).unwrap());
        let names = [markets[0].name, markets[1].name];
        let rows = [
            row(names[0], Some(1.5), Some(0.25), Some(0.75), None),
            row(names[0], Some(1.7), Some(0.35), Some(0.25), None),
            row(names[1], None, None, None, Some(6.0)),
        ];
        let table = side_by_side(&rows, &markets);
        assert!(table.contains("1.60 / 0.300 / 0.50"), "{table}");
        let constant = [row(names[0], Some(1.5), Some(0.25), None, None)];
        assert!(side_by_side(&constant, &markets[..1]).contains("1.50 / 0.250 / –"));
    }
}
