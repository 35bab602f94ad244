//! How fast a CSV file of web events is imported: `cargo bench --workspace --bench import -- FILE.csv|ROWS [FOLDER] [THREADS]`;
//! one line of JSON for the first import and one for the second, which stores nothing.
//!
//! A number instead of a file writes that many rows of a typical web log to `FOLDER/events.csv` first.
use safar_enrich::{EnrichSettings, Enricher};
use safar_identity::IdentitySettings;
use safar_ingest::{ImportOptions, ImportSettings, Rules, Silent, import};
use safar_store::Store;
use std::{
    error::Error,
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let folder = PathBuf::from(arguments.get(1).map_or("bench-import", String::as_str));
    fs::create_dir_all(&folder)?;
    let first = arguments.first().map_or("1000000", String::as_str);
    let file = match first.parse::<u64>() {
        Ok(rows) => {
            let file = folder.join("events.csv");
            generate(&file, rows)?;
            file
        }
        Err(_) => PathBuf::from(first),
    };
    let data = folder.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    let threads = arguments.get(2).map_or(Ok(1), |threads| threads.parse())?;
    let (settings, identity) = (ImportSettings::default(), IdentitySettings::default());
    let enricher = Enricher::new(&EnrichSettings::default())?;
    let rules = Rules { import: &settings, enricher: &enricher, identity: &identity };
    let options = ImportOptions { threads, now: Some(1_790_000_000_000_000), ..ImportOptions::default() };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let store = Store::create(&data).await?;
        let lock = store.lock()?;
        for turn in ["first", "again"] {
            let (started, cpu) = (Instant::now(), cpu_seconds());
            let report = import(&store, &lock, rules, &[file.display().to_string()], &options, &Silent).await?;
            let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
            let rows = report.rows;
            let mut out = std::io::stdout().lock();
            writeln!(
                out,
                "{{\"turn\":\"{turn}\",\"threads\":{threads},\"rows\":{rows},\"stored\":{},\"duplicates\":{},\"rejected\":{},\"cpu_s\":{cpu:.2},\"wall_s\":{wall:.2},\"peak_mb\":{}}}",
                report.stored,
                report.duplicates,
                report.rejected_total(),
                peak_megabytes(),
            )?;
        }
        Ok(())
    })
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or("").split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // utime and stime, in hundredths; the state letter before them is no number.
    fields.get(10..12).map_or(0.0, |times| times.iter().sum::<f64>() / 100.0)
}

fn peak_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn generate(path: &Path, rows: u64) -> Result<(), std::io::Error> {
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(path)?);
    writeln!(
        out,
        "timestamp,event,anonymous_id,user_id,page_url,referrer,utm_source,utm_medium,utm_campaign,order_id,value,currency"
    )?;
    let mut state = 42u64;
    let mut random = |below: u64| {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % below
    };
    const SOURCES: [(&str, &str, &str); 5] = [
        ("google", "cpc", "brand"),
        ("facebook", "paid_social", "spring-sale"),
        ("newsletter", "email", "week-12"),
        ("bing", "cpc", "generic"),
        ("partner", "affiliate", "coupons"),
    ];
    const REFERRERS: [&str; 5] = [
        "https://www.google.com/",
        "https://m.facebook.com/",
        "https://www.bing.com/search",
        "https://shop.example/",
        "",
    ];
    for row in 0..rows {
        let person = random(rows / 20 + 1);
        let second = 1_735_689_600 + row * 7_776_000 / rows;
        let (day, of_day) = (second / 86_400 - 20_089, second % 86_400);
        let (month, day) = if day < 31 {
            (1, day + 1)
        } else if day < 59 {
            (2, day - 30)
        } else {
            (3, day - 58)
        };
        let time = format!(
            "2025-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60,
            random(1000)
        );
        let user = if person % 5 == 0 { format!("u-{person}") } else { String::new() };
        let (source, medium, campaign) = if random(4) == 0 { SOURCES[random(5) as usize] } else { ("", "", "") };
        let page = random(5000);
        if random(33) == 0 {
            let value = random(30_000);
            writeln!(
                out,
                "{time},purchase,a{person:08x}-3f2c,{user},https://shop.example/checkout/thanks,,,,,o-{row},{}.{:02},EUR",
                value / 100,
                value % 100
            )?;
        } else {
            let referrer = REFERRERS[random(5) as usize];
            writeln!(
                out,
                "{time},page_view,a{person:08x}-3f2c,{user},https://shop.example/products/item-{page}?color=blue,{referrer},{source},{medium},{campaign},,,"
            )?;
        }
    }
    out.flush()
}
