"""Hold-outs of people and regions, planning them, and credits calibrated by them."""

import math

import pandas
import polars
import pyarrow
import pytest
import safar


def people(conversions, value=None, **more):
    columns = {"conversions": conversions, **more}
    return pyarrow.table(columns if value is None else {**columns, "value": value})


def test_a_table_of_people_is_its_sums():
    rows = {"conversions": [0, 2, 1, 0], "value": [0.0, 30.0, 10.0, -5.0], "exposed": [True, True, False, True]}
    before = {"conversions_before": [1, 0, 2, 0], "value_before": [9.0, 0.0, 4.0, 1.0]}
    arm = safar.Arm.from_arrow(pyarrow.table({**rows, **before}))
    assert (arm.people, arm.converters, arm.exposed) == (4, 2, 3)
    assert (arm.conversions.sum, arm.conversions.squares) == (3, 5)
    assert (arm.value.sum, arm.value.squares) == (35, 900 + 100 + 25)
    had = arm.conversions.before, arm.value.before
    assert [(one.sum, one.squares, one.product) for one in had] == [(3, 5, 2), (14, 98, 40 - 5)]
    for frame in [polars.DataFrame({**rows, **before}), pandas.DataFrame({**rows, **before})]:
        assert repr(safar.Arm.from_arrow(frame)) == repr(arm)
    renamed = pyarrow.table({"sales": rows["conversions"], "money": rows["value"]})
    plain = safar.Arm.from_arrow(renamed, conversions="sales", value="money")
    assert (plain.conversions.before, plain.exposed, plain.value.squares) == (None, None, arm.value.squares)
    # Missing numbers are nothing, and pieces add up.
    pieces = pyarrow.concat_tables([people([1, None]), people([2, 0])])
    assert repr(safar.Arm.from_arrow(pieces)) == repr(safar.Arm.from_arrow(people([1, 0, 2, 0])))


def test_lifts_of_people():
    treated = safar.Arm.from_arrow(people([1] * 60 + [0] * 940, [20.0] * 60 + [0.0] * 940))
    control = safar.Arm.from_arrow(people([1] * 45 + [0] * 955, [20.0] * 45 + [0.0] * 955))
    found = safar.hold_out(treated, control, treated_share=0.5)
    lift = found.converters
    assert (lift.treated, lift.control, lift.method) == (0.06, 0.045, "proportions")
    assert lift.total.value == pytest.approx(15) and lift.relative.value == pytest.approx(1 / 3)
    # Everybody converts once at most, so means and proportions differ by their intervals alone.
    assert found.conversions.absolute.value == pytest.approx(lift.absolute.value)
    assert found.value.total.value == pytest.approx(300) and found.value.method == "means"
    # Welch: √(s²/n + s²/n) with s² = np(1 − p)/(n − 1).
    error = math.sqrt((0.06 * 0.94 + 0.045 * 0.955) / 999)
    assert found.conversions.absolute.error == pytest.approx(error, rel=1e-12)
    assert found.mismatch.p == 1 and found.warnings == [] and found.exposure == {"treated": None, "control": None}
    assert lift.detectable_part == pytest.approx(lift.detectable / 0.045)
    rows = found.lifts.to_dicts()
    assert [row["measure"] for row in rows] == ["converters", "conversions", "value"]
    assert rows[0]["incremental"] == lift.total.value and rows[0]["p"] == lift.p
    narrow = safar.hold_out(treated, control, level=0.5).converters.absolute
    assert lift.absolute.low < narrow.low < narrow.high < lift.absolute.high


def test_figures_from_before_make_intervals_narrower():
    before = [number % 7 for number in range(700)]
    now = [b + (number % 3 == 0) for number, b in enumerate(before)]
    plain = safar.hold_out(safar.Arm.from_arrow(people(now)), safar.Arm.from_arrow(people(before)))
    told = [safar.Arm.from_arrow(people(y, conversions_before=before)) for y in [now, before]]
    adjusted = safar.hold_out(*told)
    assert plain.conversions.adjusted is None and adjusted.conversions.method == "adjusted_means"
    assert 0.9 < adjusted.conversions.adjusted.removed < 1
    assert adjusted.conversions.absolute.error < plain.conversions.absolute.error / 3
    assert adjusted.converters.absolute.error == plain.converters.absolute.error


