"""Everything public has a docstring, and the examples in them hold."""

import doctest
import inspect

import pytest
import safar


def public():
    yield "safar", safar
    for name in safar.__all__:
        thing = getattr(safar, name)
        if name.startswith("__"):
            continue
        yield name, thing
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_"):
                    yield f"{name}.{member}", value


@pytest.mark.parametrize(("name", "thing"), list(public()), ids=[name for name, _ in public()])
def test_docstrings(name, thing):
    text = inspect.getdoc(thing)
    assert text and len(text) > 10, name
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    failures, tried = doctest.DocTestRunner().run(example)
    assert failures == 0
    if inspect.isroutine(thing) and inspect.ismodule(getattr(thing, "__self__", None)):
        assert tried, f"{name} has no example"


def test_words():
    names = [model.name for model in safar.models()]
    assert len(names) == len(set(names)) >= 16 and all(model.meaning for model in safar.models())
    assert all(setting.meaning for model in safar.models() for setting in model.settings)
    paths = safar.read_paths(b"path,conversions,null\nA > B,1,1\nB,1,0\n")
    # Every model and preset that needs no settings runs, and `all` is all of those models.
    alone = [name for name in names if name not in ["custom", "hazard", "intent_hazard"]]
    assert [model.split(":")[0] for model in safar.attribute(paths, "all").models] == alone
    assert len(safar.attribute(paths, [preset.name for preset in safar.presets()])) == len(safar.presets())
    assert repr(paths) == "<safar.Paths: 2 paths, 3 touchpoints, 2 channels>"
    assert repr(safar.attribute(paths, ["first"])) == "<safar.Report: first>"
    assert repr(safar.attribute(paths, "first")) == "<safar.Attribution: first, 2 channels>"
    markov = safar.attribute(paths, "markov").diagnostics
    assert repr(markov).startswith("Diagnostics(assumed_ages=False, overlapping=False, raw=None, markov=Markov")
    assert (markov.markov.order, markov.markov.solver, markov.markov.sweeps) == (1, "direct", None)
    assert safar.attribute(paths, "participation").diagnostics.overlapping


def test_transforms():
    paths = safar.read_paths(b"path,conversions\nDirect > A > A > Direct,1\n")
    steps = ["exposure", "remove_direct", "frequency"]
    assert safar.transform(paths, steps).channels == ["A(1)"]
    assert safar.transform(paths, []) == paths
    assert safar.transform(paths, "frequency").channels == ["Direct(2)", "A(2)"]
