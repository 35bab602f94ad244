//! proto
#![allow(clippy::print_stdout)]
use safar_attribution::hazard::*;
use safar_simulate::causal::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n: u32 = args[1].parse().unwrap();
    let seeds: Vec<u64> = args[2].split(',').map(|s| s.parse().unwrap()).collect();
    let which: Vec<&str> = args[3].split(',').collect();
    let mut settings = HazardSettings::default();
    let mut verbose = false;
    for arg in &args[4..] {
        let (k, v) = arg.split_once('=').unwrap();
        let u: usize = v.parse().unwrap();
        match k {
            "levels" => settings.levels = u,
            "moods" => settings.moods = u,
            "seasons" => settings.seasons = u,
            "upstream" => settings.upstream = u == 1,
            "follow" => settings.follow = u == 1,
            "anyway" => settings.anyway = u == 1,
            "rounds" => settings.rounds = u,
            "stephours" => settings.step = Some(u as i64 * 3_600_000_000),
            "verbose" => verbose = u == 1,
            _ => panic!("{k}"),
        }
    }
    let names: Vec<String> = CHANNELS.iter().map(|s| s.to_string()).collect();
    let mut mean = 0.0;
    let mut count = 0.0;
    for name in &which {
        for &seed in &seeds {
            let s = scenario(name).unwrap();
            let file = format!("/tmp/truthcache-{}-{n}-{seed}.txt", s.name);
            let truth: Vec<f64> = match std::fs::read_to_string(&file) {
                Ok(t) => t.split_whitespace().map(|x| x.parse().unwrap()).collect(),
                Err(_) => {
                    let t = Truth::of(&s.process, n, seed);
                    let mut v = t.shapley.to_vec();
                    v.push(t.conversions as f64);
                    v.push(t.conversions_without as f64);
                    std::fs::write(&file, v.iter().map(|x| x.to_string()).collect::<Vec<_>>().join(" ")).unwrap();
                    v
                }
            };
            let seen = s.process.observe(n, seed, 0);
            let t0 = std::time::Instant::now();
            let got = attribute_hazard(&settings, &seen.timelines, &names);
            let el = t0.elapsed();
            let phi = &truth[..6];
            let inc = truth[6] - truth[7];
            let e: Vec<f64> = got.credits[..6].iter().map(|c| c.conversions).collect();
            let tot: f64 = e.iter().sum();
            let sp: f64 = phi.iter().sum();
            let tvd: f64 = 0.5 * (0..6).map(|i| (e[i] / tot - phi[i] / sp).abs()).sum::<f64>();
            if inc > 0.0 { mean += tvd; count += 1.0; }
            println!("{:12.12} seed {seed} ratio {:.3} tvd {:.4} credit {:.0} inc {:.0} | got {:.0?} truth {:.0?} | {:.1?}", s.name, tot / inc, tvd, tot, inc, e, phi, el);
            if verbose { println!("   {}", got.learned); }
        }
    }
    println!("mean tvd {:.4}", mean / count);
}
