"""What is wrong raises an exception with a sentence: place, value, way out."""

import pickle

import polars
import pyarrow
import pytest
import safar


def table(**changes):
    return pyarrow.table({"path": ["A", "B"], "conversions": [1, 1], **changes})


TABLES = [
    ({"conversions": [1, -1]}, "row 1, column `conversions`: negative count `-1`; counts are 0 or more"),
    ({"conversions": [1, None]}, "row 1, column `conversions`: no count `null`; write how many"),
    ({"value": [0.0, float("nan")]}, "row 1, column `value`: too large or not finite: `NaN`; write a number"),
    ({"value": [0, 2**53 + 2]}, "row 1, column `value`: 2^53 or more, so not exact as a double: `9007199254740994`"),
    ({"value": ["a", "b"]}, "column `value` holds Utf8, not numbers; convert it"),
    ({"path": ["A", None]}, "row 1, column `path`: no path `null`; write an empty list or text"),
    ({"path": ["A", "A > > B"]}, "row 1, column `path`: a channel without a name in `A > > B`; put a name"),
    ({"path": [["A"], ["B", None]]}, "row 1, column `path`: a channel without a name: `null`; name every touch"),
    ({"path": [["A"], ["B", ""]]}, "row 1, column `path`: a channel without a name: ``; name every touch"),
    ({"path": [["A"], None]}, "row 1, column `path`: no path `null`"),
    ({"path": [1, 2]}, "column `path` holds Int64; a path column holds lists of text, or text"),
    ({"Path": ["A", "B"]}, "more than one column means `path`; name the column"),
    ({"ages": [[1], [1, 2]]}, "row 1, column `ages`: 2 ages for a path of `1 touches`; give one age"),
    ({"ages": [[1], [-1]]}, "row 1, column `ages`: a touch after the outcome, its age in microseconds is `-1`"),
    ({"ages": [[1], [None]]}, "row 1, column `ages`: no age"),
    ({"ages": [[0.5], [0.5]]}, "column `ages` holds List(Float64)"),
    ({"ages": pyarrow.array([[1], [2]], pyarrow.list_(pyarrow.duration("ns")))}, "finer than a microsecond"),
]


@pytest.mark.parametrize(("changes", "sentence"), TABLES, ids=[sentence for _, sentence in TABLES])
def test_tables(changes, sentence):
    with pytest.raises(ValueError) as error:
        safar.Paths.from_arrow(table(**changes))
    assert sentence in str(error.value)


def test_rows_count_over_all_pieces():
    pieces = pyarrow.concat_tables([table(), table(conversions=[1, -1])])
    with pytest.raises(ValueError, match="^row 3, column `conversions`"):
        safar.Paths.from_arrow(pieces)


def test_missing_columns():
    with pytest.raises(ValueError, match="no column `sales` among `path, conversions`; check its name"):
        safar.Paths.from_arrow(table(), conversions="sales")
    with pytest.raises(ValueError, match="no column `total_conversions` among `path`; name the column"):
        safar.Paths.from_arrow(table().select(["path"]))


@pytest.mark.parametrize("thing", [[["A"]], "paths.csv", 1, None])
def test_what_is_no_table(thing):
    with pytest.raises(TypeError, match="is no table; give a pyarrow, polars or pandas"):
        safar.Paths.from_arrow(thing)


def test_one_column_is_no_table():
    for column in [pyarrow.chunked_array([["A"]]), polars.Series(["A"])]:
        with pytest.raises(ValueError):
            safar.Paths.from_arrow(column)


def test_a_stream_that_fails():
    def batches():
        yield table().to_batches()[0]
        raise RuntimeError("the source broke")

    stream = pyarrow.RecordBatchReader.from_batches(table().schema, batches())
    with pytest.raises(ValueError, match="the table cannot be read: .*the source broke"):
        safar.Paths.from_arrow(stream)


def test_files(tmp_path):
    absent = tmp_path / "absent.csv"
    with pytest.raises(FileNotFoundError) as error:
        safar.read_paths(absent)
    assert error.value.filename == absent
    with pytest.raises(IsADirectoryError):
        safar.read_paths(str(tmp_path))
    file = tmp_path / "paths.csv"
    file.write_bytes(b"path,conversions\nA,x\n")
    with pytest.raises(ValueError, match="paths.csv: line 2, column `total_conversions`: not a number `x`; write"):
        safar.read_paths(file)
    with pytest.raises(ValueError, match="^line 1: there is none, the input is empty"):
        safar.read_paths(b"")
    with pytest.raises(ValueError, match="`sep` is empty"):
        safar.read_paths(file, sep="")
    with pytest.raises(ValueError, match="`delimiter` must be one ASCII character"):
        safar.read_paths(file, delimiter="::")
    with pytest.raises(TypeError):
        safar.read_paths(7)


def test_models_and_transforms(text):
    paths = safar.read_paths(text)
    with pytest.raises(ValueError, match="^`position:frist=0.3`: no setting `frist`; `position` takes first, last$"):
        safar.attribute(paths, "position:frist=0.3")
    with pytest.raises(ValueError, match="no model `nonsense`; models are first, last"):
        safar.attribute(paths, ["first", "nonsense"])
    with pytest.raises(ValueError, match="`markov:order=1` is listed twice"):
        safar.attribute(paths, ["markov", "markov:order=1"])
    with pytest.raises(ValueError, match="no model is named"):
        safar.attribute(paths, [])
    with pytest.raises(ValueError, match="no transform `nonsense`; transforms are exposure"):
        safar.transform(paths, "nonsense")
    with pytest.raises(TypeError):
        safar.attribute(paths, 7)
    with pytest.raises(TypeError):
        safar.attribute("paths.csv", "first")
    with pytest.raises(ValueError, match="hazard reads whole timelines of people, not paths"):
        safar.attribute(paths, "hazard")


def test_reports(text):
    report = safar.attribute(safar.read_paths(text), ["first", "markov"])
    for key in ["last", "nonsense"]:
        with pytest.raises(KeyError):
            report[key]
    for key in [2, -3, 10**18]:
        with pytest.raises(IndexError):
            report[key]


def test_nothing_can_be_changed_or_made_by_hand(text):
    paths = safar.read_paths(text)
    with pytest.raises(AttributeError):
        paths.channels = []
    for kind in [safar.Paths, safar.Timelines, safar.Attribution, safar.Report, safar.Credit, safar.Table, safar.Lift]:
        with pytest.raises(TypeError):
            kind()
    with pytest.raises(TypeError):
        pickle.dumps(paths)
