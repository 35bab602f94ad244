//! How far models differ.
use crate::{
    frame::{Table, numbers, texts},
    record::record,
    report::Report,
    resamples::measure,
};
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::{Pair, Spread};

record! {
    /// How far models differ on the same paths, in shares of credit.
    Agreement {
        /// Each model beside each later one: `model_a`, `model_b`; `distance`, the part of all credit that changes hands
        /// between them, 0 to 1 (total variation); `spearman` and `kendall`, the correlation of the ranks of channels,
        /// `None` where a model holds all channels equal.
        pairs: Table,
        /// How far they differ about each channel: `channel`, the `low`est and the `high`est share that a model gives it,
        /// the first of the models that do (`low_model`, `high_model`), and the `points` of percent between them.
        spreads: Table,
        /// The channel about which they differ most; `None` where there is no channel.
        widest: Option<String>,
    }
}

/// Compares the credits that the models of a report give to the same channels, in `conversions` or in `value`.
///
/// Raises `ValueError` for fewer than 2 models, and where one gives no credit at all.
///
/// >>> import safar
/// >>> paths = safar.read_paths(b"path;conversions\nAds > Mail;8\nSearch > Mail;2\nMail;4\n")
/// >>> agreed = safar.agreement(safar.attribute(paths, ["first", "last"]))
/// >>> round(agreed.pairs.to_dicts()[0]["distance"], 3)  # 10 of 14 move to Mail
/// 0.714
/// >>> agreed.widest
/// 'Mail'
#[pyfunction]
#[pyo3(signature = (report, measure="conversions"))]
pub fn agreement(report: &Bound<'_, Report>, measure: &str) -> PyResult<Agreement> {
    let measure = self::measure(measure)?;
    let channels = report.get().channels();
    let found = safar_attribution::agreement(&report.get().given(), measure);
    let found = found.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let model = |index: usize| found.models[index].model.to_string();
    let pairs = |of: fn(&Pair) -> Option<f64>| numbers(found.pairs.iter().map(of));
    let spreads = |of: fn(&Spread) -> f64| numbers(found.spreads.iter().map(|spread| Some(of(spread))));
    Ok(Agreement {
        pairs: Table::new([
            ("model_a", texts(found.pairs.iter().map(|pair| model(pair.a)))),
            ("model_b", texts(found.pairs.iter().map(|pair| model(pair.b)))),
            ("distance", pairs(|pair| Some(pair.distance))),
            ("spearman", pairs(|pair| pair.spearman)),
            ("kendall", pairs(|pair| pair.kendall)),
        ])?,
        spreads: Table::new([
            ("channel", texts(found.spreads.iter().map(|spread| &channels[spread.channel]))),
            ("low", spreads(|spread| spread.low)),
            ("low_model", texts(found.spreads.iter().map(|spread| model(spread.low_model)))),
            ("high", spreads(|spread| spread.high)),
            ("high_model", texts(found.spreads.iter().map(|spread| model(spread.high_model)))),
            ("points", spreads(Spread::points)),
        ])?,
        widest: found.widest().map(|spread| channels[spread.channel].clone()),
    })
}
