//! `safar serve`
use crate::{args::Serve, output::number, printer::Printer};
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use safar_pipeline::{SETTINGS_FILE, Workspace};
use safar_server::collect::{self, News, Published};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;

pub async fn run(folder: &Path, args: &Serve, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let wanted = args.collect.unwrap_or(workspace.settings().collect.listen);
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        format!("cannot listen on {wanted}: choose another address with --collect, or `listen` of [collect]")
    })?;
    let (collector, stopped) = (collect::open(&workspace)?, stopped()?);
    welcome(&workspace, listener.local_addr()?, printer);
    let screen = Arc::new(Screen { printer, bar: printer.bar("collected", None), sum: Mutex::default() });
    screen.bar.enable_steady_tick(Duration::from_millis(200));
    let tell = {
        let screen = Arc::clone(&screen);
        Arc::new(move |news| screen.hear(news))
    };
    let stop = async {
        stopped.await;
        screen.bar.suspend(|| printer.say("stopping: what was acknowledged goes to the tables"));
    };
    collect::serve(workspace, collector, listener, stop, tell).await?;
    screen.bar.finish_and_clear();
    printer.say(format!("stopped: {}", screen.totals()));
    Ok(())
}

/// Where it listens, who may send, and how to try it.
fn welcome(workspace: &Workspace, address: SocketAddr, printer: Printer) {
    printer.say(format!("collecting on http://{address}"));
    let settings = &workspace.settings().collect;
    let key = settings.sources.iter().flat_map(|source| &source.keys).next();
    for source in &settings.sources {
        let from = if source.origins.is_empty() { "any page".to_owned() } else { source.origins.join(", ") };
        printer.say(format!("  {}: keys {}; from {from}", source.name, source.keys.join(", ")));
    }
    if settings.sources.is_empty() {
        printer.say(format!(
            "  everybody may send: name your sources as [[collect.sources]] of {}",
            workspace.root().join(SETTINGS_FILE).display()
        ));
    }
    let key = key.map_or("WRITE_KEY", String::as_str);
    printer.say(format!(
        "try it: curl http://{address}/v1/track -d '{{\"writeKey\": \"{key}\", \"userId\": \"ada\", \"event\": \"Signed Up\"}}'"
    ));
    printer.say("docs/collect.md says how to point each SDK here; `safar doctor` checks; Ctrl-C stops");
}

/// Done once somebody wants the program to end; heard from this call on.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}

/// News on the screen: totals where somebody watches, and what needs a look in any case.
struct Screen {
    printer: Printer,
    bar: ProgressBar,
    sum: Mutex<Published>,
}

impl Screen {
    fn totals(&self) -> String {
        let sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |rows: u64| number(rows as f64, 0);
        format!(
            "{} new events, {} already there, {} rejected",
            count(sum.stored),
            count(sum.duplicates),
            count(sum.rejected)
        )
    }

    fn hear(&self, news: News) {
        let printer = self.printer;
        let line = |text: String, show: &dyn Fn(String)| self.bar.suspend(|| show(text));
        match news {
            News::Published(part) => {
                let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
                sum.stored += part.stored;
                sum.duplicates += part.duplicates;
                sum.rejected += part.rejected;
                drop(sum);
                self.bar.set_message(self.totals());
                line(format!("published: {part:?}"), &|text| printer.detail(text));
            }
            News::Built(report) if report.reasons.is_empty() => {
                line("journeys: nothing changed".to_owned(), &|text| printer.detail(text));
            }
            News::Built(report) => {
                let people = number(report.people_rebuilt as f64, 0);
                let text = format!("journeys of {people} people built in {:.1} s", report.elapsed.as_secs_f64());
                line(text, &|text| printer.say(text));
            }
            News::Waiting => {
                let text = "another process writes the tables; collecting goes on, publishing waits".to_owned();
                line(text, &|text| printer.say(text));
            }
            News::BuildFailed(why) => {
                line(format!("journeys were not built, and will be tried again: {why}"), &|text| printer.warn(text));
            }
            News::Settings(why) => {
                line(format!("the settings stay as they were: {why}"), &|text| printer.warn(text));
            }
        }
    }
}
