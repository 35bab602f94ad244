//! `PathCounts` as a step of a logical plan, and the choice of its physical form.
use super::exec::{Gathering, PathCountsExec};
use super::gather::Scatter;
use super::labels::LabelKind;
use super::merge::PathMergeExec;
use super::walk::PathCountsOptions;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err, stats::Precision};
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion::prelude::DataFrame;
use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};
use std::{cmp::Ordering, fmt, sync::Arc};

/// Distinct paths with their weights, from rows of (person, time, channel, is_conversion, value).
///
/// - in: by position, person integer (Int64), time timestamp, channel text or integer ≥ 0, is_conversion boolean, value number.
///   A row is a conversion, or else a touch; touches without a channel are left out.
/// - out: `channels` (list of the channel's type: Int8, Int32 or Utf8), `conversions`, `value`, `nulls` (Float64), one row a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PathCounts {
    input: LogicalPlan,
    options: PathCountsOptions,
    kind: LabelKind,
    schema: DFSchemaRef,
}

/// The columns of the result.
pub(crate) fn path_schema(kind: LabelKind) -> Schema {
    let weight = |name| Field::new(name, DataType::Float64, false);
    let channels = Field::new("channels", kind.path_type(), false);
    Schema::new(vec![channels, weight("conversions"), weight("value"), weight("nulls")])
}

impl PathCounts {
    fn try_new(input: LogicalPlan, options: PathCountsOptions) -> Result<Self> {
        let fields = input.schema().fields();
        let types: Vec<_> = fields.iter().map(|field| field.data_type()).collect();
        let [DataType::Int64, DataType::Timestamp(_, _), channel, DataType::Boolean, value] = types[..] else {
            return plan_err!(
                "path counts need (person Int64, time timestamp, channel, is_conversion boolean, value number), not {types:?}"
            );
        };
        if !value.is_numeric() {
            return plan_err!("the value of a conversion is a number, not {value}");
        }
        let kind = LabelKind::of(channel)?;
        let schema = Arc::new(DFSchema::try_from(path_schema(kind))?);
        Ok(Self { input, options, kind, schema })
    }
}

/// Distinct channel paths of `rows` with their conversions, value and null walks: the fast path.
///
/// `rows` has five columns, by position: person (Int64), time (timestamp), channel (text, or an integer ≥ 0), is_conversion
/// (boolean) and value (number). A row is a conversion, or else a touch. The result has the columns `channels`, `conversions`,
/// `value` and `nulls` of the table `paths`, one row a distinct path. At one instant touches come before conversions.
///
/// # Errors
/// When the columns are not of these types.
pub fn path_counts(rows: DataFrame, options: PathCountsOptions) -> Result<DataFrame> {
    let (state, plan) = rows.into_parts();
    let node = Arc::new(PathCounts::try_new(plan, options)?);
    Ok(DataFrame::new(state, LogicalPlan::Extension(Extension { node })))
}

impl PartialOrd for PathCounts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.input.partial_cmp(&other.input)?;
        Some(order.then(self.options.cmp(&other.options)).then(self.kind.cmp(&other.kind)))
    }
}

impl UserDefinedLogicalNodeCore for PathCounts {
    fn name(&self) -> &str {
        "PathCounts"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathCounts: look_back_us={}, count_again={}", self.options.look_back_us, self.options.count_again)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Self::try_new(inputs.swap_remove(0), self.options)
    }

    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..5).collect()])
    }
}

/// Turns `PathCounts` into operators.
#[derive(Debug)]
pub(crate) struct PathCountsPlanner;

impl ExtensionPlanner for PathCountsPlanner {
    // Written out: docs/adr/0007-futures-written-out.md.
    fn plan_extension<'life0, 'life1, 'life2, 'life3, 'life4, 'life5, 'life6, 'life7, 'async_trait>(
        &'life0 self,
        _: &'life1 dyn PhysicalPlanner,
        node: &'life2 dyn UserDefinedLogicalNode,
        _: &'life3 [&'life4 LogicalPlan],
        inputs: &'life5 [Arc<dyn ExecutionPlan>],
        session: &'life6 dyn Session,
        _: &'life7 PhysicalPlanningContext,
    ) -> BoxFuture<'async_trait, Result<Option<Arc<dyn ExecutionPlan>>>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        'life3: 'async_trait,
        'life4: 'async_trait,
        'life5: 'async_trait,
        'life6: 'async_trait,
        'life7: 'async_trait,
    {
        ready(operators(node, inputs, session)).boxed()
    }
}

fn operators(
    node: &dyn UserDefinedLogicalNode,
    inputs: &[Arc<dyn ExecutionPlan>],
    session: &dyn Session,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(node) = node.as_any().downcast_ref::<PathCounts>() else { return Ok(None) };
    let gathering = choose(&inputs[0], session)?;
    let counts = Arc::new(PathCountsExec::try_new(inputs[0].clone(), node.options, gathering)?);
    Ok(Some(Arc::new(PathMergeExec::new(counts, node.kind))))
}

/// Streams where the layout brings each person's rows together in time; lays rows out by person otherwise, unless they
/// would fill half of the memory: then it asks for a sort, which spills.
fn choose(input: &Arc<dyn ExecutionPlan>, session: &dyn Session) -> Result<Gathering> {
    if PathCountsExec::is_laid_out(input)? {
        return Ok(Gathering::Stream);
    }
    let rows = match StatisticsContext::new().compute(input.as_ref(), &StatisticsArgs::new())?.num_rows {
        Precision::Exact(rows) | Precision::Inexact(rows) => rows,
        Precision::Absent => 0,
    };
    let fits = match session.runtime_env().memory_pool.memory_limit() {
        MemoryLimit::Finite(bytes) => rows.saturating_mul(Scatter::ROW_BYTES) <= bytes / 2,
        MemoryLimit::Infinite | MemoryLimit::Unknown => true,
    };
    Ok(if fits { Gathering::Scatter } else { Gathering::Stream })
}
