"""The same paths from every library and in every layout are the same paths, and come back as they went."""

import datetime

import pandas
import polars
import pyarrow
import pytest
import safar


def text_of(columns):
    return {**columns, "path": [" > ".join(path) for path in columns["path"]]}


LAYOUTS = [
    pyarrow.list_(pyarrow.string()),
    pyarrow.large_list(pyarrow.large_string()),
    pyarrow.list_view(pyarrow.string_view()),
    pyarrow.list_(pyarrow.dictionary(pyarrow.int8(), pyarrow.string())),
    pyarrow.large_list(pyarrow.dictionary(pyarrow.uint32(), pyarrow.large_string())),
    pyarrow.string(),
    pyarrow.large_string(),
    pyarrow.string_view(),
    pyarrow.dictionary(pyarrow.int16(), pyarrow.string()),
]


@pytest.mark.parametrize("kind", LAYOUTS, ids=str)
def test_every_layout_of_a_path_column(kind, text, columns):
    want = safar.read_paths(text)
    is_list = any(f(kind) for f in [pyarrow.types.is_list, pyarrow.types.is_large_list, pyarrow.types.is_list_view])
    rows = columns if is_list else text_of(columns)
    inner = kind.value_type if is_list else kind
    if pyarrow.types.is_dictionary(inner):
        plain = pyarrow.list_(inner.value_type) if is_list else inner.value_type
        path = pyarrow.array(rows["path"], plain)
        if is_list:
            values = path.flatten().dictionary_encode().cast(inner)
            path = pyarrow.ListArray.from_arrays(path.offsets, values).cast(kind)
        else:
            path = path.dictionary_encode().cast(kind)
    else:
        path = pyarrow.array(rows["path"], kind)
    assert path.type == kind
    table = pyarrow.table({**rows, "path": path})
    assert safar.Paths.from_arrow(table) == want
    # In pieces, and as a part of something larger.
    pieces = pyarrow.concat_tables([table.slice(0, 2), table.slice(2, 0), table.slice(2)])
    assert safar.Paths.from_arrow(pieces) == want
    part = safar.Paths.from_arrow(table.slice(1, 3))
    lines = text.splitlines(keepends=True)
    assert part == safar.read_paths(b"".join([lines[0], *lines[2:5]]))
    # As one batch, and as a stream that Python itself makes.
    assert safar.Paths.from_arrow(table.combine_chunks().to_batches()[0]) == want
    stream = pyarrow.RecordBatchReader.from_batches(table.schema, iter(table.to_batches()))
    assert safar.Paths.from_arrow(stream) == want


def test_the_libraries_agree(text, columns):
    want = safar.read_paths(text)
    rows = text_of(columns)
    category = polars.List(polars.Categorical)
    frames = {
        "pandas, lists": pandas.DataFrame(columns),
        "pandas, text": pandas.DataFrame(rows),
        "pandas, objects": pandas.DataFrame(rows).astype({"path": object}),
        "pandas, categorical": pandas.DataFrame(rows).astype({"path": "category"}),
        "pandas, chosen rows": pandas.concat([pandas.DataFrame(rows)] * 2).iloc[:5],
        "polars, lists": polars.DataFrame(columns),
        "polars, text": polars.DataFrame(rows),
        "polars, categorical": polars.DataFrame(rows).with_columns(polars.col("path").cast(polars.Categorical)),
        "polars, lists of categorical": polars.DataFrame(columns).with_columns(polars.col("path").cast(category)),
        "pyarrow": pyarrow.table(columns),
        "safar": want,
    }
    for name, frame in frames.items():
        assert safar.Paths.from_arrow(frame) == want, name
    credits = safar.attribute(want, "all").to_polars()
    for name, frame in frames.items():
        assert safar.attribute(safar.Paths.from_arrow(frame), "all").to_polars().equals(credits), name


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float32", "float64", "bool", "decimal"])
def test_every_kind_of_number(kind):
    counts = pyarrow.array([1, 0, 1], {"decimal": pyarrow.decimal128(10, 2), "bool": pyarrow.int8()}.get(kind, kind))
    counts = counts.cast("bool") if kind == "bool" else counts
    paths = safar.Paths.from_arrow(pyarrow.table({"path": ["A", "B", "A"], "conversions": counts, "value": counts}))
    assert safar.attribute(paths, "last").credits["A"].conversions == 2
    assert safar.attribute(paths, "last").credits["A"].value == 2


