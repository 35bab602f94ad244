//! `journey_paths(time, channel, is_conversion, value, look_back)`: the paths of a group, for SQL.
use super::gather::instant;
use super::labels::{LabelKind, Labels, NO_LABEL, PathColumn, push_text, take_text};
use super::node::path_schema;
use super::walk::{CONVERSION, Mark, PathCountsOptions, Walker, Weights, push_number, take_number};
use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Float64Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, IntervalUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;
use safar_model::DAY_US;
use std::sync::Arc;

/// The SQL aggregate `journey_paths(time, channel, is_conversion, value, look_back)`.
///
/// In each group, usually a person, a row is a conversion or else a touch (left out where `channel` is null). Returns a list of
/// `{channels, conversions, value, nulls}`: one for each conversion, with the touches at most `look_back` older that no
/// earlier conversion took, or one for a group with touches and no conversion. `channel` is a text or an integer ≥ 0;
/// `look_back` is a constant, an interval of days or finer, or a number of microseconds.
///
/// ```sql
/// SELECT p['channels'], sum(p['conversions']), sum(p['value']), sum(p['nulls'])
/// FROM (SELECT unnest(journey_paths(occurred_at, channel, name = 'purchase', value, INTERVAL '30 days')) AS p
///       FROM events GROUP BY key)
/// GROUP BY 1
/// ```
#[must_use]
pub fn journey_paths() -> AggregateUDF {
    AggregateUDF::new_from_impl(JourneyPaths { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JourneyPaths {
    signature: Signature,
}

fn path_fields(kind: LabelKind) -> Fields {
    path_schema(kind).fields
}

fn item(kind: LabelKind) -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(path_fields(kind)), true))
}

fn look_back_us(args: &AccumulatorArgs<'_>) -> Result<i64> {
    let value = args.exprs.get(4).and_then(|expr| expr.downcast_ref::<Literal>()).map(Literal::value);
    match value {
        Some(ScalarValue::Int64(Some(micros))) if *micros >= 0 => Ok(*micros),
        Some(ScalarValue::IntervalMonthDayNano(Some(span)))
            if span.months == 0 && span.days >= 0 && span.nanoseconds >= 0 =>
        {
            Ok(i64::from(span.days) * DAY_US + span.nanoseconds / 1000)
        }
        _ => plan_err!(
            "journey_paths needs a constant look-back of 0 or more: INTERVAL '30 days' (no months or years) or a number of microseconds"
        ),
    }
}

impl JourneyPaths {
    fn gather(&self, args: &AccumulatorArgs<'_>) -> Result<Groups> {
        let kind = match args.exprs.get(1) {
            Some(channel) => LabelKind::of(&channel.data_type(args.schema)?)?,
            None => return plan_err!("journey_paths needs a channel"),
        };
        let options = PathCountsOptions { look_back_us: look_back_us(args)?, count_again: false };
        Ok(Groups::new(kind, options))
    }
}

impl AggregateUDFImpl for JourneyPaths {
    fn name(&self) -> &str {
        "journey_paths"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [_, channel, _, value, look_back] = types else {
            return plan_err!(
                "journey_paths takes (time, channel, is_conversion, value, look_back), not {} arguments",
                types.len()
            );
        };
        if !value.is_numeric() && !value.is_null() {
            return plan_err!("the value given to journey_paths is a number, not {value}");
        }
        let channel = match LabelKind::of(channel) {
            Ok(LabelKind::Text) => channel.clone(),
            Ok(LabelKind::Byte | LabelKind::Code) => DataType::Int32,
            // Literals and casts in SQL are 64-bit.
            Err(_) if *channel == DataType::Int64 => DataType::Int32,
            Err(error) => return Err(error),
        };
        let look_back = match look_back {
            DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            _ => DataType::Int64,
        };
        Ok(vec![instant(), channel, DataType::Boolean, DataType::Float64, look_back])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.get(1) {
            Some(channel) => Ok(DataType::List(item(LabelKind::of(channel)?))),
            None => plan_err!("journey_paths needs a channel"),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[marks]", args.name), DataType::Binary, true))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.gather(&args)?))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut groups = self.gather(&args)?;
        groups.count = 1;
        Ok(Box::new(OneGroup(groups)))
    }
}

/// The marks of all groups as they came; brought together by counting when they are asked for.
#[derive(Debug)]
struct Groups {
    kind: LabelKind,
    options: PathCountsOptions,
    labels: Labels,
    numbers: Vec<u32>,
    count: usize,
    owner: Vec<u32>,
    marks: Vec<Mark>,
    /// Whether owners came in ascending order, as they do from sorted input.
    ascending: bool,
}

impl Groups {
    fn new(kind: LabelKind, options: PathCountsOptions) -> Self {
        let labels = Labels::new(kind);
        Self { kind, options, labels, numbers: vec![], count: 0, owner: vec![], marks: vec![], ascending: true }
    }

