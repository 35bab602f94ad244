"""Models learned on one period and tested on the next, and how steady they are."""

import math

import pytest
import safar

EARLIER = b"path;conversions;null\nMail;30;70\nAds;5;95\nMail > Ads;10;90\n;9;9\n"
LATER = b"path;conversions;null\nAds;6;94\nMail > Ads;12;88\nMail;28;72\n"


@pytest.fixture
def periods():
    return safar.read_paths(EARLIER), safar.read_paths(LATER)


def test_scores_are_those_of_their_definition(periods):
    tested = safar.backtest(*periods, ["markov", "linear"])
    assert sorted(tested.models) == ["linear", "markov:order=1"] and tested.refused == {}
    for row in tested.scores.to_dicts():
        # The later paths in their order; each of 100 people.
        chances = tested.probabilities(row["model"])
        converted = [6, 12, 28]
        loss = sum(-n * math.log(p) - (100 - n) * math.log(1 - p) for p, n in zip(chances, converted)) / 300
        assert row["log_loss"] == pytest.approx(loss, rel=1e-12) and row["people"] == 300
        base = 45 / 300
        floor = -(46 * math.log(base) + 254 * math.log(1 - base)) / 300
        assert row["base_log_loss"] == pytest.approx(floor, rel=1e-12)
        assert row["gain"] == pytest.approx(floor - loss, rel=1e-9)
        # Converters above others, ties counting half.
        people = list(zip(chances, converted))
        above = [n * (100 - m) * ((p > q) + (p == q) / 2) for p, n in people for q, m in people]
        assert row["auc"] == pytest.approx(sum(above) / (46 * 254), rel=1e-12) and row["auc"] > 0.6
        assert row["week_distance"] is None
    rows = tested.calibration().to_dicts()
    assert [row["observed"] for row in rows if row["model"] == "linear"] == [0.06, 0.12, 0.28]
    assert all(row["observed_low"] < row["observed"] < row["observed_high"] for row in rows)
    wide = tested.calibration(0.999).to_dicts()
    assert all(wide["observed_low"] < row["observed_low"] for wide, row in zip(wide, rows))
    roc = [row for row in tested.roc().to_dicts() if row["model"] == "linear"]
    assert (roc[0]["true_positive_rate"], roc[1]["true_positive_rate"]) == (0, pytest.approx(28 / 46))
    assert (roc[0]["threshold"], roc[-1]["false_positive_rate"]) == (math.inf, 1)


def test_one_is_recommended_with_its_reason(periods):
    tested = safar.backtest(*periods)
    assert tested.recommended in tested.models and f"recommended: {tested.recommended}." in tested.reason
    (chosen,) = [row["model"] for row in tested.scores.to_dicts() if row["recommended"]]
    assert chosen == tested.recommended and "association" in tested.caveat and tested.warnings == []
    assert repr(tested) == f"<safar.Backtest: {len(tested.models)} models, recommended: {chosen}>"
    # Whoever is met converts alike: nothing to learn.
    alike = safar.read_paths(b"path;conversions;null\nMail;30;70\nAds;30;70\n")
    nothing = safar.backtest(alike, alike, ["linear", "first"])
    assert nothing.recommended is None and nothing.reason.startswith("recommended: none.")


def test_periods_that_are_not_alike_are_told(periods):
    twice = safar.read_paths(b"path;conversions;null\nMail;700;300\nAds;600;400\n")
    (warning,) = safar.backtest(periods[0], twice, "linear").warnings
    assert warning.startswith("the conversion rate went from 15.00 % to 65.00 %")


def test_channels_are_known_by_name(periods):
    """The two files number their channels differently; a name that is new later is no error."""
    earlier, later = periods
    assert earlier.channels != later.channels
    moved = safar.read_paths(b"path;conversions;null\nMail;28;72\nMail > Ads;12;88\nAds;6;94\n")
    rows = [safar.backtest(earlier, other, "linear").scores.to_dicts()[0] for other in [later, moved]]
    assert rows[0]["log_loss"] == pytest.approx(rows[1]["log_loss"], rel=1e-12)
    more = safar.read_paths(LATER + b"Tv;1;1\n")
    assert len(safar.backtest(earlier, more, "linear").probabilities("linear")) == 4


