//! Timelines as Python holds them.
use crate::{diagnostics::named, names::place, table::timelines as table};
use indexmap::IndexMap;
use pyo3::{exceptions::PyValueError, prelude::*, types::PyType};
use safar_attribution::hazard::Role;
use std::sync::Arc;

/// What people did while they were observed, outcomes or not: what models of cause (`hazard`, `intent_hazard`) read.
///
/// Made by `Timelines.from_arrow` from a table. It cannot be changed, and threads may share it.
#[pyclass(frozen, module = "safar", skip_from_py_object)]
pub struct Timelines {
    /// What models read.
    pub inner: Arc<Lines>,
}

/// Timelines, the names of their channels, and what the channels are.
pub struct Lines {
    /// One by one.
    pub lines: safar_model::Timelines,
    /// By index.
    pub channels: Vec<String>,
    /// By channel, where it was told.
    pub roles: Vec<Option<Role>>,
    /// Whose each timeline is, where that is known.
    pub persons: Option<Vec<u64>>,
}

const ROLES: [Role; 4] = [Role::Direct, Role::Pull, Role::Reach, Role::Push];

#[pymethods]
impl Timelines {
    /// Reads timelines from a table, one person a row: a pyarrow, polars or pandas one, or anything else that has
    /// `__arrow_c_stream__`.
    ///
    /// `from_` and `until` name the columns that say when the observation of a person began and ended: at the end of the
    /// data, or at the outcome after which the person was not watched any more. `channels` names the column of touches, a
    /// list of names; `times` that of their times; `outcomes` that of the times of outcomes, and `values` that of what
    /// they were worth, which may be absent. Times ascend within each list, inside the window. All are time stamps, or
    /// whole microseconds since 1970. A column that is not named is looked for as `from`, `until`, `channels`, `times`,
    /// `outcomes` and `values`. The columns are read where they lie, without a copy of them.
    ///
    /// A person may have several timelines: then `person` names the column that says whose each is, by whole numbers or
    /// text (`person` where it is not named), and `bootstrap` draws people, with all of their timelines. Without it each
    /// timeline is a person of its own.
    ///
    /// `roles` tells what channels are: `direct` (people come by themselves, for nothing that can be paid for, and the
    /// channel earns nothing), `pull` (they come by themselves, as by search), `reach` (they are reached, as by e-mail) or
    /// `push` (they are shown something). What is not told is guessed from the channel's name.
    ///
    /// Raises `ValueError` with the row, the column and the value that cannot be read.
    ///
    /// >>> import safar
    /// >>> import pyarrow
    /// >>> day = 86_400_000_000
    /// >>> table = pyarrow.table({
    /// ...     "from": [0, 0], "until": [30 * day, 9 * day],
    /// ...     "channels": [["Ads"], ["Ads", "Mail"]], "times": [[2 * day], [4 * day, 8 * day]],
    /// ...     "outcomes": [[], [9 * day]], "values": [[], [50.0]],
    /// ... })
    /// >>> lines = safar.Timelines.from_arrow(table, roles={"Ads": "push"})
    /// >>> lines.touchpoints, lines.outcomes, lines.roles
    /// (3, 1, {'Ads': 'push', 'Mail': 'reach'})
    #[classmethod]
    #[pyo3(signature = (
        table, from_=None, until=None, channels=None, times=None, outcomes=None, values=None, person=None, *, roles=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "by name in Python")]
    fn from_arrow(
        _: &Bound<'_, PyType>,
        table: &Bound<'_, PyAny>,
        from_: Option<String>,
        until: Option<String>,
        channels: Option<String>,
        times: Option<String>,
        outcomes: Option<String>,
        values: Option<String>,
        person: Option<String>,
        roles: Option<IndexMap<String, String>>,
    ) -> PyResult<Self> {
        let names = table::LineNames { from: from_, until, channels, times, outcomes, values, person };
        let table::Read { lines, channels, persons } = table::read(table, &names)?;
        let mut told = vec![None; channels.len()];
        for (channel, role) in roles.unwrap_or_default() {
            let place = place(&channel, &channels)?;
            let found = ROLES.into_iter().find(|known| known.as_str() == role);
            told[place] = Some(found.ok_or_else(|| {
                let known = ROLES.map(Role::as_str).join(", ");
                PyValueError::new_err(format!("`{role}` is no role of `{channel}`; roles are {known}"))
            })?);
        }
        Ok(Self { inner: Arc::new(Lines { lines, channels, roles: told, persons }) })
    }

    /// The names of the channels, in the order in which they first appear.
    #[getter]
    fn channels(&self) -> Vec<String> {
        self.inner.channels.clone()
    }

    /// By channel: what models of cause take it for, as told or as its name suggests.
    #[getter]
    fn roles(&self) -> IndexMap<String, &'static str> {
        let Lines { channels, roles, .. } = &*self.inner;
        let role = |(name, told): (&String, &Option<Role>)| told.unwrap_or_else(|| Role::of_name(name)).as_str();
        named(channels, channels.iter().zip(roles).map(role))
    }

    /// How many touches all people have together.
    #[getter]
    fn touchpoints(&self) -> usize {
        self.inner.lines.touchpoints()
    }

    /// How many outcomes all people have together.
    #[getter]
    fn outcomes(&self) -> usize {
        self.inner.lines.outcomes()
    }

    /// Whether it is known whose each timeline is.
    #[getter]
    fn has_persons(&self) -> bool {
        self.inner.persons.is_some()
    }

    fn __len__(&self) -> usize {
        self.inner.lines.len()
    }

    fn __repr__(&self) -> String {
        let Lines { lines, channels, .. } = &*self.inner;
        let (people, touches, outcomes) = (lines.len(), lines.touchpoints(), lines.outcomes());
        format!(
            "<safar.Timelines: {people} people, {touches} touchpoints, {outcomes} outcomes, {} channels>",
            channels.len()
        )
    }
}
