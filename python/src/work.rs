//! Long work: done on threads of its own, while the thread that called listens for Ctrl-C.
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use rayon::ThreadPoolBuilder;
use safar_attribution::{Stop, Waiting, uncertainty::Watch};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

/// How long Ctrl-C may go unnoticed.
const TICK: Duration = Duration::from_millis(50);

/// Does `work` on every one of `steps` in turn, and returns what `done` makes of the results, in their order. The
/// interpreter is free meanwhile; `done` is called on the calling thread after each step, with its index and result.
///
/// The threads are made for this call and belong to it alone, so that a process that was forked can compute, and so
/// that a step that was left does not stand in the way of the next call.
///
/// # Errors
/// What `done` returns, and `KeyboardInterrupt`. The call returns at once; the step that is under way is asked to stop, those
/// after it are not begun, and nobody sees the result.
pub fn each<S: Send + 'static, T: Send + 'static, U>(
    py: Python<'_>,
    steps: Vec<S>,
    work: impl Fn(S, &Stop) -> T + Send + 'static,
    mut done: impl FnMut(usize, T) -> PyResult<U>,
) -> PyResult<Vec<U>> {
    let (sender, receiver) = mpsc::channel();
    let stop = Stop::default();
    let _waiting = Waiting(stop.clone());
    start(move || {
        for step in steps {
            let result = catch_unwind(AssertUnwindSafe(|| work(step, &stop)));
            let failed = result.is_err();
            // Nobody receives any more once the call was left.
            if sender.send(result).is_err() || failed {
                break;
            }
        }
    })?;
    let mut results = vec![];
    listen(py, receiver, |result| {
        results.push(done(results.len(), result.unwrap_or_else(|panic| resume_unwind(panic)))?);
        Ok(())
    })?;
    Ok(results)
}

/// Does `work`, which tells how far it is. `told` is called on the calling thread with what it tells.
///
/// # Errors
/// What `told` returns, and `KeyboardInterrupt`. The call returns at once, and the work is asked to stop.
pub fn watched<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(Watch<'_>) -> T + Send + 'static,
    mut told: impl FnMut(u32) -> PyResult<()>,
) -> PyResult<T> {
    let (sender, receiver) = mpsc::channel();
    let stop = Stop::default();
    let _waiting = Waiting(stop.clone());
    start(move || {
        // Where nobody receives any more, nobody wants to be told, nor the result.
        let told = |done| _ = sender.send(Heard::Told(done));
        let result = catch_unwind(AssertUnwindSafe(|| work(Watch { stop: &stop, told: &told })));
        sender.send(Heard::Done(result)).ok();
    })?;
    let mut result = None;
    listen(py, receiver, |heard| match heard {
        Heard::Told(done) => told(done),
        Heard::Done(done) => {
            result = Some(done.unwrap_or_else(|panic| resume_unwind(panic)));
            Ok(())
        }
    })?;
    result.ok_or_else(no_result)
}

/// What [`watched`] work says.
enum Heard<T> {
    Told(u32),
    Done(std::thread::Result<T>),
}

/// Begins `work` on new threads.
fn start(work: impl FnOnce() + Send + 'static) -> PyResult<()> {
    let pool = ThreadPoolBuilder::new().thread_name(|index| format!("safar-{index}")).build();
    pool.map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))?.spawn(work);
    Ok(())
}

/// Hands on what is sent until there is no sender any more.
fn listen<T: Send>(
    py: Python<'_>,
    mut receiver: Receiver<T>,
    mut heard: impl FnMut(T) -> PyResult<()>,
) -> PyResult<()> {
    loop {
        let waiting = &mut receiver;
        match py.detach(move || waiting.recv_timeout(TICK)) {
            Ok(sent) => heard(sent)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        py.check_signals()?;
    }
}

fn no_result() -> PyErr {
    PyRuntimeError::new_err("the work ended without a result; this is a bug in Safar")
}

/// [`each`] of one step.
///
/// # Errors
/// `KeyboardInterrupt`.
pub fn once<T: Send + 'static>(py: Python<'_>, work: impl FnOnce(&Stop) -> T + Send + 'static) -> PyResult<T> {
    let mut results = each(py, vec![work], |work, stop| work(stop), |_, result| Ok(result))?;
    results.pop().ok_or_else(no_result)
}
