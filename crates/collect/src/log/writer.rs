//! The one thread that writes: what gathers while it syncs goes out in one go.
use super::{
    AppendError, LogError, LogSettings,
    folder::{Folder, disk},
    frame::{HEADER, RECORD, Salt, head},
    segment::{Create, Open},
    settings::Keep,
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};

/// How long the first of a group waits for others.
const LINGER: Duration = Duration::from_micros(500);
/// The most bytes that wait for the disk.
const QUEUE: usize = 64 << 20;
/// How long the disk may take for a group.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// A buffer that grew larger is given back.
const BUFFER: usize = 4 << 20;
/// Of the log's limit, the part that is left to what cannot be sent again: 1 / this.
const RESERVE: u64 = 16;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    writing: Option<JoinHandle<()>>,
    watching: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    gathered: Mutex<Gathered>,
    wake: Condvar,
    salt: Salt,
    limit: u64,
    keep: Keep,
    /// Bytes on the disk.
    size: AtomicU64,
    /// The number of the segment that is being written.
    current: watch::Sender<u64>,
    /// The group that the disk has, and since when.
    written: Mutex<Option<(Instant, Arc<Group>)>>,
    /// The disk has had it for longer than it may.
    stalled: AtomicBool,
    /// Wakes groups from within the runtime of the first append.
    teller: OnceLock<mpsc::UnboundedSender<Told>>,
}

/// What waits for the disk.
#[derive(Debug, Default)]
struct Gathered {
    records: Vec<u8>,
    group: Arc<Group>,
    sealing: Vec<oneshot::Sender<()>>,
    closed: bool,
}

/// Appends that go to the disk in one go, and hear of it together.
#[derive(Debug, Default)]
struct Group {
    done: OnceLock<Result<(), AppendError>>,
    waiting: Mutex<Vec<Waker>>,
}

impl Group {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A group whose outcome is known; its appends are woken when this is dropped, wherever that is.
#[derive(Debug)]
struct Told(Arc<Group>);

impl Told {
    /// The first word counts: who was told that the disk is too slow may find the record written all the same.
    fn new(group: Arc<Group>, outcome: Result<(), AppendError>) -> Self {
        let _ = group.done.set(outcome);
        Self(group)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let waiting = std::mem::take(&mut *self.0.waiting());
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// One append of a group.
pub(super) struct Safe {
    group: Arc<Group>,
    place: Option<usize>,
}

impl Future for Safe {
    type Output = Result<(), AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let group = Arc::clone(&self.group);
        let mut waiting = group.waiting();
        // Looked at under the lock: the wakers are taken after the outcome is set.
        if let Some(done) = group.done.get() {
            return Poll::Ready(*done);
        }
        match self.place.and_then(|place| waiting.get_mut(place)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                self.place = Some(waiting.len());
                waiting.push(context.waker().clone());
            }
        }
        Poll::Pending
    }
}

impl Writer {
    pub fn start(
        folder: Arc<Folder>,
        settings: &LogSettings,
        create: Create,
        patience: Duration,
    ) -> Result<Self, LogError> {
        let mut salt = Salt::default();
        getrandom::fill(&mut salt).map_err(|error| disk("draw a salt for", &folder.path(0))(error.into()))?;
        let number = folder.segments()?.last().map_or(1, |last| last + 1);
        let shared = Arc::new(Shared {
            gathered: Mutex::default(),
            wake: Condvar::new(),
            salt,
            limit: settings.limit(),
            keep: settings.keep(),
            size: AtomicU64::new(folder.size()?),
            current: watch::Sender::new(number),
            written: Mutex::default(),
            stalled: AtomicBool::new(false),
            teller: OnceLock::new(),
        });
        let segments = Segments { folder, create, shared: Arc::clone(&shared) };
        let open = segments.make(number).map_err(disk("make", &segments.folder.path(number)))?;
        let (bytes, age) = (settings.segment_bytes(), settings.segment_age());
        let thread = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
            thread.map_err(|source| LogError::Disk { what: "start a thread for", path: "the log".into(), source })
        };
        let watched = Arc::clone(&shared);
        // From here on the threads end when this is dropped.
        let mut writer = Self { shared, writing: None, watching: None };
        writer.watching = Some(thread("safar-log-watch", Box::new(move || watched.watch(patience)))?);
        writer.writing = Some(thread("safar-log", Box::new(move || segments.write(open, bytes, age)))?);
        Ok(writer)
    }