def test_columns_are_found_by_name_or_named():
    rows = {"Path": ["A"], "Conversions": [1], "VALUE": [2], "null": [3], "other": ["x"]}
    assert safar.Paths.from_arrow(polars.DataFrame(rows)).to_polars().row(0) == (["A"], 1, 2, 3)
    renamed = polars.DataFrame({"a": ["A/B"], "b": [1], "c": [2], "d": [3], "path": ["Z"], "conversions": [9]})
    paths = safar.Paths.from_arrow(renamed, path="a", conversions="b", value="c", nulls="d", sep="/")
    assert paths.to_polars().row(0) == (["A", "B"], 1, 2, 3)


def test_missing_numbers_are_zero_as_in_files():
    table = pyarrow.table({"path": ["A"], "conversions": [1], "value": [None], "null": pyarrow.array([None], "int64")})
    assert safar.Paths.from_arrow(table) == safar.read_paths(b"path,conversions,value,null\nA,1,,\n")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_ages_count(unit):
    hours = [[24, 0], [48]]
    ages = [[datetime.timedelta(hours=age) for age in path] for path in hours]
    table = {"path": [["A", "B"], ["B"]], "conversions": [1, 1]}
    kind = pyarrow.list_(pyarrow.duration(unit))
    paths = safar.Paths.from_arrow(pyarrow.table({**table, "ages": pyarrow.array(ages, kind)}))
    assert paths.has_ages
    result = safar.attribute(paths, "time_decay:half_life=1d")
    assert not result.diagnostics.assumed_ages
    assert result.credits["A"].conversions == pytest.approx(1 / 3, rel=1e-12)
    micros = [[age * 3_600_000_000 for age in path] for path in hours]
    assert safar.Paths.from_arrow(polars.DataFrame({**table, "ages": micros})) == paths
    assert safar.Paths.from_arrow(paths) == paths
    without = safar.Paths.from_arrow(pyarrow.table(table))
    assert safar.attribute(without, "time_decay").diagnostics.assumed_ages


def test_touchpoints_grouped_by_their_own_library():
    rows = {"person": [7, 7, 3], "channel": ["Ads", "Mail", "Mail"]}
    sales = {"person": [7, 3], "sales": [1, 2]}
    want = safar.read_paths(b"path,conversions\nAds > Mail,1\nMail,2\n")
    frame = polars.DataFrame(rows).group_by("person", maintain_order=True).agg("channel")
    frame = frame.join(polars.DataFrame(sales), on="person", maintain_order="left")
    paths = safar.Paths.from_arrow(frame, path="channel", conversions="sales")
    assert paths.has_persons and not want.has_persons and paths != want
    assert safar.Paths.from_arrow(frame.drop("person"), path="channel", conversions="sales") == want
    frame = pandas.DataFrame(rows).groupby("person", sort=False, as_index=False)["channel"].agg(list)
    frame = frame.merge(pandas.DataFrame(sales), on="person", how="left")
    assert safar.Paths.from_arrow(frame, path="channel", conversions="sales") == paths


def test_results_as_tables(text):
    paths = safar.read_paths(text)
    report = safar.attribute(paths, ["last", "linear"])
    want = [
        {"model": model, "channel": channel, "conversions": credit.conversions, "value": credit.value}
        for model in report.models
        for channel, credit in [*report[model].credits.items(), ("(unattributed)", report[model].unattributed)]
    ]
    assert len(want) == 8
    assert report.to_arrow().to_pylist() == want
    assert report.to_polars().to_dicts() == want
    assert report.to_pandas().to_dict("records") == want
    assert report["linear"].to_arrow().to_pylist() == want[4:]
    assert report["linear"].to_polars().to_dicts() == want[4:]
    assert report["linear"].to_pandas().to_dict("records") == want[4:]
    assert report.credits["last"] == report["last"].credits
    assert report.unattributed["last"] == report[0].unattributed == safar.attribute(paths, "last").unattributed
    assert [one.model for one in report] == report.models == [report[-2].model, report[1].model]
    assert paths.to_pandas()["path"].map(list).tolist() == paths.to_arrow()["path"].to_pylist()


def test_no_rows_and_no_touches():
    for rows in [{"path": [], "conversions": []}, {"path": [[]], "conversions": [1]}]:
        paths = safar.Paths.from_arrow(pyarrow.table(rows))
        assert len(paths) == len(rows["path"]) and paths.channels == []
        assert safar.Paths.from_arrow(paths) == paths
        result = safar.attribute(paths, "markov")
        assert result.credits == {} and result.unattributed.conversions == len(paths)
        assert result.to_polars()["channel"].to_list() == ["(unattributed)"]
