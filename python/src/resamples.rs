//! What a bootstrap says.
use crate::{
    attribution::{Attribution, UNATTRIBUTED},
    diagnostics::named,
    frame,
    names::place,
    record::record,
};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use indexmap::IndexMap;
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyCapsule,
};
use safar_attribution::uncertainty::{self, Measure};
use std::sync::Arc;

/// A number and how sure it is.
#[pyclass(frozen, get_all, eq, module = "safar", skip_from_py_object)]
#[derive(Clone, Copy, PartialEq)]
pub struct Estimate {
    /// From the paths as they are.
    point: f64,
    /// Over the resamples; infinite where one of them is.
    mean: f64,
    /// Standard error: the standard deviation over the resamples; infinite where one of them is.
    error: f64,
    /// Lower end of the percentile interval.
    low: f64,
    /// Upper end; infinite where that many resamples are.
    high: f64,
    /// Resamples in which the number is not defined (a share of nothing); they are left out of all of the above.
    undefined: usize,
    /// There are too few resamples for the level: the interval's ends are the least and the greatest of them.
    at_extremes: bool,
}

impl From<uncertainty::Estimate> for Estimate {
    fn from(from: uncertainty::Estimate) -> Self {
        let uncertainty::Estimate { point, mean, error, low, high, undefined, at_extremes } = from;
        Self { point, mean, error, low, high, undefined, at_extremes }
    }
}

#[pymethods]
impl Estimate {
    fn __repr__(&self) -> String {
        let Self { point, error, low, high, .. } = self;
        format!("Estimate(point={point:?}, error={error:?}, low={low:?}, high={high:?})")
    }
}

/// What is said of one channel, or of what is unattributed; `None` where a number is not defined.
///
/// A share is the part of what all channels have together with the unattributed rest.
#[pyclass(frozen, get_all, eq, module = "safar", skip_from_py_object)]
#[derive(Clone, Copy, PartialEq)]
pub struct CreditEstimates {
    /// Conversions.
    conversions: Option<Estimate>,
    /// In the currency of the paths.
    value: Option<Estimate>,
    /// Share of conversions.
    conversion_share: Option<Estimate>,
    /// Share of value; below 0 for refunds.
    value_share: Option<Estimate>,
}

impl CreditEstimates {
    /// The numbers, as tables name them.
    fn named(&self) -> [(&'static str, Option<Estimate>); 4] {
        [
            ("conversions", self.conversions),
            ("value", self.value),
            ("conversion_share", self.conversion_share),
            ("value_share", self.value_share),
        ]
    }
}

impl From<uncertainty::CreditEstimates> for CreditEstimates {
    fn from(from: uncertainty::CreditEstimates) -> Self {
        Self {
            conversions: from.conversions.map(Into::into),
            value: from.value.map(Into::into),
            conversion_share: from.conversion_share.map(Into::into),
            value_share: from.value_share.map(Into::into),
        }
    }
}

#[pymethods]
impl CreditEstimates {
    fn __repr__(&self) -> String {
        let fields = self.named().map(|(name, estimate)| {
            format!("{name}={}", estimate.map_or("None".into(), |estimate| estimate.__repr__()))
        });
        format!("CreditEstimates({})", fields.join(", "))
    }
}

record! {
    /// How often channels came before each other, and at which rank; rank 0 has the most.
    Ranks {
        /// `point[a]`: how many of the others have more than a on the paths as they are.
        point: IndexMap<String, usize>,
        /// `low[a]`: the lower end of the percentile interval of that rank, at the level of the resamples.
        low: IndexMap<String, usize>,
        /// `high[a]`: the upper end.
        high: IndexMap<String, usize>,
        /// `above[a][b]`: the part of the resamples in which a has more than b. Equal credit counts half for each.
        above: IndexMap<String, IndexMap<String, f64>>,
        /// `rank[a][k]`: the part of the resamples in which k of the others have more than a.
        rank: IndexMap<String, Vec<f64>>,
    }
}

/// The measure of that name.
///
/// # Errors
/// There is none.
pub fn measure(name: &str) -> PyResult<Measure> {
    match name {
        "conversions" => Ok(Measure::Conversions),
        "value" => Ok(Measure::Value),
        _ => Err(PyValueError::new_err(format!("no measure `{name}`; give conversions or value"))),
    }
}

/// How resamples were drawn.
#[derive(Clone, Copy)]
pub struct Settings {
    pub replicates: u32,
    pub seed: u64,
    pub level: f64,
}

/// The credits of a model, and how sure they are. Made by `bootstrap`.
#[pyclass(frozen, module = "safar", skip_from_py_object)]
pub struct Resamples {
    settings: Settings,
    point: Py<Attribution>,
    drawn: uncertainty::Resamples,
    /// Of each channel, then of what is unattributed.
    estimates: Vec<CreditEstimates>,
    channels: Vec<String>,
    batch: RecordBatch,
}

impl Resamples {
    /// Of the given channels by name.
    ///
    /// # Errors
    /// Where Arrow cannot hold the table.
    pub fn new(
        settings: Settings,
        point: Py<Attribution>,
        drawn: uncertainty::Resamples,
        estimates: Vec<uncertainty::CreditEstimates>,
        channels: Vec<String>,
    ) -> PyResult<Self> {
        let estimates: Vec<CreditEstimates> = estimates.into_iter().map(Into::into).collect();
        let batch = table(point.get().model(), &estimates, &channels)?;
        Ok(Self { settings, point, drawn, estimates, channels, batch })
    }