def test_what_weakens_a_result_is_said():
    treated = safar.Arm(600, 3, exposed=500)
    found = safar.hold_out(treated, safar.Arm(300, 1, exposed=30), treated_share=0.5)
    assert [warning.split(" ")[0] for warning in found.warnings] == ["the", "only", "10.0"]
    assert found.exposure == {"treated": 500 / 600, "control": 0.1} and found.mismatch.chi_squared == 100


def test_regions():
    rows = {
        "treated": [True] * 4 + [False] * 4,
        "people": [1000] * 8,
        "conversions": [61, 58, 64, 60, 50, 47, 52, 51],
        "before": [50, 47, 52, 51, 49, 48, 51, 52],
    }
    found = safar.geo_hold_out(polars.DataFrame(rows))
    assert (found.treated, found.control, found.adjusted, found.assignments, found.exact) == (4, 4, True, 70, True)
    assert found.conversions.method == "permutation" and found.conversions.p == pytest.approx(2 / 70)
    assert found.lifts.to_dicts()[0]["incremental"] == found.conversions.total.value
    named = {f"x{name}": column for name, column in rows.items()}
    names = {name: f"x{name}" for name in rows}
    assert repr(safar.geo_hold_out(pyarrow.table(named), **names)) == repr(found)
    few = safar.geo_hold_out(pyarrow.table({name: column[2:6] for name, column in rows.items() if name != "before"}))
    assert "no p-value is below 0.333" in few.warnings[0] and few.conversions.absolute.low == -math.inf


def test_planning():
    # Lewis and Rao (2015), "The unfavorable economics of measuring the returns to advertising".
    assert math.ceil(safar.Design(75.0**2).people(0.35)) == 1_441_631
    assert safar.Design((75.0**2, 75.0**2)).variances == safar.Design(75.0**2).variances
    design = safar.Design(0.05 * 0.95, treated_share=0.9, level=0.9, power=0.5)
    assert design.detectable(design.people(0.01)) == pytest.approx(0.01)
    assert design.people(0) is None and design.detectable(0) is None
    for wrong, said in [
        ({"variances": -1.0}, "a variance is -1; it must be 0 or more"),
        ({"variances": 1.0, "power": 1.0}, "power is 1; it must be above 0 and below 1"),
    ]:
        with pytest.raises(ValueError, match=said):
            safar.Design(**wrong)


@pytest.fixture
def linear():
    return safar.attribute(safar.read_paths(b"path;conversions;value\nAds > Mail;8;80\nMail;4;60\nAds;2;10\n"), "linear")


def test_credits_are_scaled_to_what_was_found(linear):
    assert linear.credits["Ads"].conversions == 6
    # Over the people of the treated arm the same model credits Ads with 3; 1.5 were due to it.
    treated = safar.attribute(safar.read_paths(b"path;conversions;value\nMail;1;5\nAds;3;30\n"), "linear")
    found = safar.Measured("Ads", safar.LiftEstimate(1.5, 0.5, 2.5, 0.5), credited=treated)
    calibrated = safar.calibrate(linear, [found])
    ads, mail = calibrated.credits["Ads"], calibrated.credits["Mail"]
    assert (ads.conversions, ads.standing, mail.conversions, mail.standing) == (3, "calibrated", 8, "association")
    assert (ads.conversions_estimate.low, ads.conversions_estimate.high) == (1, 5)
    assert mail.conversions_estimate is None and ads.value == linear.credits["Ads"].value / 2
    (did,) = calibrated.calibrations
    assert (did.channels, did.factor.value, did.value_from, did.returned_conversions) == (["Ads"], 0.5, "conversions", 3)
    assert calibrated.unattributed_conversions.value == 3 and calibrated.model == "linear"
    assert sum(row["calibrated_conversions"] for row in calibrated.table.to_dicts()) == 14
    assert calibrated.table.to_polars()["standing"].to_list() == ["calibrated", "association", "calibrated"]


def test_a_hold_out_calibrates(linear):
    outcome = safar.hold_out(safar.Arm(9000, 540), safar.Arm(1000, 45))
    found = safar.Measured(["Ads", "Mail"], outcome.conversions.total)
    calibrated = safar.calibrate(linear, found)
    assert calibrated.credits["Ads"].conversions + calibrated.credits["Mail"].conversions == pytest.approx(135)
    assert calibrated.unattributed_conversions.value == pytest.approx(14 - 135)