    pub fn current(&self) -> u64 {
        *self.shared.current.borrow()
    }

    pub fn size(&self) -> u64 {
        self.shared.size.load(Ordering::Relaxed)
    }

    pub fn keep(&self) -> Keep {
        self.shared.keep
    }

    pub fn freed(&self, bytes: u64) {
        let less = |size: u64| Some(size.saturating_sub(bytes)); // a cut that failed left more than was counted
        let _ = self.shared.size.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    pub async fn changed(&self, seen: u64) {
        // It ends with the writer, which this borrows.
        let _ = self.shared.current.subscribe().wait_for(|current| *current > seen).await;
    }

    /// `last`: what cannot be sent again may use the reserve.
    pub async fn append(&self, payload: &[u8], last: bool) -> Result<(), AppendError> {
        self.gather(payload, last)?.await
    }

    /// The first half of [`Self::append`].
    pub fn gather(&self, payload: &[u8], last: bool) -> Result<Safe, AppendError> {
        if payload.len() > RECORD {
            return Err(AppendError::TooLarge);
        }
        let shared = &self.shared;
        if shared.stalled.load(Ordering::Relaxed) {
            return Err(AppendError::Busy);
        }
        shared.teller.get_or_init(teller);
        let head = head(&shared.salt, payload);
        let limit = if last { shared.limit } else { shared.limit - shared.limit / RESERVE };
        let mut gathered = shared.lock();
        let waiting = gathered.records.len() + head.len() + payload.len();
        if gathered.closed {
            return Err(AppendError::Closed);
        }
        if waiting > QUEUE {
            return Err(AppendError::Busy);
        }
        if self.size() + waiting as u64 > limit {
            return Err(AppendError::Full);
        }
        let first = gathered.records.is_empty();
        gathered.records.extend_from_slice(&head);
        gathered.records.extend_from_slice(payload);
        let safe = Safe { group: Arc::clone(&gathered.group), place: None };
        drop(gathered);
        if first {
            shared.wake.notify_one();
        }
        Ok(safe)
    }

    pub async fn seal(&self) {
        let (done, sealed) = oneshot::channel();
        self.shared.lock().sealing.push(done);
        self.shared.wake.notify_one();
        let _ = sealed.await; // dropped where the thread ended
    }
}

/// A task that wakes groups: from within the runtime it costs a fraction of what it costs from another thread. Where there is
/// no runtime, or no more, the thread that writes does it.
fn teller() -> mpsc::UnboundedSender<Told> {
    let (tell, mut told) = mpsc::unbounded_channel();
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move { while told.recv().await.is_some() {} });
    }
    tell
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        for thread in [self.writing.take(), self.watching.take()].into_iter().flatten() {
            thread.thread().unpark(); // the one that watches
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has gathered, with an empty buffer put in the place of its records; waits for something to do, at most until a
    /// time.
    fn gather(&self, until: Option<Instant>, buffer: Vec<u8>) -> Gathered {
        let mut gathered = self.lock();
        let idle = |gathered: &Gathered| gathered.records.is_empty() && gathered.sealing.is_empty() && !gathered.closed;
        while idle(&gathered) {
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            gathered = match until {
                None => self.wake.wait(gathered).unwrap_or_else(PoisonError::into_inner),
                Some(_) => self.wake.wait_timeout(gathered, left).unwrap_or_else(PoisonError::into_inner).0,
            };
            if !gathered.records.is_empty() {
                drop(gathered);
                std::thread::sleep(LINGER);
                gathered = self.lock();
            }
        }
        let closed = gathered.closed;
        std::mem::replace(&mut gathered, Gathered { closed, records: buffer, ..Gathered::default() })
    }

    fn written(&self) -> MutexGuard<'_, Option<(Instant, Arc<Group>)>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a group how it went.
    fn tell(&self, group: Arc<Group>, outcome: Result<(), AppendError>) {
        let told = Told::new(group, outcome);
        if let Some(teller) = self.teller.get() {
            let _ = teller.send(told); // where nobody hears it, it comes back and is dropped here
        }
    }

    /// Tells those who wait that the disk is too slow, once it has had a group for longer than `patience`. Until it is done
    /// with it nobody waits any more; what has gathered is written then.
    fn watch(&self, patience: Duration) {
        while !self.lock().closed {
            std::thread::park_timeout(patience / 8);
            let late = {
                let written = self.written();
                let late = written.as_ref().filter(|(since, _)| since.elapsed() >= patience);
                self.stalled.fetch_or(late.is_some(), Ordering::Relaxed); // under the lock that ends it
                late.map(|(_, group)| Arc::clone(group))
            };
            if let Some(group) = late {
                let next = std::mem::take(&mut self.lock().group);
                for group in [group, next] {
                    self.tell(group, Err(AppendError::Busy));
                }
            }
        }
    }
}

