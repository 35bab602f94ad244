//! What models say of themselves.
use crate::{credit::Credit, record::record};
use indexmap::IndexMap;
use safar_attribution::{
    Solver,
    hazard::{self, Role},
};
use safar_model::Micros;
use std::time::Duration;

record! {
    /// What a model can say about itself beyond its credits. What belongs to other models is `None`.
    Diagnostics {
        /// The paths carry no times, so touches counted as one day apart and the last one as happening at the outcome.
        assumed_ages: bool,
        /// The credits sum to more than the conversions, on purpose (participation).
        overlapping: bool,
        /// By channel: what a model gives before it is scaled to conversions (Shao and Li).
        raw: Option<IndexMap<String, f64>>,
        /// Of a Markov chain.
        markov: Option<MarkovDiagnostics>,
        /// Of models whose credits are means over random draws (Markov–Shapley beyond 20 channels).
        sampled: Option<SampledDiagnostics>,
        /// Of a logistic regression.
        logistic: Option<LogisticDiagnostics>,
        /// Of a model of cause.
        hazard: Option<HazardDiagnostics>,
    }
}

record! {
    /// What a Markov chain says about itself.
    MarkovDiagnostics {
        /// How many touches a state remembers.
        order: u32,
        /// How the order was chosen; `None` where it was given.
        choice: Option<OrderChoice>,
        /// States of the chain, without start, conversion and loss.
        states: usize,
        /// Probability that a path with at least one touch converts.
        base: f64,
        /// By channel: the part of that probability that is lost when every state holding the channel leads to a loss.
        removal_effects: IndexMap<String, f64>,
        /// By channel: the same for expected value.
        value_removal_effects: IndexMap<String, f64>,
        /// How the linear systems were solved: `direct`, exact up to rounding, or `iterative`, by sweeps until rounding.
        solver: &'static str,
        /// The most sweeps that any channel took; `None` where the solver is direct.
        sweeps: Option<usize>,
        /// The largest estimate of the remaining relative error; `None` where the solver is direct.
        residual: Option<f64>,
    }
}

record! {
    /// How the order of a Markov chain was chosen (`markov:order=auto`).
    OrderChoice {
        /// Hold-out log-loss a person (natural logarithm) of order 1, 2, … Orders beyond the longest path say the same as
        /// that of its length and are left out.
        losses: Vec<f64>,
        /// The same when every path is given the rate of all: what remembering nothing loses.
        base_loss: f64,
        /// Parts that people were dealt to.
        folds: usize,
        /// Of the dealing.
        seed: u64,
    }
}

record! {
    /// What a model says about the draws behind its credits.
    SampledDiagnostics {
        /// How many orders of the channels were drawn.
        samples: u32,
        /// Of the draws.
        seed: u64,
        /// By channel: the standard error of its credit.
        errors: IndexMap<String, Credit>,
    }
}

record! {
    /// What a logistic regression says about itself.
    LogisticDiagnostics {
        /// Mean log-odds of a path before its channels add theirs.
        intercept: f64,
        /// By channel: what its presence adds to the log-odds, mean over the regressions that saw the channel.
        coefficients: IndexMap<String, f64>,
        /// Regressions.
        bags: usize,
        /// Of the draws.
        seed: u64,
        /// Of paths none of whose channels raises the odds: their channels shared it equally.
        even: Credit,
        /// Regressions that had not settled when their steps were used up.
        unsettled: usize,
    }
}

record! {
    /// What a model of cause learned, and how well.
    HazardDiagnostics {
        /// How often all people were gone over.
        rounds: usize,
        /// Whether learning came to rest.
        converged: bool,
        /// How long intent was taken to stand still.
        step: Duration,
        /// Log-likelihood of all touches and conversions.
        log_likelihood: f64,
        /// Conversions a day of a person of mean intent who never met a touch.
        base_rate: f64,
        /// How much the log of that grows with a standard deviation of lasting intent.
        base_by_intent: f64,
        /// Standard deviation of passing intent, that of lasting intent being 1.
        mood: f64,
        /// Days after which passing intent has forgotten half of itself; `None` where it does not change.
        mood_half_life: Option<f64>,
        /// By channel.
        channels: IndexMap<String, ChannelDiagnostics>,
    }
}

