//! Long work: done on threads of its own, while the thread that called listens for Ctrl-C.
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use rayon::ThreadPoolBuilder;
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc::{self, RecvTimeoutError},
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
/// What `done` returns, and `KeyboardInterrupt`. The call returns at once; the step that is under way cannot be
/// stopped and runs to its end in the background, those after it are not begun, and nobody sees the result.
pub fn each<S: Send + 'static, T: Send + 'static, U>(
    py: Python<'_>,
    steps: Vec<S>,
    work: impl Fn(S) -> T + Send + 'static,
    mut done: impl FnMut(usize, T) -> PyResult<U>,
) -> PyResult<Vec<U>> {
    let pool = ThreadPoolBuilder::new().thread_name(|index| format!("safar-{index}")).build();
    let pool = pool.map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))?;
    let (sender, mut receiver) = mpsc::channel();
    pool.spawn(move || {
        for step in steps {
            let result = catch_unwind(AssertUnwindSafe(|| work(step)));
            let failed = result.is_err();
            // Nobody receives any more once the call was left.
            if sender.send(result).is_err() || failed {
                break;
            }
        }
    });
    let mut results = vec![];
    loop {
        let waiting = &mut receiver;
        match py.detach(move || waiting.recv_timeout(TICK)) {
            Ok(Ok(result)) => results.push(done(results.len(), result)?),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(results),
        }
        py.check_signals()?;
    }
}

/// [`each`] of one step.
///
/// # Errors
/// `KeyboardInterrupt`.
pub fn once<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    let mut results = each(py, vec![work], |work| work(), |_, result| Ok(result))?;
    results.pop().ok_or_else(|| PyRuntimeError::new_err("the work ended without a result; this is a bug in Safar"))
}