    fn channel(&self, name: &str) -> PyResult<usize> {
        place(name, &self.channels)
    }
}

/// A row for each channel and measure, and the same for what is unattributed.
fn table(model: String, estimates: &[CreditEstimates], channels: &[String]) -> PyResult<RecordBatch> {
    let names = channels.iter().map(String::as_str).chain([UNATTRIBUTED]);
    let rows: Vec<_> = names
        .zip(estimates)
        .flat_map(|(name, estimates)| estimates.named().map(|(measure, estimate)| (name, measure, estimate)))
        .collect();
    let text = |of: fn(&(&str, &'static str, Option<Estimate>)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let numbers = |of: fn(Estimate) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|(.., estimate)| estimate.map(of)).collect::<Float64Array>())
    };
    let models: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|_| &model)));
    let undefined = rows.iter().map(|(.., estimate)| estimate.map(|estimate| estimate.undefined as u64));
    let extremes = rows.iter().map(|(.., estimate)| estimate.map(|estimate| estimate.at_extremes));
    RecordBatch::try_from_iter_with_nullable::<_, &str>([
        ("model", models, false),
        ("channel", text(|row| row.0.to_owned()), false),
        ("measure", text(|row| row.1.to_owned()), false),
        ("point", numbers(|estimate| estimate.point), true),
        ("mean", numbers(|estimate| estimate.mean), true),
        ("error", numbers(|estimate| estimate.error), true),
        ("low", numbers(|estimate| estimate.low), true),
        ("high", numbers(|estimate| estimate.high), true),
        ("undefined", Arc::new(undefined.collect::<UInt64Array>()), true),
        ("at_extremes", Arc::new(extremes.collect::<BooleanArray>()), true),
    ])
    .map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

#[pymethods]
impl Resamples {
    /// The model and all its settings, as spelled.
    #[getter]
    fn model(&self) -> String {
        self.point.get().model()
    }

    /// How many resamples.
    #[getter]
    fn replicates(&self) -> u32 {
        self.settings.replicates
    }

    /// Of the draws.
    #[getter]
    fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// The part of the resamples that an interval spans.
    #[getter]
    fn level(&self) -> f64 {
        self.settings.level
    }

    /// What the model says of the paths as they are.
    #[getter]
    fn point(&self, py: Python<'_>) -> Py<Attribution> {
        self.point.clone_ref(py)
    }

    /// By channel: what it earned, and how sure that is.
    #[getter]
    fn estimates(&self) -> IndexMap<String, CreditEstimates> {
        self.channels.iter().cloned().zip(self.estimates.iter().copied()).collect()
    }

    /// The same for what is unattributed.
    #[getter]
    fn unattributed(&self) -> CreditEstimates {
        self.estimates[self.channels.len()]
    }

    /// `cost` over the conversions of a channel. Infinite in resamples without a conversion; `None` where nothing was
    /// paid for nothing. The cost is taken as known.
    ///
    /// Raises `KeyError` for a channel that is not there.
    fn cost_per_conversion(&self, channel: &str, cost: f64) -> PyResult<Option<Estimate>> {
        Ok(self.drawn.cost_per_conversion(self.channel(channel)?, cost).map(Into::into))
    }

    /// The value of a channel over `cost`; `None` where it cost nothing. The cost is taken as known.
    ///
    /// Raises `KeyError` for a channel that is not there.
    fn return_on_cost(&self, channel: &str, cost: f64) -> PyResult<Option<Estimate>> {
        Ok(self.drawn.return_on_cost(self.channel(channel)?, cost).map(Into::into))
    }

    /// Ranks channels (all, where none are named) among themselves by `conversions` or by `value`.
    ///
    /// Raises `ValueError` for another measure and for more than 1,000 channels, `KeyError` for a channel that is not
    /// there.
    #[pyo3(signature = (measure="conversions", channels=None))]
    fn ranks(&self, measure: &str, channels: Option<Vec<String>>) -> PyResult<Ranks> {
        let measure = self::measure(measure)?;
        let names = channels.unwrap_or_else(|| self.channels.clone());
        let places = names.iter().map(|name| self.channel(name)).collect::<PyResult<Vec<_>>>()?;
        let ranks = self.drawn.ranks(measure, &places).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Ranks {
            point: named(&names, ranks.point),
            low: named(&names, ranks.low),
            high: named(&names, ranks.high),
            above: named(&names, ranks.above.into_iter().map(|row| named(&names, row))),
            rank: named(&names, ranks.rank),
        })
    }

    /// A `pyarrow.Table` with a row for each channel, and for what is `(unattributed)`, and each measure
    /// (`conversions`, `value`, `conversion_share`, `value_share`): `model`, `channel`, `measure`, and the numbers of an
    /// `Estimate`, null where they are not defined. It shares its memory with this object.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_arrow(slf)
    }

    /// A `pandas.DataFrame` with the columns of `to_arrow`. Needs pyarrow.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_pandas(slf)
    }

    /// A `polars.DataFrame` with the columns of `to_arrow`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        frame::to_polars(slf)
    }

    /// The Arrow PyCapsule interface, for every other library.
    #[pyo3(signature = (requested_schema=None))]
    #[expect(unused_variables, reason = "a wish that the interface allows to leave open")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        frame::stream(py, vec![self.batch.clone()])
    }

    fn __repr__(&self) -> String {
        let Settings { replicates, level, .. } = self.settings;
        format!("<safar.Resamples: {}, {replicates} resamples, level {level}>", self.model())
    }
}
