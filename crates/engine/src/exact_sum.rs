//! `exact_sum(x)`: sums of money that do not depend on the order of the rows.
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array},
        datatypes::{DataType, Field, FieldRef, Float64Type},
    },
    common::{Result, ScalarValue},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};
use safar_model::sum::Sum;
use std::sync::Arc;

/// The SQL aggregate `exact_sum(x)`, a [`Sum`]: cents stay cents, and the result is the same whichever core met a row first, which
/// the sum of the standard is not. Null where every x is.
pub(crate) fn exact_sum() -> AggregateUDF {
    AggregateUDF::new_from_impl(ExactSum {
        signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactSum {
    signature: Signature,
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &str {
        "exact_sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let part = |part| Arc::new(Field::new(format!("{}[{part}]", args.name), DataType::Float64, true));
        Ok(vec![part("sum"), part("lost")])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Sums::default()))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneSum(Sums { groups: vec![None] })))
    }
}

/// By group; `None` where nothing was added.
#[derive(Debug, Default)]
struct Sums {
    groups: Vec<Option<Sum>>,
}

impl Sums {
    fn update(&mut self, column: &ArrayRef, group: impl Fn(usize) -> usize, filter: Option<&BooleanArray>) {
        let column = column.as_primitive::<Float64Type>();
        for (row, x) in column.iter().enumerate() {
            if let Some(x) = x
                && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
            {
                self.groups[group(row)].get_or_insert_default().add(x);
            }
        }
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) {
        let [sums, lost] = [0, 1].map(|part| states[part].as_primitive::<Float64Type>());
        for (row, (sum, lost)) in sums.iter().zip(lost).enumerate() {
            if let (Some(sum), Some(lost)) = (sum, lost) {
                self.groups[group(row)].get_or_insert_default().merge(Sum { rounded: sum, lost });
            }
        }
    }

    fn states(&mut self, emit: EmitTo) -> Vec<ArrayRef> {
        let groups = emit.take_needed(&mut self.groups);
        let part = |part: fn(Sum) -> f64| groups.iter().map(|sum| sum.map(part)).collect::<Float64Array>();
        vec![Arc::new(part(|sum| sum.rounded)), Arc::new(part(|sum| sum.lost))]
    }
}

impl GroupsAccumulator for Sums {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.groups.resize(count, None);
        self.update(&columns[0], |row| groups[row], filter);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.groups.resize(count, None);
        self.merge(states, |row| groups[row]);
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let groups = emit.take_needed(&mut self.groups);
        Ok(Arc::new(groups.into_iter().map(|sum| sum.map(Sum::get)).collect::<Float64Array>()))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(self.states(emit))
    }

    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Self { groups: vec![None; columns[0].len()] };
        rows.update(&columns[0], |row| row, filter);
        Ok(rows.states(EmitTo::All))
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Option<Sum>>()
    }
}

/// The same without groups.
#[derive(Debug)]
struct OneSum(Sums);

impl Accumulator for OneSum {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.0.update(&columns[0], |_| 0, None);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.0.groups[0].map(Sum::get)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = self.0.groups[0];
        Ok(vec![ScalarValue::Float64(sum.map(|sum| sum.rounded)), ScalarValue::Float64(sum.map(|sum| sum.lost))])
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }
}
