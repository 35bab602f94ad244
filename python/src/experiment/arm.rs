//! What the arms of an experiment come down to.
use crate::{
    record::record,
    table::{Numbers, Wanted, numbers_of},
};
use pyo3::{prelude::*, types::PyType};
use safar_attribution::experiment;

record! {
    /// Sums of a figure x that was fixed before the experiment began, such as each person's conversions in the weeks
    /// before.
    Before {
        /// Σ x over the people.
        sum: f64,
        /// Σ x² over the people.
        squares: f64,
        /// Σ x y over the people, y being the measure.
        product: f64,
    }
    #[new]
    fn new(sum: f64, squares: f64, product: f64) -> Self {
        Self { sum, squares, product }
    }
}

record! {
    /// Sums of one measure y over the people of an arm; whoever has none counts as 0.
    Measure {
        /// Σ y over the people.
        sum: f64,
        /// Σ y² over the people.
        squares: f64,
        /// The same people before the experiment.
        before: Option<Before>,
    }
    #[new]
    #[pyo3(signature = (sum, squares, before=None))]
    fn new(sum: f64, squares: f64, before: Option<PyRef<'_, Before>>) -> Self {
        Self { sum, squares, before: before.map(|before| before.clone()) }
    }
}

record! {
    /// One arm of an experiment: everybody whom chance put there, exposed or not, converted or not.
    ///
    /// Made by `Arm.from_arrow` from a table of people, or from sums: `conversions` is otherwise one for each converter,
    /// and `value` nothing.
    ///
    /// >>> import safar
    /// >>> safar.Arm(1000, 45).conversions
    /// Measure(sum=45.0, squares=45.0, before=None)
    Arm {
        /// How many people chance put there.
        people: f64,
        /// How many of them converted at least once.
        converters: f64,
        /// Conversions.
        conversions: Measure,
        /// Value, in one currency.
        value: Measure,
        /// How many were exposed; `None` where unknown.
        exposed: Option<f64>,
    }
    #[new]
    #[pyo3(signature = (people, converters, *, conversions=None, value=None, exposed=None))]
    fn new(
        people: f64,
        converters: f64,
        conversions: Option<PyRef<'_, Measure>>,
        value: Option<PyRef<'_, Measure>>,
        exposed: Option<f64>,
    ) -> Self {
        let of = |measure: Option<PyRef<'_, Measure>>, otherwise: f64| match measure {
            Some(measure) => measure.clone(),
            None => Measure { sum: otherwise, squares: otherwise, before: None },
        };
        Self { people, converters, conversions: of(conversions, converters), value: of(value, 0.0), exposed }
    }

    /// Adds up a table with one person a row, everybody of the arm: a pyarrow, polars or pandas one, or anything else that
    /// has `__arrow_c_stream__`.
    ///
    /// `conversions` names the column that says how often a person converted, `value` that of what that was worth, `exposed`
    /// that of whether the person was exposed, `conversions_before` and `value_before` those of the same in a time before
    /// the experiment, which make intervals narrower. A column that is not named is looked for under these names; all but
    /// `conversions` may be absent. A null number is 0. The columns are read where they lie, without a copy of them.
    ///
    /// Raises `ValueError` with the row, the column and the value that cannot be read.
    ///
    /// >>> import safar
    /// >>> import pyarrow
    /// >>> people = pyarrow.table({"conversions": [0, 2, 1], "value": [0, 30, 10], "exposed": [True, True, False]})
    /// >>> arm = safar.Arm.from_arrow(people)
    /// >>> arm.people, arm.converters, arm.exposed
    /// (3.0, 2.0, 2.0)
    /// >>> arm.conversions
    /// Measure(sum=3.0, squares=5.0, before=None)
    #[classmethod]
    #[pyo3(signature = (
        table, conversions=None, value=None, exposed=None, conversions_before=None, value_before=None
    ))]
    fn from_arrow(
        _: &Bound<'_, PyType>,
        table: &Bound<'_, PyAny>,
        conversions: Option<&str>,
        value: Option<&str>,
        exposed: Option<&str>,
        conversions_before: Option<&str>,
        value_before: Option<&str>,
    ) -> PyResult<Self> {
        let optional = |given, usual| Wanted { given, usual, needed: false };
        let wanted = [
            Wanted { given: conversions, usual: &["conversions"], needed: true },
            optional(value, &["value"]),
            optional(exposed, &["exposed"]),
            optional(conversions_before, &["conversions_before"]),
            optional(value_before, &["value_before"]),
        ];
        let mut sums = [Sums::default(); 2];
        let (mut people, mut converters, mut exposed, mut has) = (0.0, 0.0, 0.0, [false; 3]);
        numbers_of(table, wanted, |[conversions, value, told, conversions_before, value_before], row| {
            let count = |numbers: &Option<Numbers>| numbers.as_ref().map_or(Ok(0.0), |numbers| numbers.count_or_none(row));
            let amount = |numbers: &Option<Numbers>| numbers.as_ref().map_or(Ok(0.0), |numbers| numbers.value(row));
            let converted = count(conversions)?;
            sums[0].add(converted, count(conversions_before)?);
            sums[1].add(amount(value)?, amount(value_before)?);
            people += 1.0;
            converters += f64::from(u8::from(converted > 0.0));
            if let Some(told) = told {
                exposed += f64::from(u8::from(told.truth(row)?));
            }
            has = [told.is_some(), conversions_before.is_some(), value_before.is_some()];
            Ok(())
        })?;
        Ok(Self {
            people,
            converters,
            conversions: sums[0].measure(has[1]),
            value: sums[1].measure(has[2]),
            exposed: has[0].then_some(exposed),
        })
    }
}

impl Arm {
    /// As the library takes it.
    pub fn sums(&self) -> experiment::Arm {
        let measure = |measure: &Measure| experiment::Measure {
            sum: measure.sum,
            squares: measure.squares,
            before: measure.before.as_ref().map(|before| experiment::Before {
                sum: before.sum,
                squares: before.squares,
                product: before.product,
            }),
        };
        experiment::Arm {
            people: self.people,
            exposed: self.exposed,
            converters: self.converters,
            conversions: measure(&self.conversions),
            value: measure(&self.value),
        }
    }
}

/// Sums over the people met so far.
#[derive(Clone, Copy, Default)]
struct Sums {
    now: [f64; 2],
    before: [f64; 3],
}

impl Sums {
    fn add(&mut self, now: f64, before: f64) {
        self.now[0] += now;
        self.now[1] += now * now;
        self.before[0] += before;
        self.before[1] += before * before;
        self.before[2] += before * now;
    }

    fn measure(self, has_before: bool) -> Measure {
        let ([sum, squares], [x, xx, xy]) = (self.now, self.before);
        Measure { sum, squares, before: has_before.then_some(Before { sum: x, squares: xx, product: xy }) }
    }
}
