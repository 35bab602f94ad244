"""Models of cause: timelines from tables, credits, intervals, and what the models learned."""

import datetime

import pandas
import polars
import pyarrow
import pytest
import safar

DAY = 86_400_000_000


def lines(people=400):
    """Every other person was shown something on day 10, and half of them bought soon after; of the others one in ten."""
    rows = {"from": [], "until": [], "channels": [], "times": [], "outcomes": [], "values": []}
    for person in range(people):
        shown = person % 2 == 0
        buys = person % 4 == 0 if shown else person % 20 == 1
        soon, late = 10 * DAY + 1 + person * 7_919 % 400 * DAY // 200, person * 104_729 % 400 * DAY // 20
        until = (soon if shown else late) if buys else 20 * DAY
        rows["from"].append(0)
        rows["until"].append(until)
        rows["channels"].append(["Display"] if shown else [])
        rows["times"].append([10 * DAY] if shown else [])
        rows["outcomes"].append([until] if buys else [])
        rows["values"].append([10.0] if buys else [])
    return rows


@pytest.fixture(scope="module")
def timelines():
    return safar.Timelines.from_arrow(pyarrow.table(lines()))


def test_what_leaps_to_the_eye_is_found(timelines):
    hazard = safar.attribute(timelines, "hazard")
    display, rest = hazard.credits["Display"], hazard.unattributed
    assert 80 < display.conversions < 100 and display.conversions + rest.conversions == pytest.approx(120)
    assert display.value == pytest.approx(10 * display.conversions)
    learned = hazard.diagnostics.hazard
    about = learned.channels["Display"]
    assert learned.converged and learned.step > datetime.timedelta(0) and learned.mood_half_life is None
    assert (about.role, about.guessed, list(about.lifts)) == ("push", True, ["Display"])
    assert 0.2 < about.effect < 0.7 and datetime.timedelta(0) < about.half_life < datetime.timedelta(days=5)
    report = safar.attribute(timelines, ["hazard"])
    assert report["hazard"].to_polars().equals(hazard.to_polars())


def test_intervals(timelines):
    told = []
    drawn = safar.bootstrap(timelines, "hazard", replicates=20, progress=lambda *word: told.append(word))
    display = drawn.estimates["Display"].conversions
    assert display.low < display.point < display.high
    assert told[-1] == (20, 20, "hazard:rounds=60") and [done for done, *_ in told] == sorted({done for done, *_ in told})


def test_roles_are_told_or_guessed():
    rows = lines(60)
    direct = safar.Timelines.from_arrow(pyarrow.table(rows), roles={"Display": "direct"})
    assert direct.roles == {"Display": "direct"} and direct.channels == ["Display"]
    found = safar.attribute(direct, "hazard")
    assert found.credits["Display"].conversions == 0 and not found.diagnostics.hazard.channels["Display"].guessed
    with pytest.raises(ValueError, match="`pusher` is no role of `Display`; roles are direct, pull, reach, push"):
        safar.Timelines.from_arrow(pyarrow.table(rows), roles={"Display": "pusher"})
    with pytest.raises(KeyError, match="no channel `Tv` among Display"):
        safar.Timelines.from_arrow(pyarrow.table(rows), roles={"Tv": "push"})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_time_stamps_of_every_kind(unit, zone):
    rows = lines(40)
    whole = {name: column if name in ["channels", "values"] else at_noon(column) for name, column in rows.items()}
    want = safar.Timelines.from_arrow(pyarrow.table(whole))
    per = {"s": 1_000_000, "ms": 1000, "us": 1}
    scaled = {name: scale(column, lambda at: at * 1000 if unit == "ns" else at // per[unit]) for name, column in whole.items()}
    kind = pyarrow.timestamp(unit, zone)
    stamps = {name: pyarrow.array(scaled[name], kind) for name in ["from", "until"]}
    stamps |= {name: pyarrow.array(scaled[name], pyarrow.list_(kind)) for name in ["times", "outcomes"]}
    got = safar.Timelines.from_arrow(pyarrow.table({**whole, **stamps}))
    assert repr(got) == repr(want)
    credits = [safar.attribute(one, "hazard").to_polars() for one in [got, want]]
    assert credits[0].equals(credits[1])


def scale(column, by):
    if not column or isinstance(column[0], int):
        return [by(at) for at in column]
    return [[by(at) for at in row] if row and isinstance(row[0], int) else row for row in column]


def at_noon(column):
    """Times of whole seconds."""
    return scale(column, lambda at: at // 1_000_000 * 1_000_000)


def test_the_libraries_agree(timelines):
    want = safar.attribute(timelines, "hazard").to_polars()
    for frame in [polars.DataFrame(lines()), pandas.DataFrame(lines())]:
        assert safar.attribute(safar.Timelines.from_arrow(frame), "hazard").to_polars().equals(want)
    renamed = pyarrow.table(lines()).rename_columns(["a", "b", "c", "d", "e", "f"])
    names = dict(zip(["from_", "until", "channels", "times", "outcomes", "values"], "abcdef"))
    assert safar.attribute(safar.Timelines.from_arrow(renamed, **names), "hazard").to_polars().equals(want)
    assert repr(timelines) == "<safar.Timelines: 400 people, 200 touchpoints, 120 outcomes, 1 channels>"
    assert (len(timelines), timelines.touchpoints, timelines.outcomes) == (400, 200, 120)


def changed(**columns):
    rows = {"from": [0], "until": [5], "channels": [["A"]], "times": [[1]], "outcomes": [[5]]}
    return pyarrow.table({**rows, **columns})


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"times": [[9]]}, "person 0 has touch 0 at 9 µs; times must ascend, inside the window"),
        ({"until": [-1]}, "person 0 is observed from 0 µs until -1 µs; the end must not come before"),
        ({"times": [[1, 2]]}, "person 0 has 1 touches but 2 times; give one for each"),
        ({"values": [[1.0, 2.0]]}, "person 0 has 1 outcomes but 2 values; give one for each"),
        ({"values": [[float("nan")]]}, "row 0, column `values`: too large or not finite: `NaN`"),
        ({"values": [1.0]}, "column `values` holds Float64; it takes lists with the value of each outcome"),
        ({"times": [["noon"]]}, "instants are time stamps, or whole microseconds since 1970"),
        ({"times": [1]}, "column `times` holds one instant a row; it takes a list"),
        ({"from": [[0]]}, "column `from` holds lists; it takes one instant a row"),
        ({"until": pyarrow.array([None], "int64")}, "row 0, column `until`: no instant"),
    ],
)
def test_what_cannot_be_is_named(columns, sentence):
    with pytest.raises(ValueError) as error:
        safar.Timelines.from_arrow(changed(**columns))
    assert sentence in str(error.value)


def test_models_and_data_that_do_not_fit(timelines):
    with pytest.raises(ValueError, match="linear reads paths, not timelines"):
        safar.attribute(timelines, "linear")
    with pytest.raises(ValueError, match="hazard reads whole timelines of people, not paths; make them by safar.Timel"):
        safar.bootstrap(safar.read_paths(b"path;conversions\nA;1\n"), "hazard")
