"""Resamples: what they say, that a seed names them, and what they refuse."""

import math

import pytest
import safar

TEXT = b"path;conversions;value;null\nAds > Mail;40;400;10\nMail;30;90;20\nAds;10;20;70\n;5;5;0\n"


@pytest.fixture
def paths():
    return safar.read_paths(TEXT)


def test_a_rule_has_the_error_that_counting_says(paths):
    drawn = safar.bootstrap(paths, "last", replicates=4000, seed=3)
    mail = drawn.estimates["Mail"].conversions
    # 70 people, each counted Poisson(1) times: a standard error of √70, here with one of its own of 1 %.
    assert mail.point == 70 and mail.error == pytest.approx(math.sqrt(70), rel=0.05)
    assert mail.low == pytest.approx(70 - 1.96 * math.sqrt(70), abs=1.5)
    assert mail.high == pytest.approx(70 + 1.96 * math.sqrt(70), abs=1.5)
    assert not mail.at_extremes and mail.undefined == 0
    share = drawn.estimates["Mail"].conversion_share
    assert share.point == 70 / 85 and 0 < share.low < share.point < share.high < 1
    assert drawn.unattributed.conversions.point == 5
    assert (drawn.replicates, drawn.seed, drawn.level, drawn.model) == (4000, 3, 0.95, "last")
    assert drawn.point.credits == safar.attribute(paths, "last").credits


@pytest.mark.parametrize("model", ["linear", "markov:order=2", "shapley"])
def test_a_seed_names_the_draws(paths, model):
    once, again, other = (safar.bootstrap(paths, model, replicates=20, seed=seed) for seed in [7, 7, 8])
    assert once.estimates == again.estimates
    assert once.estimates != other.estimates


def test_costs_and_ranks(paths):
    drawn = safar.bootstrap(paths, "linear", replicates=100)
    assert drawn.cost_per_conversion("Ads", 600).point == 600 / 30
    assert drawn.return_on_cost("Mail", 29).point == 290 / 29
    assert drawn.return_on_cost("Mail", 0) is None
    ranks = drawn.ranks()
    assert ranks.above["Mail"]["Ads"] > 0.95 and ranks.above["Mail"]["Ads"] + ranks.above["Ads"]["Mail"] == pytest.approx(1)
    assert ranks.above["Mail"]["Mail"] == 0.5 and sum(ranks.rank["Ads"]) == pytest.approx(1)
    assert ranks.point == {"Ads": 1, "Mail": 0} and ranks.low["Mail"] == 0 and ranks.high["Ads"] == 1
    assert list(drawn.ranks("value", ["Mail"]).rank) == ["Mail"]


def test_tables(paths):
    drawn = safar.bootstrap(paths, "first", replicates=30)
    table = drawn.to_arrow()
    assert table.num_rows == 3 * 4
    row = table.to_pylist()[4]
    mail = drawn.estimates["Mail"].conversions
    assert (row["model"], row["channel"], row["measure"]) == ("first", "Mail", "conversions")
    assert (row["point"], row["error"], row["low"], row["high"]) == (mail.point, mail.error, mail.low, mail.high)
    assert drawn.to_pandas()["channel"].iloc[-1] == drawn.to_polars()["channel"][-1] == "(unattributed)"
    # Nothing was worth anything: a share of it is not defined.
    nothing = safar.bootstrap(safar.read_paths(b"path;conversions\nA;3\n"), "first", replicates=30)
    assert nothing.estimates["A"].value_share is None
    assert nothing.to_arrow().to_pylist()[3]["point"] is None


def test_progress(paths):
    told = []
    safar.bootstrap(paths, "markov", replicates=50, progress=lambda *word: told.append(word))
    done = [word[0] for word in told]
    assert told[-1] == (50, 50, "markov:order=1") and done == sorted(set(done))

    def stop(*_):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        safar.bootstrap(paths, "markov", replicates=1_000_000, progress=stop)


def test_refusals(paths):
    for settings, said in [
        ({"replicates": 1}, "1 resamples were asked for; ask for 2 to"),
        ({"level": 1.0}, "1 is no level of an interval"),
        ({"level": math.nan}, "no level of an interval"),
    ]:
        with pytest.raises(ValueError, match=said):
            safar.bootstrap(paths, "first", **settings)
    with pytest.raises(ValueError, match="frist"):
        safar.bootstrap(paths, "frist")
    drawn = safar.bootstrap(paths, "first", replicates=2)
    with pytest.raises(KeyError, match="no channel `Tv` among Ads, Mail"):
        drawn.cost_per_conversion("Tv", 1)
    with pytest.raises(ValueError, match="give conversions or value"):
        drawn.ranks("clicks")