/// The thread's own part.
struct Segments {
    folder: Arc<Folder>,
    create: Create,
    shared: Arc<Shared>,
}

impl Segments {
    /// Makes a segment with its name durable.
    fn make(&self, number: u64) -> io::Result<Open> {
        let path = self.folder.path(number);
        let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as i64);
        let open = Open::create(&path, &self.shared.salt, now, &self.create).and_then(|open| {
            self.folder.sync()?;
            Ok(open)
        });
        match &open {
            Ok(_) => {
                self.shared.size.fetch_add(HEADER as u64, Ordering::Relaxed);
                self.shared.current.send_replace(number);
            }
            Err(_) => {
                let _ = std::fs::remove_file(&path); // overwritten when it is tried again
            }
        }
        open
    }

    /// Goes on to the next segment; where none can be made, it is tried again an age later.
    fn go_on(&self, writing: &mut Writing) -> io::Result<()> {
        writing.began = Instant::now();
        writing.open = self.make(writing.number + 1)?;
        writing.number += 1;
        Ok(())
    }

    fn write(self, open: Open, bytes: u64, age: Duration) {
        let mut now = Writing { open, number: *self.shared.current.borrow(), began: Instant::now(), failing: false };
        let mut buffer = Vec::new();
        loop {
            let due_at = (!now.open.is_empty()).then(|| now.began + age);
            let Gathered { mut records, group, sealing, closed } = self.shared.gather(due_at, buffer);
            if now.open.is_empty() {
                now.began = Instant::now();
            }
            *self.shared.written() = Some((Instant::now(), Arc::clone(&group)));
            let mut done = if now.open.failed { self.go_on(&mut now) } else { Ok(()) };
            if done.is_ok() && !records.is_empty() {
                done = now.open.commit(&records);
            }
            now.tell(&done);
            if done.is_ok() {
                self.shared.size.fetch_add(records.len() as u64, Ordering::Relaxed);
            }
            self.shared.tell(group, done.map_err(|error| AppendError::Disk(error.kind())));
            records.clear();
            buffer = if records.capacity() > BUFFER { Vec::new() } else { records };
            let asked = !sealing.is_empty() || closed;
            let due = asked || now.open.length >= bytes || now.began.elapsed() >= age;
            // A segment whose successor cannot be made grows beyond its size.
            if due
                && !now.open.is_empty()
                && let Err(error) = self.go_on(&mut now)
            {
                tracing::error!(segment = now.number, %error, "no new segment can be made");
            }
            {
                let mut written = self.shared.written();
                *written = None;
                self.shared.stalled.store(false, Ordering::Relaxed);
            }
            drop(sealing);
            if closed {
                return;
            }
        }
    }
}

/// Where the thread is.
struct Writing {
    open: Open,
    number: u64,
    /// When the first record of the segment came.
    began: Instant,
    /// Whether the last group was refused.
    failing: bool,
}

impl Writing {
    /// Says that the log cannot be written, and that it can again: once each, however many groups there are.
    fn tell(&mut self, done: &io::Result<()>) {
        match done {
            Err(error) if !self.failing => {
                tracing::error!(segment = self.number, %error, "the log cannot be written: clients are told to come back");
            }
            Ok(()) if self.failing => tracing::warn!(segment = self.number, "the log is written again"),
            _ => {}
        }
        self.failing = done.is_err();
    }
}