    fn push(&mut self, group: usize, mark: Mark) {
        let group = group as u32;
        self.ascending &= self.owner.last().is_none_or(|last| *last <= group);
        self.owner.push(group);
        self.marks.push(mark);
    }

    fn update(
        &mut self,
        columns: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let mut numbers = std::mem::take(&mut self.numbers);
        self.labels.read(&columns[1], &mut numbers)?;
        let times = columns[0].as_primitive::<TimestampMicrosecondType>();
        let conversions = columns[2].as_boolean();
        let values = columns[3].as_primitive::<Float64Type>();
        if times.null_count() > 0 {
            return exec_err!(
                "journey_paths found {} rows without a time; leave them out with WHERE",
                times.null_count()
            );
        }
        self.marks.reserve(times.len());
        self.owner.reserve(times.len());
        for (row, number) in numbers.iter().enumerate() {
            if filter.is_some_and(|filter| !(filter.is_valid(row) && filter.value(row))) {
                continue;
            }
            let at = times.value(row);
            if conversions.is_valid(row) && conversions.value(row) {
                let value = if values.is_valid(row) { values.value(row) } else { 0.0 };
                self.push(group(row), Mark { at, tag: CONVERSION, value });
            } else if *number != NO_LABEL {
                self.push(group(row), Mark { at, tag: *number, value: 0.0 });
            }
        }
        self.numbers = numbers;
        Ok(())
    }

    fn merge(&mut self, states: &ArrayRef, group: impl Fn(usize) -> usize) -> Result<()> {
        let states = states.as_binary::<i32>();
        for (row, state) in states.iter().enumerate() {
            let mut rest = state.unwrap_or_default();
            while !rest.is_empty() {
                let Some(mark) = self.decode(&mut rest) else {
                    return exec_err!("the state of journey_paths is torn; run the same version everywhere");
                };
                self.push(group(row), mark);
            }
        }
        Ok(())
    }

    fn encode(&self, mark: &Mark, out: &mut Vec<u8>) {
        out.extend(mark.at.to_le_bytes());
        if mark.tag & CONVERSION != 0 {
            out.push(1);
            out.extend(mark.value.to_le_bytes());
        } else {
            out.push(0);
            match self.labels.text(mark.tag) {
                Some(text) => push_text(out, text),
                None => push_number(out, mark.tag),
            }
        }
    }

    fn decode(&mut self, rest: &mut &[u8]) -> Option<Mark> {
        let (at, tail) = rest.split_first_chunk::<8>()?;
        let (flag, tail) = tail.split_first()?;
        *rest = tail;
        let at = i64::from_le_bytes(*at);
        if *flag == 1 {
            let (value, tail) = rest.split_first_chunk::<8>()?;
            *rest = tail;
            return Some(Mark { at, tag: CONVERSION, value: f64::from_le_bytes(*value) });
        }
        let tag = match self.kind {
            LabelKind::Byte | LabelKind::Code => take_number(rest)?,
            LabelKind::Text => self.labels.number(take_text(rest)?),
        };
        Some(Mark { at, tag, value: 0.0 })
    }

