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
    every = safar.attribute(paths, "all")
    assert [model.split(":")[0] for model in every.models] == alone
    # Models of cause read something else, and `all` says so.
    assert [model.split(":")[0] for model in every.refused] == ["hazard", "intent_hazard"]
    assert all("make them by safar.Timelines.from_arrow" in why for why in every.refused.values())
    assert "; refused: hazard:rounds=60, intent_hazard" in repr(every)
    assert len(safar.attribute(paths, [preset.name for preset in safar.presets()])) == len(safar.presets())
    assert repr(paths) == "<safar.Paths: 2 paths, 3 touchpoints, 2 channels>"
    assert repr(safar.attribute(paths, ["first"])) == "<safar.Report: first>"
    assert repr(safar.attribute(paths, "first")) == "<safar.Attribution: first, 2 channels>"
    markov = safar.attribute(paths, "markov").diagnostics
    assert repr(markov).startswith(
        "Diagnostics(assumed_ages=False, overlapping=False, raw=None, markov=MarkovDiagnostics(order=1, choice=None, states=2"
    )
    assert (markov.markov.order, markov.markov.solver, markov.markov.sweeps) == (1, "direct", None)
    assert safar.attribute(paths, "participation").diagnostics.overlapping


def test_diagnostics_are_all_there():
    paths = safar.read_paths(b"path,conversions,null\nA > B,30,10\nB,10,50\nA > B > C,5,5\nC,1,99\n")

    def of(model):
        return safar.attribute(paths, model).diagnostics

    choice = of("markov:order=auto,most=2,seed=5").markov.choice
    assert len(choice.losses) == 2 and choice.seed == 5 and choice.folds > 1 and min(choice.losses) < choice.base_loss
    sampled = of("shapley_markov:samples=40,seed=7").sampled
    assert (sampled.samples, sampled.seed, list(sampled.errors)) == (40, 7, ["A", "B", "C"])
    assert any(error.conversions > 0 for error in sampled.errors.values())
    logistic = of("logistic:bags=20").logistic
    assert logistic.bags == 20 and logistic.coefficients["A"] > logistic.coefficients["C"]
    assert logistic.even.conversions >= 0 and logistic.unsettled == 0
    assert list(of("shao_li").raw) == ["A", "B", "C"] and of("linear").hazard is None


def test_a_model_that_all_cannot_run_is_told():
    lines = "".join(f"c{index},1\n" for index in range(1001))
    paths = safar.read_paths(b"path,conversions\n" + lines.encode())
    with pytest.warns(UserWarning, match="logistic.* cannot take these paths: logistic is exact up to 1000 channels"):
        report = safar.attribute(paths, "all")
    (why,) = [why for model, why in report.refused.items() if "hazard" not in model]
    assert "got 1001; group rare channels first" in why and "logistic" not in " ".join(report.models)
    with pytest.raises(ValueError, match="logistic is exact up to 1000 channels"):
        safar.attribute(paths, ["linear", "logistic"])


def test_rules_print_their_weights():
    for model in [*safar.models(), *safar.presets()]:
        spelled = "custom:weights=3/1" if model.name == "custom" else model.name
        shown = [safar.weights(spelled, touches) for touches in range(1, 6)]
        if shown[0] is None:
            assert shown == [None] * 5
        elif model.name != "participation":
            assert all(len(row) == n and sum(row) == pytest.approx(1) for n, row in enumerate(shown, 1)), model
    assert safar.weights("position:first=0.5,last=0.3", 4) == pytest.approx([0.5, 0.1, 0.1, 0.3])
    assert safar.weights("linear", 0) == []
    with pytest.raises(ValueError, match="liner"):
        safar.weights("liner", 2)


def test_transforms():
    paths = safar.read_paths(b"path,conversions\nDirect > A > A > Direct,1\n")
    steps = ["exposure", "remove_direct", "frequency"]
    assert safar.transform(paths, steps).channels == ["A(1)"]
    assert safar.transform(paths, []) == paths
    assert safar.transform(paths, "frequency").channels == ["Direct(2)", "A(2)"]
