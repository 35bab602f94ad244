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
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::{oneshot, watch};

/// How long the first of a group waits for others.
const LINGER: Duration = Duration::from_micros(500);
/// The most bytes that wait for the disk.
const QUEUE: usize = 64 << 20;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
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
}

/// What waits for the disk.
#[derive(Debug, Default)]
struct Gathered {
    records: Vec<u8>,
    waiting: Vec<oneshot::Sender<Result<(), AppendError>>>,
    sealing: Vec<oneshot::Sender<()>>,
    closed: bool,
}

impl Writer {
    pub fn start(folder: Arc<Folder>, settings: &LogSettings, create: Create) -> Result<Self, LogError> {
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
        });
        let segments = Segments { folder, create, shared: Arc::clone(&shared) };
        let open = segments.make(number).map_err(disk("make", &segments.folder.path(number)))?;
        let (bytes, age) = (settings.segment_bytes(), settings.segment_age());
        let thread = std::thread::Builder::new()
            .name("safar-log".to_owned())
            .spawn(move || segments.write(open, bytes, age))
            .map_err(|source| LogError::Disk { what: "start a thread for", path: "the log".into(), source })?;
        Ok(Self { shared, thread: Some(thread) })
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

    pub async fn append(&self, payload: &[u8]) -> Result<(), AppendError> {
        if payload.len() > RECORD {
            return Err(AppendError::TooLarge);
        }
        let head = head(&self.shared.salt, payload);
        let (done, safe) = oneshot::channel();
        {
            let mut gathered = self.shared.lock();
            let waiting = gathered.records.len() + head.len() + payload.len();
            if gathered.closed {
                return Err(AppendError::Closed);
            }
            if waiting > QUEUE {
                return Err(AppendError::Busy);
            }
            if self.size() + waiting as u64 > self.shared.limit {
                return Err(AppendError::Full);
            }
            gathered.records.extend_from_slice(&head);
            gathered.records.extend_from_slice(payload);
            gathered.waiting.push(done);
            if gathered.waiting.len() == 1 {
                self.shared.wake.notify_one();
            }
        }
        safe.await.unwrap_or(Err(AppendError::Closed))
    }

    pub async fn seal(&self) {
        let (done, sealed) = oneshot::channel();
        self.shared.lock().sealing.push(done);
        self.shared.wake.notify_one();
        let _ = sealed.await; // dropped where the thread ended
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has gathered; waits for something to do, at most until a time.
    fn gather(&self, until: Option<Instant>) -> Gathered {
        let mut gathered = self.lock();
        let idle = |gathered: &Gathered| gathered.waiting.is_empty() && gathered.sealing.is_empty() && !gathered.closed;
        while idle(&gathered) {
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            gathered = match until {
                None => self.wake.wait(gathered).unwrap_or_else(PoisonError::into_inner),
                Some(_) => self.wake.wait_timeout(gathered, left).unwrap_or_else(PoisonError::into_inner).0,
            };
            if !gathered.waiting.is_empty() {
                drop(gathered);
                std::thread::sleep(LINGER);
                gathered = self.lock();
            }
        }
        let closed = gathered.closed;
        let room = Gathered { closed, records: Vec::with_capacity(gathered.records.len()), ..Gathered::default() };
        std::mem::replace(&mut gathered, room)
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
        let mut now = Writing { open, number: *self.shared.current.borrow(), began: Instant::now() };
        loop {
            let due_at = (!now.open.is_empty()).then(|| now.began + age);
            let Gathered { records, waiting, sealing, closed } = self.shared.gather(due_at);
            if now.open.is_empty() {
                now.began = Instant::now();
            }
            let mut done = if now.open.failed { self.go_on(&mut now) } else { Ok(()) };
            if done.is_ok() && !records.is_empty() {
                done = now.open.commit(&records);
            }
            match &done {
                Ok(()) => _ = self.shared.size.fetch_add(records.len() as u64, Ordering::Relaxed),
                Err(error) => {
                    tracing::error!(segment = now.number, %error, refused = waiting.len(), "the log cannot be written");
                }
            }
            let answer = done.map_err(|error| AppendError::Disk(error.kind()));
            for one in waiting {
                let _ = one.send(answer); // who left does not mind
            }
            let asked = !sealing.is_empty() || closed;
            let due = asked || now.open.length >= bytes || now.began.elapsed() >= age;
            // A segment whose successor cannot be made grows beyond its size.
            if due
                && !now.open.is_empty()
                && let Err(error) = self.go_on(&mut now)
            {
                tracing::error!(segment = now.number, %error, "no new segment can be made");
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
}
