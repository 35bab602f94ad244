"""What type checkers say of the package; read by mypy, not run."""

from pathlib import Path

import pandas  # type: ignore[import-untyped]
import polars
import safar
from typing_extensions import assert_type

paths = safar.read_paths(Path("paths.csv"))
assert_type(paths, safar.Paths)
assert_type(safar.Paths.from_arrow(pandas.DataFrame()), safar.Paths)
assert_type(safar.Paths.from_arrow(polars.DataFrame()), safar.Paths)
assert_type(safar.Paths.from_arrow(paths), safar.Paths)
assert_type(safar.transform(paths, ["exposure", "unique"]), safar.Paths)

one = safar.attribute(paths, "linear", progress=lambda done, total, model: print(model))
assert_type(one, safar.Attribution)
assert_type(one.credits["Mail"].conversions, float)
assert_type(one.to_polars(), polars.DataFrame)
markov = one.diagnostics.markov
if markov is not None:
    assert_type(markov.removal_effects, dict[str, float])

assert_type(safar.attribute(paths, "all"), safar.Report)
report = safar.attribute(paths, ["linear", "markov:order=2"])
assert_type(report, safar.Report)
assert_type(report["linear"], safar.Attribution)
assert_type([item.model for item in report], list[str])
assert_type(report.unattributed, dict[str, safar.Credit])
assert_type([setting.default for model in safar.models() for setting in model.settings], list[str])

drawn = safar.bootstrap(paths, "linear", replicates=50)
assert_type(drawn.estimates["Mail"].conversions, safar.Estimate | None)
assert_type(drawn.ranks("value").above["Mail"]["Ads"], float)
assert_type(drawn.point, safar.Attribution)

assert_type(safar.Paths.from_arrow(polars.DataFrame(), person="user").has_persons, bool)
assert_type(safar.weights("linear", 3), list[float] | None)
assert_type(safar.wilson(81, 263), tuple[float, float])
assert_type(safar.geo_plan(polars.DataFrame(), 4).conversions.detectable, float | None)

lines = safar.Timelines.from_arrow(polars.DataFrame(), person="user", roles={"Ads": "push"})
assert_type(safar.attribute(lines, "hazard"), safar.Attribution)
assert_type(safar.bootstrap(lines, "hazard", progress=lambda done, total, model: None), safar.Resamples)
assert_type(report.refused, dict[str, str])
assert_type(safar.credits_by_place(paths, "shapley").to_polars(), polars.DataFrame)
assert_type(safar.agreement(report).pairs, safar.Table)

arm = safar.Arm.from_arrow(polars.DataFrame())
outcome = safar.hold_out(arm, safar.Arm(1000, 45), treated_share=0.9)
assert_type(outcome.conversions.total.low, float)
found = safar.Measured("Ads", outcome.conversions.total, outcome.value.total, credited=one)
assert_type(safar.calibrate(one, found).credits["Ads"].conversions_estimate, safar.LiftEstimate | None)
assert_type(safar.geo_hold_out(pandas.DataFrame()).conversions, safar.Lift)
assert_type(safar.Design(0.05 * 0.95).people(0.01), float | None)

tested = safar.backtest(paths, paths, ["linear", "markov"], weeks=[paths, paths])
assert_type(tested.recommended, str | None)
assert_type(tested.scores.to_dicts(), list[dict[str, float | int | str | None]])
assert_type(safar.stability([paths, paths], "last").ranges["Ads"], tuple[float, float])

safar.Timelines.from_arrow(polars.DataFrame(), roles={"Ads": "pusher"})  # type: ignore[dict-item]
safar.attribute(paths, 7)  # type: ignore[call-overload]
safar.Paths.from_arrow([["A"]])  # type: ignore[arg-type]
paths.channels = []  # type: ignore[misc]
