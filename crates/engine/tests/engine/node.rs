//! A plan node of our own, planned and sent to workers as extensions say: it numbers the rows of each person.
use crate::support::text;
use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{AsArray, Int64Array, RecordBatch},
        compute::SortOptions,
        datatypes::{DataType, Field, Int64Type, Schema, SchemaRef},
    },
    catalog::Session as PlanSession,
    common::{DFSchema, DFSchemaRef, DataFusionError, Result, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{
        Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
        physical_planning_context::PhysicalPlanningContext,
    },
    physical_expr::{
        Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr,
        PhysicalSortExpr, expressions::Column,
    },
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements,
        PlanProperties,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
    prelude::{DataFrame, col},
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use futures::StreamExt;
use safar_engine::{Error, Extensions, Session};
use safar_model::Table;
use std::{cmp::Ordering, fmt, sync::Arc};

/// `extensions` that know the node as well.
pub fn with_node(extensions: Extensions) -> Extensions {
    Extensions { planners: vec![Arc::new(Planner)], codec: Some(Arc::new(Codec)), ..extensions }
}

/// Every touch with its number among those of its person.
pub async fn answer(session: &Session) -> Result<String, Error> {
    let table = session.table(Table::Touchpoints).await?;
    let (state, plan) = table.select_columns(&["person_id", "occurred_at"])?.into_parts();
    let node = Extension { node: Arc::new(Number { input: plan, schema: Arc::new(DFSchema::try_from(schema())?) }) };
    let numbered = DataFrame::new(state, LogicalPlan::Extension(node));
    text(session, numbered.sort(vec![col("person_id").sort(true, false), col("number").sort(true, false)])?).await
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(["person_id", "number"].map(|name| Field::new(name, DataType::Int64, false)).to_vec()))
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Number {
    input: LogicalPlan,
    schema: DFSchemaRef,
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for Number {
    fn name(&self) -> &str {
        "Number"
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
        f.write_str("Number")
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: inputs.remove(0), schema: Arc::clone(&self.schema) })
    }
    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![vec![0, 1]])
    }
}

struct Planner;

#[async_trait]
impl ExtensionPlanner for Planner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn PlanSession,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        Ok(node.as_any().is::<Number>().then(|| NumberExec::new(Arc::clone(&inputs[0])) as _))
    }
}

#[derive(Debug)]
struct Codec;

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        assert_eq!(bytes, b"number");
        Ok(NumberExec::new(Arc::clone(&inputs[0])))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if !node.is::<NumberExec>() {
            return Err(DataFusionError::Internal(format!("{} is not ours", node.name())));
        }
        bytes.extend_from_slice(b"number");
        Ok(())
    }
}

/// Wants the rows of a person together and in time order, as the layout of the table already has them.
#[derive(Debug)]
struct NumberExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl NumberExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Arc<Self> {
        let count = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema()),
            Partitioning::UnknownPartitioning(count),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Arc::new(Self { input, properties: Arc::new(properties) })
    }

    fn column(&self, index: usize) -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(self.input.schema().field(index).name(), index))
    }
}

impl DisplayAs for NumberExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberExec")
    }
}

impl ExecutionPlan for NumberExec {
    fn name(&self) -> &'static str {
        "NumberExec"
    }
    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::KeyPartitioned(vec![self.column(0)])])
    }
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let ascending = SortOptions { descending: false, nulls_first: false };
        let terms = [0, 1].map(|index| PhysicalSortExpr::new(self.column(index), ascending));
        vec![LexOrdering::new(terms).map(OrderingRequirements::from)]
    }
    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::new(children.remove(0)))
    }
    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut last = (i64::MIN, 0);
        let numbered = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let people = batch.column(0).as_primitive::<Int64Type>();
            let numbers = people.values().iter().map(|&person| {
                assert!(person >= last.0, "rows of a partition ascend");
                last = if person == last.0 { (person, last.1 + 1) } else { (person, 1) };
                last.1
            });
            let numbers = Arc::new(Int64Array::from_iter_values(numbers));
            Ok(RecordBatch::try_new(schema(), vec![Arc::clone(batch.column(0)), numbers])?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema(), numbered)))
    }
}