    /// The first groups' marks, group after group, and where each ends; the others stay.
    fn take(&mut self, emit: EmitTo) -> (Vec<usize>, Vec<Mark>) {
        let count = match emit {
            EmitTo::All => self.count,
            EmitTo::First(count) => count,
        };
        self.count -= count;
        let mut ends = vec![0; count];
        for group in &self.owner {
            if let Some(end) = ends.get_mut(*group as usize) {
                *end += 1;
            }
        }
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        if self.ascending {
            let rest = self.marks.split_off(total);
            let marks = std::mem::replace(&mut self.marks, rest);
            for group in &self.owner[..total] {
                ends[*group as usize] += 1;
            }
            self.owner.drain(..total);
            self.owner.iter_mut().for_each(|group| *group -= count as u32);
            return (ends, marks);
        }
        let mut marks = vec![Mark::default(); total];
        let mut kept = 0;
        for row in 0..self.owner.len() {
            let (group, mark) = (self.owner[row], self.marks[row]);
            match ends.get_mut(group as usize) {
                Some(place) => {
                    marks[*place] = mark;
                    *place += 1;
                }
                None => {
                    (self.owner[kept], self.marks[kept]) = (group - count as u32, mark);
                    kept += 1;
                }
            }
        }
        self.owner.truncate(kept);
        self.marks.truncate(kept);
        self.ascending = self.owner.is_sorted();
        (ends, marks)
    }

    fn paths(&mut self, emit: EmitTo) -> Result<ListArray> {
        let (ends, mut marks) = self.take(emit);
        let mut channels = PathColumn::new(self.kind);
        let mut weights = [(); 3].map(|()| Vec::with_capacity(ends.len()));
        let mut lengths = Vec::with_capacity(ends.len());
        let mut walker = Walker::new(self.options);
        let mut buffer = vec![];
        let mut start = 0;
        for end in ends {
            let person = &mut marks[start..end];
            self.labels.sort(person);
            let before = weights[0].len();
            walker.walk(person, |key, end| {
                channels.append(self.labels.portable(key, &mut buffer));
                let weight = Weights::from(end);
                weights[0].push(weight.conversions);
                weights[1].push(weight.value);
                weights[2].push(weight.nulls);
            });
            lengths.push(weights[0].len() - before);
            start = end;
        }
        let mut columns = vec![channels.finish()];
        columns.extend(weights.map(|weights| Arc::new(Float64Array::from(weights)) as ArrayRef));
        let rows = StructArray::try_new(path_fields(self.kind), columns, None)?;
        Ok(ListArray::try_new(item(self.kind), OffsetBuffer::from_lengths(lengths), Arc::new(rows), None)?)
    }

    fn states(&mut self, emit: EmitTo) -> ArrayRef {
        let (ends, marks) = self.take(emit);
        let mut states = BinaryBuilder::with_capacity(ends.len(), marks.len() * 12);
        let mut bytes = vec![];
        let mut start = 0;
        for end in ends {
            bytes.clear();
            marks[start..end].iter().for_each(|mark| self.encode(mark, &mut bytes));
            states.append_value(&bytes);
            start = end;
        }
        Arc::new(states.finish())
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.count = count;
        self.update(columns, |row| groups[row], filter)
    }

    fn merge_batch(&mut self, columns: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.count = count;
        self.merge(&columns[0], |row| groups[row])
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.paths(emit)?))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.states(emit)])
    }

    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Self::new(self.kind, self.options);
        rows.count = columns[0].len();
        rows.update(columns, |row| row, filter)?;
        Ok(vec![rows.states(EmitTo::All)])
    }

    fn size(&self) -> usize {
        self.owner.capacity() * size_of::<u32>() + self.marks.capacity() * size_of::<Mark>()
    }
}

/// The same without groups.
#[derive(Debug)]
struct OneGroup(Groups);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.0.update(columns, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(&states[0], |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.count = 1;
        ScalarValue::try_from_array(&self.0.paths(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.count = 1;
        Ok(vec![ScalarValue::try_from_array(&self.0.states(EmitTo::All), 0)?])
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
