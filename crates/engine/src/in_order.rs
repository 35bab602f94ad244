//! Ranges of keys are read one after another where others would be merged row by row: tables lie in ranges of their keys, so
//! the outcome of every comparison is known.
use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::Partitioning,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PhysicalExpr, PlanProperties,
        common::spawn_buffered, sorts::sort_preserving_merge::SortPreservingMergeExec,
        stream::RecordBatchStreamAdapter,
    },
};
use futures::StreamExt;
use std::{fmt, sync::Arc};

/// Batches of a range that wait for their turn.
const WAITING: usize = 2;

/// Puts [`InOrderExec`] in the place of merges that have nothing to compare.
#[derive(Debug)]
pub(crate) struct InOrder;

impl PhysicalOptimizerRule for InOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match node.downcast_ref::<SortPreservingMergeExec>().filter(|merge| is_in_order(merge)) {
                Some(merge) => Transformed::yes(Arc::new(InOrderExec::of(merge)) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "ranges_in_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether the partitions are ranges of what the merge sorts by first, in the same direction.
fn is_in_order(merge: &SortPreservingMergeExec) -> bool {
    match merge.input().output_partitioning() {
        Partitioning::Range(ranges) => {
            merge.fetch().is_none() && ranges.ordering().len() == 1 && ranges.ordering()[0] == merge.expr()[0]
        }
        _ => false,
    }
}

/// The rows of all partitions, partition by partition.
#[derive(Debug)]
struct InOrderExec {
    input: Arc<dyn ExecutionPlan>,
    /// Those of the merge.
    properties: Arc<PlanProperties>,
}

impl InOrderExec {
    fn of(merge: &SortPreservingMergeExec) -> Self {
        Self { input: Arc::clone(merge.input()), properties: Arc::clone(merge.properties()) }
    }
}

impl DisplayAs for InOrderExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InOrderExec")
    }
}

impl ExecutionPlan for InOrderExec {
    fn name(&self) -> &str {
        "InOrderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: children.swap_remove(0), properties: Arc::clone(&self.properties) }))
    }

    /// All ranges begin at once, as in a merge, since below they may wait for each other: a join looks at all that is built
    /// before it goes on. The later ones then stop a few batches ahead.
    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let ranges = (0..self.input.output_partitioning().partition_count())
            .map(|partition| Ok(spawn_buffered(self.input.execute(partition, Arc::clone(&context))?, WAITING)));
        let rows = futures::stream::iter(ranges.collect::<Result<Vec<_>>>()?).flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.input.schema(), rows)))
    }
}
