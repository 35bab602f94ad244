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

safar.attribute(paths, 7)  # type: ignore[call-overload]
safar.Paths.from_arrow([["A"]])  # type: ignore[arg-type]
paths.channels = []  # type: ignore[misc]
