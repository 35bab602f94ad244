"""Resamples: what they say, that a seed names them, and what they refuse."""

import math

import numpy
import pandas
import pyarrow
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


# Ten people: the first five bought twice by way of Mail, each time on a row of its own, the others once by way of Ads.
ROWS = {
    "person": [*range(5), *range(5), *range(5, 10)],
    "path": ["Mail"] * 10 + ["Ads"] * 5,
    "conversions": [1] * 15,
}


@pytest.mark.parametrize("model", ["last", "markov"])
@pytest.mark.parametrize("spelled", [int, str, numpy.uint8, numpy.int16])
def test_people_are_drawn_with_all_of_their_paths(model, spelled):
    frame = pandas.DataFrame(ROWS | {"person": [spelled(person) for person in ROWS["person"]]})
    people = safar.Paths.from_arrow(frame)
    assert people.has_persons
    drawn = safar.bootstrap(people, model, replicates=4000)
    mail, ads = (drawn.estimates[name].conversions for name in ["Mail", "Ads"])
    # Five people who count twice: a standard error of 2 √5, where ten who count once have one of √10.
    assert mail.point == 10 and mail.error == pytest.approx(2 * math.sqrt(5), rel=0.06)
    assert ads.error == pytest.approx(math.sqrt(5), rel=0.06)
    apart = safar.bootstrap(safar.Paths.from_arrow(frame.drop(columns="person")), model, replicates=4000)
    assert apart.estimates["Mail"].conversions.error == pytest.approx(math.sqrt(10), rel=0.06)


def test_people_stay_with_their_paths():
    table = pyarrow.table(ROWS)
    people = safar.Paths.from_arrow(table)
    want = safar.bootstrap(people, "linear", replicates=20).estimates
    # The order of rows does not matter, nor does a transform that changes nothing, nor a table in between.
    moved = safar.Paths.from_arrow(table.take(list(range(14, -1, -1))))
    for same in [moved, safar.transform(people, "exposure"), safar.Paths.from_arrow(people)]:
        assert same.has_persons and safar.bootstrap(same, "linear", replicates=20).estimates == want
    named = safar.Paths.from_arrow(table.rename_columns(["user", "path", "conversions"]), person="user")
    assert named == people
    assert named.to_arrow().column_names[-1] == "person"
    # Text is drawn by what it says, however it is kept.
    texts = table.set_column(0, "person", table["person"].cast("string"))
    coded = texts.set_column(0, "person", texts["person"].dictionary_encode())
    assert safar.Paths.from_arrow(texts) == safar.Paths.from_arrow(coded) != people


def test_people_of_timelines():
    day = 86_400_000_000
    count = range(200)
    until = [20 * day if person % 3 else (11 + person % 7) * day for person in count]
    rows = {
        "from": [0] * 200,
        "until": until,
        "channels": [["Display"] if person % 2 else [] for person in count],
        "times": [[10 * day] if person % 2 else [] for person in count],
        "outcomes": [[] if person % 3 else [until[person]] for person in count],
    }
    each = safar.Timelines.from_arrow(pyarrow.table(rows))
    alone = safar.Timelines.from_arrow(pyarrow.table(rows | {"person": list(count)}))
    four = safar.Timelines.from_arrow(pyarrow.table(rows | {"who": [person // 4 for person in count]}), person="who")
    assert (each.has_persons, alone.has_persons, four.has_persons) == (False, True, True)
    drawn = [safar.bootstrap(lines, "hazard", replicates=20) for lines in [each, alone, four]]
    assert drawn[0].estimates == drawn[1].estimates != drawn[2].estimates
    # All outcomes of four neighbours come and go together.
    errors = [resamples.unattributed.conversions.error for resamples in drawn]
    assert drawn[0].point.credits == drawn[2].point.credits and errors[2] > errors[0]


def test_people_that_are_not_known():
    table = pyarrow.table(ROWS)
    with pytest.raises(ValueError, match="row 0, column `person`: no person: `null`; say whose every row is, or drop"):
        safar.Paths.from_arrow(table.set_column(0, "person", pyarrow.nulls(15)))
    with pytest.raises(ValueError, match="column `person` holds Float64; ids of people are whole numbers or text"):
        safar.Paths.from_arrow(table.set_column(0, "person", table["person"].cast("float64")))
    with pytest.raises(ValueError, match="no column `who` among"):
        safar.Paths.from_arrow(table, person="who")


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
