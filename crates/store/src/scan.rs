//! A table at a version, as a scan of plain Parquet files whose layout the planner knows.
//!
//! Clustered tables whose buckets each hold one sorted run are declared sorted and range-partitioned: a plan that needs
//! the rows of a key together and in time order then has neither a sort nor a shuffle. Where runs overlap, each is still
//! declared sorted, so that a merge is enough.
use crate::{error::Result, log::DataFile, stats::Span, writer::file_schema};
use arrow::{
    compute::SortOptions,
    datatypes::{FieldRef, SchemaRef},
};
use datafusion::{
    catalog::{Session, TableProvider},
    common::{
        ColumnStatistics, DFSchema, Result as PlanResult, ScalarValue, SplitPoint, Statistics,
        config::TableParquetOptions, project_schema, stats::Precision,
    },
    datasource::{
        TableType,
        listing::PartitionedFile,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource, parquet::CachedParquetFileReaderFactory},
        source::DataSourceExec,
        table_schema::TableSchema,
    },
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, TableProviderFilterPushDown, utils::conjunction},
    physical_expr::{LexOrdering, Partitioning, PhysicalSortExpr, RangePartitioning, expressions::Column},
    physical_plan::{ExecutionPlan, empty::EmptyExec},
};
use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};
use object_store::{ObjectMeta, path::Path as ObjectPath};
use safar_model::{BUCKETS, Table, bucket_of};
use std::sync::Arc;

/// A table as a snapshot pins it: a provider of its rows for queries.
#[derive(Clone, Debug)]
pub struct SnapshotTable {
    table: Table,
    version: Option<u64>,
    schema: TableSchema,
    files: Arc<Vec<DataFile>>,
    scans: Vec<PartitionedFile>,
    layout: Layout,
}

/// How files lie in the order of the table; numbers are indices of files.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Layout {
    /// One sorted run a bucket: partition `b` is the range of keys of bucket `b`.
    Ranges(Vec<Vec<usize>>),
    /// Sorted files that overlap.
    Runs,
    /// Some file is in no known order.
    Loose,
}

impl SnapshotTable {
    pub(crate) fn new(table: Table, version: Option<u64>, files: Arc<Vec<DataFile>>) -> Result<Self> {
        let files_have = file_schema(table);
        let partition: Vec<FieldRef> = table.schema().fields()[files_have.fields().len()..].to_vec();
        let schema = TableSchema::builder(files_have).with_table_partition_cols(partition).build();
        let scans = files.iter().map(|file| scan_of(table, &schema, file)).collect::<Result<_>>()?;
        let layout = layout(table, &files);
        Ok(Self { table, version, schema, files, scans, layout })
    }

    /// Which table it is.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// The version of the table; `None` where the snapshot is older than the table, which is then empty.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// Its files, ordered by bucket, least key and time, and name.
    #[must_use]
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// Whether each bucket is one sorted run, so that scans need no sort and no shuffle by key.
    #[must_use]
    pub fn is_range_partitioned(&self) -> bool {
        matches!(self.layout, Layout::Ranges(_))
    }

    fn order(&self) -> Option<LexOrdering> {
        let schema = self.schema.file_schema();
        let ascending = SortOptions { descending: false, nulls_first: false };
        let terms = self.table.sort_columns().iter().filter_map(|name| {
            let index = schema.index_of(name).ok()?;
            Some(PhysicalSortExpr::new(Arc::new(Column::new(name, index)), ascending))
        });
        LexOrdering::new(terms)
    }

    /// The files as partitions, with the order and the partitioning that they have.
    fn groups(&self, target: usize) -> PlanResult<(Vec<FileGroup>, Option<LexOrdering>, Option<Partitioning>)> {
        let group = |run: &Vec<usize>| FileGroup::new(run.iter().map(|&index| self.scans[index].clone()).collect());
        let Some(order) = self.order() else { return Ok((self.loose(target), None, None)) };
        match &self.layout {
            Layout::Ranges(buckets) => {
                let key = LexOrdering::new([order[0].clone()]).unwrap_or_else(|| order.clone());
                let splits =
                    (1..BUCKETS).map(|bucket| SplitPoint::new(vec![ScalarValue::Int64(Some(bucket_start(bucket)))]));
                let ranges = RangePartitioning::try_new(key, splits.collect())?;
                Ok((buckets.iter().map(group).collect(), Some(order), Some(Partitioning::Range(ranges))))
            }
            Layout::Runs => {
                let everything = runs(&self.files, 0..self.files.len()).len();
                let spans = target.div_ceil(everything).clamp(1, BUCKETS as usize);
                let span = |index: &usize| match self.files[*index].bucket {
                    Some(bucket @ 0..) => 1 + bucket as usize * spans / BUCKETS as usize,
                    _ => 0,
                };
                let indices: Vec<_> = (0..self.files.len()).collect();
                // Files are ordered by bucket, so those of a span stand together.
                let spans = indices.chunk_by(|a, b| span(a) == span(b));
                let groups = spans.flat_map(|span| runs(&self.files, span.iter().copied()));
                Ok((groups.map(|run| group(&run)).collect(), Some(order), None))
            }
            Layout::Loose => Ok((self.loose(target), None, None)),
        }
    }

    fn loose(&self, target: usize) -> Vec<FileGroup> {
        FileGroup::new(self.scans.clone()).split_files(target.max(1))
    }

    fn statistics(&self) -> Statistics {
        let mut total = Statistics::new_unknown(self.schema.table_schema());
        let rows = self.files.iter().map(|file| file.rows.map(|rows| rows as usize)).sum::<Option<usize>>();
        total.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
        let key = self.files.iter().map(|file| file.stats.key).reduce(union).flatten();
        let time = self.files.iter().map(|file| file.stats.time).reduce(union).flatten();
        set_bounds(&mut total, self.table, self.schema.file_schema(), key, time);
        total
    }
}

impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        // Files, row groups and pages are skipped by their bounds; the rows that are left are filtered above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    // Written out: docs/adr/0007-futures-written-out.md.
    fn scan<'life0, 'life1, 'life2, 'life3, 'async_trait>(
        &'life0 self,
        state: &'life1 dyn Session,
        projection: Option<&'life2 Vec<usize>>,
        filters: &'life3 [Expr],
        limit: Option<usize>,
    ) -> BoxFuture<'async_trait, PlanResult<Arc<dyn ExecutionPlan>>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
    {
        ready(self.plan(state, projection, filters, limit)).boxed()
    }
}

impl SnapshotTable {
    fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema(), projection)?)));
        }
        let url = ObjectStoreUrl::local_filesystem();
        let runtime = state.runtime_env();
        let cache = runtime.cache_manager.get_file_metadata_cache();
        let reader = CachedParquetFileReaderFactory::new(runtime.object_store(&url)?, cache);
        let options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        let mut source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(reader));
        if let Some(filter) = conjunction(filters.to_vec()) {
            let schema = DFSchema::try_from(self.schema())?;
            source = source.with_predicate(state.create_physical_expr(filter, &schema)?);
        }
        let (groups, order, partitioning) = self.groups(state.config().target_partitions())?;
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(self.statistics())
            .with_output_ordering(order.into_iter().collect())
            .with_output_partitioning(partitioning)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The least key of a bucket.
fn bucket_start(bucket: u32) -> i64 {
    i64::from(bucket) << (63 - BUCKETS.trailing_zeros())
}

fn layout(table: Table, files: &[DataFile]) -> Layout {
    let known = |file: &DataFile| file.sorted && file.stats.key.is_some() && file.stats.time.is_some();
    if !table.is_clustered() || !files.iter().all(known) {
        return Layout::Loose;
    }
    let mut ranges = vec![vec![]; BUCKETS as usize];
    let mut greatest = None;
    for (index, file) in files.iter().enumerate() {
        // Ordered by bucket and least key: one run a bucket is one run in all.
        let (Some(span), Some(bucket)) = (file.stats.key, file.bucket) else { return Layout::Runs };
        let inside = bucket_of(span.min) == bucket && bucket_of(span.max) == bucket && span.min >= 0;
        let Some(range) = ranges.get_mut(bucket as usize).filter(|_| inside && Some(span.min) > greatest) else {
            return Layout::Runs;
        };
        range.push(index);
        greatest = Some(span.max);
    }
    Layout::Ranges(ranges)
}

/// Puts files into as few sequences as possible that each ascend without overlap.
pub(crate) fn runs(files: &[DataFile], indices: impl IntoIterator<Item = usize>) -> Vec<Vec<usize>> {
    let span = |index: usize| files[index].stats.key.map_or((i64::MIN, i64::MAX), |span| (span.min, span.max));
    let mut indices: Vec<_> = indices.into_iter().collect();
    indices.sort_by_key(|&index| (span(index), index));
    let mut runs: Vec<Vec<usize>> = vec![];
    for index in indices {
        let free = |run: &&mut Vec<usize>| run.last().is_some_and(|&last| span(last).1 < span(index).0);
        match runs.iter_mut().find(free) {
            Some(run) => run.push(index),
            None => runs.push(vec![index]),
        }
    }
    runs
}

fn scan_of(table: Table, schema: &TableSchema, file: &DataFile) -> Result<PartitionedFile> {
    let location = ObjectPath::from_absolute_path(&file.path).map_err(|error| crate::Error::Format {
        path: file.path.clone(),
        reason: format!("{error}; move the workspace to a folder with a simpler name"),
    })?;
    // The files never change, so a fixed time lets caches of their footers live as long as they do.
    let meta = ObjectMeta { location, last_modified: Default::default(), size: file.bytes, e_tag: None, version: None };
    let mut stats = Statistics::new_unknown(schema.file_schema());
    stats.num_rows = file.rows.map_or(Precision::Absent, |rows| Precision::Exact(rows as usize));
    set_bounds(&mut stats, table, schema.file_schema(), file.stats.key, file.stats.time);
    let partition = schema.table_partition_cols().iter().map(|_| ScalarValue::Int32(file.bucket)).collect();
    Ok(PartitionedFile::new_from_meta(meta).with_partition_values(partition).with_statistics(Arc::new(stats)))
}

fn set_bounds(stats: &mut Statistics, table: Table, schema: &SchemaRef, key: Option<Span>, time: Option<Span>) {
    let instant = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
    let whole = |value| ScalarValue::Int64(Some(value));
    for (position, name) in table.sort_columns().iter().enumerate() {
        let (span, scalar): (_, &dyn Fn(i64) -> ScalarValue) =
            if position == 0 { (key, &whole) } else { (time, &instant) };
        let (Some(span), Ok(index)) = (span, schema.index_of(name)) else { continue };
        let bound = |value| if span.exact { Precision::Exact(value) } else { Precision::Inexact(value) };
        stats.column_statistics[index] = ColumnStatistics {
            null_count: Precision::Exact(0),
            min_value: bound(scalar(span.min)),
            max_value: bound(scalar(span.max)),
            ..ColumnStatistics::new_unknown()
        };
    }
}

fn union(a: Option<Span>, b: Option<Span>) -> Option<Span> {
    let (a, b) = (a?, b?);
    Some(Span { min: a.min.min(b.min), max: a.max.max(b.max), exact: a.exact && b.exact })
}
