//! Experiments in the planning.
use crate::record::record;
use pyo3::{exceptions::PyValueError, prelude::*};
use safar_attribution::experiment;

record! {
    /// An experiment in the planning, people as its units: how much a measure varies, and how people are divided.
    ///
    /// `variances` are those of the measure from person to person, among the treated and in the control arm (one number
    /// where they are equal); of a rate p, p (1 − p). With figures from before the experiment, what these leave of it.
    ///
    /// Raises `ValueError` for a part that is not between 0 and 1, and for a variance below 0.
    ///
    /// >>> import safar
    /// >>> design = safar.Design(0.05 * 0.95)
    /// >>> round(design.people(0.01), -2)  # to find 6 % instead of 5 %, both arms together
    /// 14900.0
    Design {
        /// Of the measure, among the treated and in the control arm.
        variances: (f64, f64),
        /// The part of all people that is treated.
        treated_share: f64,
        /// Of the intervals.
        level: f64,
        /// Chance to find the lift.
        power: f64,
    }
    #[new]
    #[pyo3(signature = (variances, *, treated_share=0.5, level=0.95, power=0.8))]
    fn new(variances: Variances, treated_share: f64, level: f64, power: f64) -> PyResult<Self> {
        let variances = match variances {
            Variances::Equal(both) => (both, both),
            Variances::Own(treated, control) => (treated, control),
        };
        for (what, part) in [("treated_share", treated_share), ("level", level), ("power", power)] {
            super::is_part(what, part)?;
        }
        if let Some(bad) = [variances.0, variances.1].iter().find(|got| !(**got >= 0.0 && got.is_finite())) {
            return Err(PyValueError::new_err(format!("a variance is {bad}; it must be 0 or more")));
        }
        Ok(Self { variances, treated_share, level, power })
    }

    /// People in both arms together to find a true lift of `lift` per person; not rounded. `None` where the lift is 0.
    fn people(&self, lift: f64) -> Option<f64> {
        self.design().people(lift)
    }

    /// The smallest true lift per person that `people` in both arms together find; `None` of nobody.
    ///
    /// >>> import safar
    /// >>> design = safar.Design((5600.0, 5625.0), treated_share=0.9)
    /// >>> round(design.detectable(design.people(0.35)), 9)
    /// 0.35
    fn detectable(&self, people: f64) -> Option<f64> {
        self.design().detectable(people)
    }
}

impl Design {
    fn design(&self) -> experiment::Design {
        experiment::Design {
            variances: [self.variances.0, self.variances.1],
            treated_share: self.treated_share,
            level: self.level,
            power: self.power,
        }
    }
}

/// Of both arms.
#[derive(FromPyObject)]
pub enum Variances {
    #[pyo3(annotation = "float")]
    Equal(f64),
    #[pyo3(annotation = "tuple[float, float]")]
    Own(f64, f64),
}
