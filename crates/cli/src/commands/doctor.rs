//! `safar doctor`
use crate::{
    output::{Alignment, Grid},
    printer::Printer,
};
use anyhow::{Result, bail};
use safar_server::collect::doctor::{State, doctor};
use std::path::Path;

pub async fn run(folder: &Path, printer: Printer) -> Result<()> {
    let found = doctor(folder).await;
    let mut grid = Grid::new([("", Alignment::Left), ("what", Alignment::Left), ("found", Alignment::Left)]);
    for check in &found {
        let sign = match check.state {
            State::Good => "ok",
            State::Look => "look",
            State::Bad => "BAD",
        };
        let mut text = check.found.clone();
        if !check.to_do.is_empty() {
            text = format!("{text}\n→ {}", check.to_do);
        }
        grid.row(vec![sign.to_owned(), check.name.to_owned(), text]);
    }
    printer.result(grid.render().as_bytes())?;
    let bad = found.iter().filter(|check| check.state == State::Bad).count();
    if bad > 0 {
        bail!("{bad} of {} checks found what loses, refuses or delays events: see above for what to do", found.len());
    }
    Ok(())
}
