//! Where in a column of lists the items of each row lie.
use arrow_array::{Array, ArrayRef, cast::AsArray};
use arrow_buffer::{ArrowNativeType, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use std::{ops::Range, sync::Arc};

/// Of one batch.
pub struct Spans {
    bounds: Bounds,
    nulls: Option<NullBuffer>,
}

enum Bounds {
    /// From one offset to the next.
    Small(ScalarBuffer<i32>),
    Large(ScalarBuffer<i64>),
    /// Offsets and sizes.
    SmallView(ScalarBuffer<i32>, ScalarBuffer<i32>),
    LargeView(ScalarBuffer<i64>, ScalarBuffer<i64>),
    /// All of one size.
    Fixed(usize),
}

impl Spans {
    /// The spans, and the items of all rows; `None` where `array` holds no lists.
    pub fn of(array: &ArrayRef) -> Option<(Self, ArrayRef)> {
        let (bounds, items) = match array.data_type() {
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                (Bounds::Small(lists.offsets().inner().clone()), lists.values())
            }
            DataType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                (Bounds::Large(lists.offsets().inner().clone()), lists.values())
            }
            DataType::ListView(_) => {
                let lists = array.as_list_view::<i32>();
                (Bounds::SmallView(lists.offsets().clone(), lists.sizes().clone()), lists.values())
            }
            DataType::LargeListView(_) => {
                let lists = array.as_list_view::<i64>();
                (Bounds::LargeView(lists.offsets().clone(), lists.sizes().clone()), lists.values())
            }
            DataType::FixedSizeList(_, size) => (Bounds::Fixed(size.as_usize()), array.as_fixed_size_list().values()),
            _ => return None,
        };
        Some((Self { bounds, nulls: array.nulls().cloned() }, Arc::clone(items)))
    }

    /// Of the list at `row`; `None` where there is no list.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Range<usize>> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        Some(match &self.bounds {
            Bounds::Small(offsets) => offsets[row].as_usize()..offsets[row + 1].as_usize(),
            Bounds::Large(offsets) => offsets[row].as_usize()..offsets[row + 1].as_usize(),
            Bounds::SmallView(offsets, sizes) => sized(offsets[row].as_usize(), sizes[row].as_usize()),
            Bounds::LargeView(offsets, sizes) => sized(offsets[row].as_usize(), sizes[row].as_usize()),
            Bounds::Fixed(size) => sized(row * size, *size),
        })
    }
}

fn sized(from: usize, size: usize) -> Range<usize> {
    from..from + size
}