def week(a, b):
    return safar.read_paths(f"path;conversions;null\nB;{b};50\nA;{a};50\n".encode())


def test_steadiness():
    steady = safar.stability([week(50, 50), week(52, 48), week(50, 50)], "last", replicates=199, seed=3)
    assert steady.distances == [pytest.approx(0.02)] * 2 and steady.distance == pytest.approx(0.02)
    assert steady.p > 0.5 and steady.noise_floor > 0.02 and (steady.replicates, steady.seed) == (199, 3)
    assert steady.ranges["A"] == (0.5, 0.52) and steady.shares[1] == {"B": 0.48, "A": 0.52}
    assert safar.stability([week(52, 48), week(90, 10)], "last").p <= 0.05


def test_weeks_are_part_of_a_backtest(periods):
    weeks = [week(50, 50), week(52, 48)]
    tested = safar.backtest(*periods, ["last", "first"], weeks=weeks)
    assert [row["week_distance"] for row in tested.scores.to_dicts()] == [pytest.approx(0.02)] * 2
    shares = {row["channel"]: (row["share_low"], row["share_high"]) for row in tested.weeks().to_dicts()}
    assert shares["A"] == (0.5, 0.52) and shares["Mail"] == (0, 0)
    assert safar.backtest(*periods, "last").weeks().to_dicts() == []
    # Of `all`, a model whose steadiness cannot be told is tested all the same.
    nothing = [week(50, 50), week(0, 0)]
    tested = safar.backtest(*periods, weeks=nothing)
    assert "last: its steadiness is not known: the model credits no channel in week 2; leave the week out" in tested.warnings
    with pytest.raises(ValueError, match="the model credits no channel in week 2"):
        safar.backtest(*periods, "last", weeks=nothing)


def test_progress(periods):
    told = []
    safar.backtest(*periods, ["last", "markov"], progress=lambda *word: told.append(word))
    assert told == [(1, 2, "last"), (2, 2, "markov:order=1")]

    def stop(*_):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        safar.backtest(*periods, progress=stop)


def test_refusals(periods):
    earlier, later = periods
    converts = safar.read_paths(b"path;conversions\nMail;3\n")
    with pytest.raises(ValueError, match="the later paths have 3 conversions and 0 people without; it takes some of both"):
        safar.backtest(earlier, converts, "linear")
    with pytest.raises(ValueError, match="hazard reads whole timelines of people, not paths"):
        safar.backtest(earlier, later, ["linear", "hazard"])
    with pytest.raises(ValueError, match="1 weeks were given; it takes at least 2"):
        safar.stability([week(1, 1)], "last")
    with pytest.raises(ValueError, match="replicates is 5; it must be at least 19"):
        safar.stability([week(1, 1), week(2, 1)], "last", replicates=5)
    with pytest.raises(KeyError, match="no `first` among linear"):
        safar.backtest(earlier, later, "linear").probabilities("first")
    with pytest.raises(ValueError, match="2 is no level of an interval"):
        safar.backtest(earlier, later, "linear").calibration(2)


def test_agreement():
    paths = safar.read_paths(b"path;conversions\nAds > Mail;8\nSearch > Mail;2\nMail;4\n")
    report = safar.attribute(paths, ["first", "last", "linear"])
    agreed = safar.agreement(report)
    first_last = agreed.pairs.to_dicts()[0]
    assert (first_last["model_a"], first_last["model_b"]) == ("first", "last") and first_last["kendall"] == 0
    assert first_last["distance"] == pytest.approx(10 / 14) and len(agreed.pairs) == 3
    ads = agreed.spreads.to_dicts()[0]
    assert (ads["channel"], ads["low"], ads["low_model"], ads["high_model"]) == ("Ads", 0, "last", "first")
    assert agreed.widest == "Mail" and ads["points"] == pytest.approx(100 * 8 / 14)
    with pytest.raises(ValueError, match="1 models were given; give 2 or more"):
        safar.agreement(safar.attribute(safar.read_paths(b"path;conversions\nA;1\n"), ["first"]))
    with pytest.raises(ValueError, match="the credits of first sum to 0"):
        safar.agreement(report, "value")
