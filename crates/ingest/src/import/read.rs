//! The reading thread, the working threads, and the one that takes their results in order.
use super::{
    Rules,
    error::Error,
    json::JsonSplitter,
    plan::Plan,
    report::Progress,
    sniff::Format,
    split::Splitter,
    words::Words,
    work::{Done, Rows, Work, Worker},
};
use safar_store::Erased;
use std::{
    collections::BTreeMap,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

enum Message {
    Done(Box<Done>),
    Failed(Error),
}

/// Whether a fault says that the input is broken off or damaged, not that it could not be reached.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    error.raw_os_error().is_none() && matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof)
}

fn fault(plan: &Plan, rows: u64, error: io::Error) -> Error {
    if is_damage(&error) {
        Error::Truncated { file: plan.input.name.clone(), rows, why: error.to_string() }
    } else {
        Error::io(plan.input.name.as_str())(error)
    }
}

/// Reads one input and hands its rows on until `send` says no; returns the fingerprint of its bytes.
fn read_one(plan: &Plan, mut send: impl FnMut(Rows, u64) -> bool) -> Result<u128, Error> {
    if plan.format == Format::Parquet {
        let (mut parquet, digest) = plan.open_parquet()?;
        let (size, mut told) = (plan.input.size, 0);
        while let Some((first, batch)) = parquet.next_rows()? {
            // How far it is through the file is not known; the last batch is told the rest.
            let bytes = (size - told) / 8;
            told += bytes;
            if !send(Rows::Texts { first, batch }, bytes) {
                return Ok(digest);
            }
        }
        tracing::debug!(file = plan.input.name, rows = parquet.rows(), "read");
        return Ok(digest);
    }
    let opened = plan.open()?;
    let meter = Arc::clone(&opened.meter);
    let reader: Box<dyn Read + Send> = opened.into_reader();
    let (mut rows, mut bytes) = (0, 0);
    let mut more = |rows: Rows| {
        let now = meter.bytes();
        let fresh = now - bytes;
        bytes = now;
        send(rows, fresh)
    };
    match plan.format {
        Format::Csv => {
            let mut splitter = Splitter::new(reader, plan.layout, plan.columns.len());
            while let Some(chunk) = splitter.next_chunk().map_err(|error| fault(plan, rows, error))? {
                rows += (chunk.records.len() + chunk.broken.len()) as u64;
                if !more(Rows::Cells(chunk)) {
                    break;
                }
            }
        }
        Format::Ndjson | Format::Json | Format::Parquet => {
            let mut splitter = JsonSplitter::new(reader, plan.format == Format::Json);
            while let Some(chunk) = splitter.next_chunk().map_err(|error| fault(plan, rows, error))? {
                rows += (chunk.records.len() + chunk.broken.len()) as u64;
                if !more(Rows::Objects(chunk)) {
                    break;
                }
            }
        }
    }
    Ok(meter.digest())
}

/// The first rows of an input; `None` where it has none.
pub(crate) fn first(plan: &Plan, rows: usize) -> Result<Option<Rows>, Error> {
    let mut found = None;
    let outcome = read_one(plan, |rows, _| {
        found = Some(rows);
        false
    });
    let mut found = match (found, outcome) {
        (None, Err(error)) => return Err(error),
        (found, _) => found,
    };
    match &mut found {
        Some(Rows::Cells(chunk) | Rows::Objects(chunk)) => {
            let last = chunk.records.get(rows).map_or(u64::MAX, |record| record.0);
            chunk.broken.retain(|broken| broken.line < last);
            chunk.records.truncate(rows);
            chunk.cells.truncate(rows * plan.columns.len());
        }
        Some(Rows::Texts { batch, .. }) => *batch = batch.slice(0, batch.num_rows().min(rows)),
        None => {}
    }
    Ok(found)
}

/// Reads every input of events; `take` gets the results in the order of the rows. Returns the inputs' fingerprints.
pub(crate) fn all(
    plans: &[Arc<Plan>],
    rules: Rules<'_>,
    words: &Arc<Words>,
    erased: &Arc<Erased>,
    threads: usize,
    progress: &dyn Progress,
    mut take: impl FnMut(Done) -> Result<(), Error>,
) -> Result<Vec<u128>, Error> {
    let (work_in, work_out) = sync_channel::<Work>(threads);
    let (done_in, done_out) = sync_channel::<Message>(threads * 2);
    let work_out = Mutex::new(work_out);
    std::thread::scope(|scope| {
        let reader = {
            let done_in = done_in.clone();
            scope.spawn(move || read_all(plans, &work_in, &done_in))
        };
        for _ in 0..threads {
            let (done_in, work_out) = (done_in.clone(), &work_out);
            scope.spawn(move || {
                let (words, erased) = (Arc::clone(words), Arc::clone(erased));
                let mut worker = Worker::new(rules, words, erased);
                while let Some(work) = next(work_out) {
                    let message = worker.run(work).map_or_else(Message::Failed, |done| Message::Done(Box::new(done)));
                    if done_in.send(message).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done_in);
        let outcome = collect(plans, &done_out, progress, &mut take);
        drop(done_out); // whoever still sends stops
        while next(&work_out).is_some() {}
        let digests = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        outcome.map(|()| digests)
    })
}

fn next(work: &Mutex<Receiver<Work>>) -> Option<Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn read_all(plans: &[Arc<Plan>], work: &SyncSender<Work>, done: &SyncSender<Message>) -> Vec<u128> {
    let (mut number, mut digests) = (0, Vec::new());
    for (file, plan) in plans.iter().enumerate().filter(|(_, plan)| plan.goal.is_none()) {
        let mut open = true;
        let outcome = read_one(plan, |rows, bytes| {
            open = work.send(Work { number, file, plan: Arc::clone(plan), bytes, rows }).is_ok();
            number += 1;
            open
        });
        match outcome {
            Ok(digest) => digests.push(digest),
            Err(error) => {
                let _ = done.send(Message::Failed(error)); // nobody listens once another has failed
                return digests;
            }
        }
        if !open {
            return digests;
        }
    }
    digests
}

fn collect(
    plans: &[Arc<Plan>],
    done: &Receiver<Message>,
    progress: &dyn Progress,
    take: &mut impl FnMut(Done) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut early, mut next, mut file) = (BTreeMap::new(), 0, None);
    for message in done {
        let done = match message {
            Message::Done(done) => done,
            Message::Failed(error) => return Err(error),
        };
        early.insert(done.number, done);
        while let Some(done) = early.remove(&next) {
            next += 1;
            if file != Some(done.file) {
                file = Some(done.file);
                progress.file(&plans[done.file].input.name, plans[done.file].input.size);
            }
            progress.advance(done.bytes, done.rows);
            take(*done)?;
        }
    }
    Ok(())
}
