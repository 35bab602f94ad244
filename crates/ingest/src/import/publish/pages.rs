//! Reading only those pages of a stored file that may hold certain keys.
use super::super::{columns::KEY, error::Error, reject::damaged};
use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::Int64Type,
    error::ArrowError,
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, statistics::StatisticsConverter,
        },
    },
    file::metadata::PageIndexPolicy,
};
use std::{fs::File, path::Path};

/// Some columns of a Parquet file, in the order of the file, of all rows whose key is among `keys`, which ascend, and of others
/// in their pages.
pub(super) fn read(
    path: &Path,
    columns: &[&str],
    keys: &[i64],
) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>> + use<>, Error> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let file = File::open(path).map_err(Error::io(path))?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(damaged(path))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    if let Some(rows) = rows(&builder, keys) {
        builder = builder.with_row_selection(rows);
    }
    builder.with_projection(mask).build().map_err(damaged(path))
}

/// The rows of the pages; `None` where the file does not say what its pages hold.
fn rows(builder: &ParquetRecordBatchReaderBuilder<File>, keys: &[i64]) -> Option<RowSelection> {
    let file = builder.metadata();
    let (bounds, places) = (file.column_index()?, file.offset_index()?);
    let statistics = StatisticsConverter::try_new(KEY, builder.schema(), builder.parquet_schema()).ok()?;
    let column = statistics.parquet_column_index()?;
    let (mut found, mut before) = (vec![], 0);
    for (number, group) in file.row_groups().iter().enumerate() {
        let least = statistics.data_page_mins(bounds, places, [&number]).ok()?;
        let greatest = statistics.data_page_maxes(bounds, places, [&number]).ok()?;
        let (least, greatest) = (least.as_primitive_opt::<Int64Type>()?, greatest.as_primitive_opt::<Int64Type>()?);
        let begins = places.get(number)?.get(column)?.page_locations();
        let rows = group.num_rows() as usize;
        for (page, begin) in begins.iter().enumerate() {
            let end = begins.get(page + 1).map_or(rows, |next| next.first_row_index as usize);
            let may_hold = least.is_null(page) || greatest.is_null(page) || {
                let next = keys.get(keys.partition_point(|key| *key < least.value(page)));
                next.is_some_and(|key| *key <= greatest.value(page))
            };
            if may_hold {
                found.push(before + begin.first_row_index as usize..before + end);
            }
        }
        before += rows;
    }
    Some(RowSelection::from_consecutive_ranges(found.into_iter(), before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::{
        array::{ArrayRef, Int64Array},
        datatypes::{DataType, Field, Schema},
    };
    use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
    use proptest::{collection::vec, prelude::*};
    use std::sync::Arc;

    const PAGE: usize = 8;

    fn file(keys: &[i64]) -> tempfile::NamedTempFile {
        let schema = Arc::new(Schema::new(vec![Field::new(KEY, DataType::Int64, false)]));
        let file = tempfile::NamedTempFile::new().unwrap();
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(5 * PAGE))
            .set_data_page_row_count_limit(PAGE)
            .set_write_batch_size(PAGE)
            .set_dictionary_enabled(false);
        let mut writer =
            ArrowWriter::try_new(file.reopen().unwrap(), Arc::clone(&schema), Some(properties.build())).unwrap();
        let column: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
        writer.write(&RecordBatch::try_new(schema, vec![column]).unwrap()).unwrap();
        writer.close().unwrap();
        file
    }

    fn found(file: &Path, wanted: &[i64]) -> Vec<i64> {
        let batches = read(file, &[KEY], wanted).unwrap().map(Result::unwrap);
        batches.flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    proptest! {
        #[test]
        fn no_row_is_missed_and_few_others_are_read(mut keys in vec(0_i64..400, 1..300), wanted in proptest::collection::btree_set(-5_i64..405, 0..4), sorted: bool) {
            if sorted {
                keys.sort();
            }
            let (file, wanted) = (file(&keys), wanted.into_iter().collect::<Vec<_>>());
            let read = found(file.path(), &wanted);
            let of_those = |keys: &[i64]| keys.iter().copied().filter(|key| wanted.contains(key)).collect::<Vec<_>>();
            prop_assert_eq!(of_those(&read), of_those(&keys));
            // Rows of one key lie in their own pages and in those that they begin and end in.
            let own = of_those(&keys).len();
            prop_assert!(!sorted || read.len() <= own + 2 * PAGE * wanted.len(), "{} of {}", read.len(), keys.len());
        }
    }
}