def test_refusals(linear):
    estimate = safar.LiftEstimate(1.0, 0.0, 2.0, 0.5)
    once = safar.Measured("Ads", estimate)
    with pytest.raises(KeyError, match="no channel `Tv` among Ads, Mail"):
        safar.calibrate(linear, safar.Measured("Tv", estimate))
    with pytest.raises(ValueError, match="`Ads` is in more than one experiment"):
        safar.calibrate(linear, [once, once])
    paths = safar.read_paths(b"path;conversions\nAds;1\n")
    with pytest.raises(ValueError, match="`credited` is by first, the credits are by linear"):
        safar.calibrate(linear, safar.Measured("Ads", estimate, credited=safar.attribute(paths, "first")))
    with pytest.raises(ValueError, match="the credits of participation overlap"):
        safar.calibrate(safar.attribute(paths, "participation"), once)
    with pytest.raises(ValueError, match="experiment 1: conversions 3 with interval 0 to 2 is no estimate"):
        safar.calibrate(linear, safar.Measured("Ads", safar.LiftEstimate(3.0, 0.0, 2.0, 1.0)))
    with pytest.raises(ValueError, match="the control arm has 1 people; it takes at least 2"):
        safar.hold_out(safar.Arm(5, 1), safar.Arm(1, 1))
    with pytest.raises(ValueError, match="treated arm: converters is 7; it must be 0 or more and at most the people"):
        safar.hold_out(safar.Arm(5, 7), safar.Arm(5, 1))
    with pytest.raises(ValueError, match="level is 1; it must be above 0 and below 1"):
        safar.hold_out(safar.Arm(5, 1), safar.Arm(5, 1), level=1.0)
    with pytest.raises(ValueError, match="row 1, column `conversions`: negative count `-1`"):
        safar.Arm.from_arrow(people([0, -1]))
    with pytest.raises(ValueError, match="row 0, column `exposed`: neither true nor false: `2`; write true or false"):
        safar.Arm.from_arrow(people([0], exposed=[2]))
    with pytest.raises(ValueError, match="no column `conversions` among `sales`"):
        safar.Arm.from_arrow(pyarrow.table({"sales": [1]}))
    with pytest.raises(ValueError, match="region 1: people is 0; it must be above 0"):
        safar.geo_hold_out(pyarrow.table({"treated": [1], "people": [0], "conversions": [1]}))


def test_wilson_refuses_what_no_proportion_is():
    assert safar.wilson(0, 10)[0] == 0 and safar.wilson(10, 10)[1] == 1 and safar.wilson(0, 0) == (0, 1)
    assert safar.wilson(5, 10, 0.5)[0] > safar.wilson(5, 10)[0]
    for bad in [(11, 10), (-1, 10), (math.nan, 10), (1, math.inf), (1, 10, 1.0), (1, 10, math.nan)]:
        with pytest.raises(ValueError, match="give hits from 0|must be above 0"):
            safar.wilson(*bad)


def test_a_hold_out_of_regions_is_planned():
    rows = {"people": [1000] * 8, "conversions": [48, 51, 50, 53, 47, 52, 49, 50], "before": [47, 52, 50, 54, 46, 53, 48, 50]}
    plan = safar.geo_plan(pyarrow.table(rows), 4)
    assert (plan.regions, plan.treated, plan.adjusted, plan.assignments, plan.exact) == (8, 4, True, 70, True)
    plain = safar.geo_plan(pyarrow.table(rows).drop_columns(["before"]), 4)
    assert not plain.adjusted and plain.conversions.mean == 0.05
    # What was known before leaves less to chance.
    assert plan.conversions.detectable < plain.conversions.detectable
    assert plain.value.detectable_part is None and plain.conversions.times_larger(0) is None
    # What is planned to be found is found: an evaluation of the same regions has such an error.
    twice = safar.geo_plan(pyarrow.table({name: column * 2 for name, column in rows.items()}), 8)
    assert twice.conversions.error < plan.conversions.error
    with pytest.raises(ValueError, match="region"):
        safar.geo_plan(pyarrow.table(rows), 9)
