//! The operators as bytes, so that plans travel to other machines.
use super::exec::{Gathering, PathCountsExec};
use super::labels::LabelKind;
use super::merge::PathMergeExec;
use super::walk::PathCountsOptions;
use datafusion::common::{Result, exec_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use std::sync::Arc;

/// Before everything that this codec writes; the digit is the version of the format.
const MARK: &[u8] = b"safar.paths.2:";

/// Reads and writes `PathCountsExec` and `PathMergeExec`, and refuses everything else.
#[derive(Debug)]
pub(crate) struct PathCountsCodec;

impl PhysicalExtensionCodec for PathCountsCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(body), [input]) = (bytes.strip_prefix(MARK), inputs) else {
            return not_impl_err!("these bytes are no path operator with one input");
        };
        match body {
            [b'c', gathering @ (0 | 1), again @ (0 | 1), look_back @ ..] => {
                let Ok(look_back) = <[u8; 8]>::try_from(look_back) else {
                    return exec_err!("a path operator's look-back is {} bytes long, not 8", look_back.len());
                };
                let options =
                    PathCountsOptions { look_back_us: i64::from_le_bytes(look_back), count_again: *again == 1 };
                let gathering = if *gathering == 0 { Gathering::Stream } else { Gathering::Scatter };
                Ok(Arc::new(PathCountsExec::try_new(input.clone(), options, gathering)?))
            }
            b"mb" => Ok(Arc::new(PathMergeExec::new(input.clone(), LabelKind::Byte))),
            b"mc" => Ok(Arc::new(PathMergeExec::new(input.clone(), LabelKind::Code))),
            b"mt" => Ok(Arc::new(PathMergeExec::new(input.clone(), LabelKind::Text))),
            _ => exec_err!("these bytes are no path operator that this version knows; run the same version everywhere"),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if let Some(counts) = node.downcast_ref::<PathCountsExec>() {
            bytes.extend_from_slice(MARK);
            bytes.extend([
                b'c',
                u8::from(counts.gathering == Gathering::Scatter),
                u8::from(counts.options.count_again),
            ]);
            bytes.extend(counts.options.look_back_us.to_le_bytes());
        } else if let Some(merge) = node.downcast_ref::<PathMergeExec>() {
            bytes.extend_from_slice(MARK);
            bytes.extend_from_slice(match merge.kind {
                LabelKind::Byte => b"mb",
                LabelKind::Code => b"mc",
                LabelKind::Text => b"mt",
            });
        } else {
            return not_impl_err!("{} is no path operator", node.name());
        }
        Ok(())
    }
}