record! {
    /// What a model of cause learned of a channel.
    ChannelDiagnostics {
        /// What it was taken for: `direct`, `pull`, `reach` or `push`.
        role: &'static str,
        /// Whether that was guessed from its name, not set.
        guessed: bool,
        /// Conversions that one touch causes, over all time, if nothing else happens; for `direct`, intent that the
        /// model missed.
        effect: f64,
        /// When half of its effect is over.
        half_life: Duration,
        /// Touches a day of a person of mean intent.
        rate: f64,
        /// How much the log of that grows with a standard deviation of lasting intent: the confounding.
        rate_by_intent: f64,
        /// How many times more frequent touches are after the first landing.
        follows: f64,
        /// By channel: how many touches of it a touch of this one brings about at mean intent.
        lifts: IndexMap<String, f64>,
        /// Weight of a touch as evidence of intent: below 1 where touches come in bursts.
        trust: f64,
    }
}

/// By the names of the channels.
pub fn named<T>(channels: &[String], values: impl IntoIterator<Item = T>) -> IndexMap<String, T> {
    channels.iter().cloned().zip(values).collect()
}

impl Diagnostics {
    /// With channels by name.
    pub fn of(from: &safar_attribution::Diagnostics, channels: &[String]) -> Self {
        let numbers = |numbers: &[f64]| named(channels, numbers.iter().copied());
        Self {
            assumed_ages: from.assumed_ages,
            overlapping: from.overlapping,
            raw: from.raw.as_deref().map(numbers),
            markov: from.markov.as_ref().map(|markov| {
                let (solver, sweeps, residual) = match markov.solver {
                    Solver::Direct => ("direct", None, None),
                    Solver::Iterative { sweeps, residual } => ("iterative", Some(sweeps), Some(residual)),
                };
                MarkovDiagnostics {
                    order: markov.order,
                    choice: markov.choice.as_ref().map(|choice| OrderChoice {
                        losses: choice.losses.clone(),
                        base_loss: choice.base_loss,
                        folds: choice.folds,
                        seed: choice.seed,
                    }),
                    states: markov.states,
                    base: markov.base,
                    removal_effects: numbers(&markov.removal_effects),
                    value_removal_effects: numbers(&markov.value_removal_effects),
                    solver,
                    sweeps,
                    residual,
                }
            }),
            sampled: from.sampled.as_ref().map(|sampled| SampledDiagnostics {
                samples: sampled.samples,
                seed: sampled.seed,
                errors: named(channels, sampled.errors.iter().map(|error| Credit::from(*error))),
            }),
            logistic: from.logistic.as_ref().map(|logistic| LogisticDiagnostics {
                intercept: logistic.intercept,
                coefficients: numbers(&logistic.coefficients),
                bags: logistic.bags,
                seed: logistic.seed,
                even: logistic.even.into(),
                unsettled: logistic.unsettled,
            }),
            hazard: from.hazard.as_ref().map(|hazard| HazardDiagnostics {
                rounds: hazard.rounds,
                converged: hazard.converged,
                step: span(hazard.step),
                log_likelihood: hazard.log_likelihood,
                base_rate: hazard.base_rate,
                base_by_intent: hazard.base_by_intent,
                mood: hazard.mood,
                mood_half_life: hazard.mood_half_life,
                channels: named(channels, hazard.channels.iter().map(|channel| about(channel, channels))),
            }),
        }
    }
}

fn about(from: &hazard::ChannelDiagnostics, channels: &[String]) -> ChannelDiagnostics {
    ChannelDiagnostics {
        role: Role::as_str(from.role),
        guessed: from.guessed,
        effect: from.effect,
        half_life: span(from.half_life),
        rate: from.rate,
        rate_by_intent: from.rate_by_intent,
        follows: from.follows,
        lifts: named(channels, from.lifts.iter().copied()),
        trust: from.trust,
    }
}

/// Spans of time are positive.
fn span(micros: Micros) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}
