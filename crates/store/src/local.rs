//! Local files for queries, read into buffers that are used again: a fresh one costs as much as reading does, because the
//! system clears its pages and the reader clears it once more.
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result, local::LocalFileSystem, path::Path,
};
use std::{
    fmt,
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// The buffers that wait for their next use hold at most this much together.
const IDLE_BYTES: usize = 64 << 20;
/// Smaller reads are left to the allocator.
const POOLED_BYTES: u64 = 64 << 10;

/// The local file system. Parts of files are read into pooled memory, everything else is as [`LocalFileSystem`] has it.
#[derive(Clone, Debug, Default)]
pub struct LocalFiles {
    files: Arc<LocalFileSystem>,
    pool: Arc<Pool>,
}

/// Buffers that nobody reads from any more; each was filled once, so none has to be cleared.
#[derive(Debug, Default)]
struct Pool(Mutex<Vec<Vec<u8>>>);

/// A buffer on loan, of which the first bytes count.
struct Loan {
    buffer: Vec<u8>,
    length: usize,
    pool: Arc<Pool>,
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.buffer));
    }
}

impl Pool {
    /// A buffer of at least `length` bytes, of which the caller overwrites as many.
    fn lend(self: &Arc<Self>, length: usize) -> Loan {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = idle.iter().enumerate().filter(|(_, buffer)| buffer.len() >= length);
        let smallest = fitting.min_by_key(|(_, buffer)| buffer.len()).map(|(at, _)| at);
        let buffer = smallest.map(|at| idle.swap_remove(at));
        drop(idle);
        let buffer = buffer.unwrap_or_else(|| vec![0; length.next_power_of_two()]);
        Loan { buffer, length, pool: Arc::clone(self) }
    }

    fn give_back(&self, buffer: Vec<u8>) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.iter().map(Vec::len).sum::<usize>() + buffer.len() <= IDLE_BYTES {
            idle.push(buffer);
        }
    }

    fn read(self: &Arc<Self>, file: &mut File, range: &Range<u64>) -> std::io::Result<Bytes> {
        let length = range.end.saturating_sub(range.start);
        file.seek(SeekFrom::Start(range.start))?;
        let mut loan = self.lend(length as usize);
        file.read_exact(&mut loan.buffer[..length as usize])?;
        Ok(Bytes::from_owner(loan))
    }
}

impl fmt::Display for LocalFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

#[async_trait::async_trait]
impl ObjectStore for LocalFiles {
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let bytes: u64 = ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum();
        if bytes >= POOLED_BYTES {
            let (path, pool, wanted) = (self.files.path_to_filesystem(location)?, self.pool.clone(), ranges.to_vec());
            let read = move || -> std::io::Result<Vec<Bytes>> {
                let mut file = File::open(path)?;
                wanted.iter().map(|range| pool.read(&mut file, range)).collect()
            };
            if let Ok(Ok(parts)) = tokio::task::spawn_blocking(read).await {
                return Ok(parts);
            }
        }
        // It also says what is wrong with a file that cannot be read.
        self.files.get_ranges(location, ranges).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.files.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn location(path: &std::path::Path) -> Path {
        Path::from_absolute_path(path).unwrap()
    }

    proptest! {
        /// Whatever a buffer held before, the parts are those of the file.
        #[test]
        fn parts_are_what_the_file_holds(
            size in 1usize..400_000,
            cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("bytes");
            let content: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
            std::fs::write(&path, &content).unwrap();
            let ranges: Vec<_> = cuts
                .iter()
                .map(|(a, b)| (a.index(size), b.index(size)))
                .map(|(a, b)| a.min(b) as u64..a.max(b) as u64 + 1)
                .collect();
            let files = LocalFiles::default();
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
                for _ in 0..2 {
                    let parts = files.get_ranges(&location(&path), &ranges).await.unwrap();
                    for (part, range) in parts.iter().zip(&ranges) {
                        assert_eq!(&part[..], &content[range.start as usize..range.end as usize]);
                    }
                }
            });
        }
    }

    #[test]
    fn a_read_that_fails_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        let files = LocalFiles::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = |range| runtime.block_on(files.get_ranges(&location(&path), &[range]));
        assert!(matches!(read(0..100_000), Err(object_store::Error::NotFound { .. })));
        std::fs::write(&path, vec![1; 100_000]).unwrap();
        assert_eq!(read(0..100_000).unwrap()[0].len(), 100_000);
        assert!(read(50_000..150_000).is_err(), "the file is shorter");
    }

    #[test]
    fn buffers_come_back_and_are_few() {
        let pool = Arc::new(Pool::default());
        let loans: Vec<_> = (0..9).map(|_| pool.lend(10 << 20)).collect();
        drop(loans);
        let idle = |pool: &Pool| pool.0.lock().unwrap().iter().map(Vec::len).sum::<usize>();
        assert_eq!(idle(&pool), IDLE_BYTES / (16 << 20) * (16 << 20));
        let loan = pool.lend(1);
        assert_eq!(idle(&pool), IDLE_BYTES - (16 << 20));
        drop(loan);
        assert_eq!(idle(&pool), IDLE_BYTES);
    }
}
