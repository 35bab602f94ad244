//! What happens while a collector runs, on the screen.
use crate::{output::number, printer::Printer};
use indicatif::ProgressBar;
use safar_server::collect::{News, Published};
use std::sync::{Mutex, PoisonError};

/// News on the screen: totals where somebody watches, and what needs a look in any case.
pub struct Screen {
    printer: Printer,
    bar: ProgressBar,
    sum: Mutex<Published>,
}

impl Screen {
    pub fn new(printer: Printer) -> Self {
        Self { printer, bar: printer.spinner("collected"), sum: Mutex::default() }
    }

    /// A line above the totals.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| self.printer.say(text));
    }

    /// Clears the totals.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// What was published so far.
    pub fn totals(&self) -> String {
        let sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |rows: u64| number(rows as f64, 0);
        let mut text = format!(
            "{} new events, {} already there, {} rejected",
            count(sum.stored),
            count(sum.duplicates),
            count(sum.rejected)
        );
        if sum.erased > 0 {
            text.push_str(&format!(", {} of people who were erased", count(sum.erased)));
        }
        text
    }

    pub fn hear(&self, news: News) {
        let printer = self.printer;
        let line = |text: String, show: &dyn Fn(String)| self.bar.suspend(|| show(text));
        match news {
            News::Published(part) => {
                let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
                sum.stored += part.stored;
                sum.duplicates += part.duplicates;
                sum.rejected += part.rejected;
                sum.erased += part.erased;
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
            News::Dropped { name, report } => {
                let count = |rows: u64| number(rows as f64, 0);
                let unread = match report.aside.len() + report.skipped.len() + report.unclear.len() {
                    0 => String::new(),
                    files => format!(", {files} files not read"),
                };
                let paths =
                    if report.paths > 0 { format!("{} ready paths, ", count(report.paths)) } else { String::new() };
                let text = format!(
                    "imported {name}: {} new events, {} costs, {paths}{} rejected{unread}",
                    count(report.stored),
                    count(report.costs_stored),
                    count(report.rejected_total())
                );
                line(text, &|text| printer.say(text));
            }
            News::DropFailed(why) => {
                line(format!("not imported: {why}"), &|text| printer.warn(text));
            }
            News::Waiting => {
                let text = "another process writes the tables; collecting goes on, publishing waits".to_owned();
                line(text, &|text| printer.say(text));
            }
            News::BuildFailed(why) => {
                line(format!("journeys were not built, and will be tried again: {why}"), &|text| printer.warn(text));
            }
            News::Retained(done) => {
                let text = format!(
                    "older than [privacy] allows, and removed: {} events, {} rejected rows, {} files of requests, rejects and the drop folder",
                    number(done.events as f64, 0),
                    number(done.rejects as f64, 0),
                    number((done.request_files + done.reject_files + done.dropped) as f64, 0)
                );
                line(text, &|text| printer.say(text));
            }
            News::RetainFailed(why) => {
                line(format!("what is too old was not removed, and will be tomorrow: {why}"), &|text| {
                    printer.warn(text)
                });
            }
            News::Settings(why) => {
                line(format!("the settings stay as they were: {why}"), &|text| printer.warn(text));
            }
        }
    }
}
