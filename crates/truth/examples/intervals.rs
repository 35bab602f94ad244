//! Times a bootstrap of models of cause against as many plain fits, on people of a simulated market:
//! `cargo run --release -p safar-truth --example intervals -- 20000 50 S2 hazard intent_hazard`.
//!
//! Prints CPU and wall seconds of that many plain fits one after the other, of one bootstrap, and their ratios. The market is
//! made outside of them. The clock of CPU time ticks in hundredths.
use safar_attribution::{
    ModelSpec,
    hazard::{attribute_timelines, bootstrap_timelines},
    uncertainty::Bootstrap,
};
use safar_simulate::causal::{CHANNELS, scenario};
use std::{
    error::Error,
    io::{self, Write},
    time::Instant,
};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [people, replicates, market, models @ ..] = &words[..] else {
        return Err("usage: PEOPLE REPLICATES SCENARIO MODEL…".into());
    };
    let settings = Bootstrap { replicates: replicates.parse()?, ..Bootstrap::default() };
    let market = scenario(market).ok_or("no such scenario")?;
    let lines = market.process.observe(people.parse()?, 7, 0).timelines;
    let names = CHANNELS.map(String::from);
    for model in models {
        let model: ModelSpec = model.parse()?;
        let (wall, cpu) = (Instant::now(), cpu_s()?);
        for _ in 0..settings.replicates {
            std::hint::black_box(attribute_timelines(&model, &lines, &names)?);
        }
        let fits = (cpu_s()? - cpu, wall.elapsed().as_secs_f64());
        let (wall, cpu) = (Instant::now(), cpu_s()?);
        std::hint::black_box(bootstrap_timelines(&model, &lines, None, &names, settings)?);
        let drawn = (cpu_s()? - cpu, wall.elapsed().as_secs_f64());
        writeln!(
            io::stdout(),
            "{model}: {} people; {replicates} fits {:.2} s CPU, {:.2} s; bootstrap {:.2} s CPU, {:.2} s; ratio {:.2}, {:.2}",
            lines.len(),
            fits.0,
            fits.1,
            drawn.0,
            drawn.1,
            drawn.0 / fits.0,
            drawn.1 / fits.1,
        )?;
    }
    Ok(())
}

/// CPU seconds of this process, all threads, on Linux.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat[stat.rfind(')').ok_or("stat")? + 2..].split(' ').collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
