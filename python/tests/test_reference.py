"""Results of the exact reference implementation on real path files, to 1e-9."""

import csv
from functools import cache

import safar

SPELLED = {
    "first": "first",
    "last": "last",
    "linear": "linear",
    "position_decay": "position_decay",
    "position_based": "position:first=0.4,last=0.4",
    "shapley_subset_sum": "shapley",
    "fractribution": "leave_one_out",
    "markov1_shapley": "shapley_markov",
    "shapley_dp6_convrate": "shapley_rate:most=8",
    "shao_li_raw": "shao_li",
}
HALF_LIVES = {"half=7;step=1 per touch": "7d", "half=1;step=1 per touch": "1d"}


def spelled(model, parameters):
    """How a model of the reference is spelled here; nothing for what the package does not offer."""
    if model == "time_decay_idx":
        return f"time_decay:half_life={HALF_LIVES[parameters]}"
    if model.startswith("markov_"):
        return f"markov:order={model.split('_')[1]}"
    return SPELLED.get(model)


def close(got, want):
    return want == "" or abs(got - float(want)) <= 1e-9 * max(abs(float(want)), 1e-3)


def test_every_exact_result_is_met(shared):
    results = shared("reference/attribution/reference_results.csv")

    @cache
    def given(dataset, model):
        return safar.attribute(safar.read_paths(shared(f"data/journeys/{dataset}/paths.csv")), model)

    met = 0
    for row in csv.DictReader(results.open()):
        model = spelled(row["model"], row["parameters"]) if row["tool"] == "exact-ref" else None
        if model is None:
            continue
        result, channel = given(row["dataset"], model), row["channel"]
        if row["model"].endswith("_removal_effect"):
            markov = result.diagnostics.markov
            got = markov.removal_effects[channel], markov.value_removal_effects[channel]
        elif row["model"] == "shao_li_raw":
            got = result.diagnostics.raw[channel], None
        else:
            got = result.credits[channel].conversions, result.credits[channel].value
        assert close(got[0], row["credit_conversions"]), (row, got)
        assert got[1] is None or close(got[1], row["credit_value"]), (row, got)
        met += 1
    assert met >= 680, met


def test_credits_and_the_rest_sum_to_the_conversions(shared):
    for file in ["ca_pathdata", "july2018", "kaggle_mta", "simple_shop"]:
        paths = safar.read_paths(shared(f"data/journeys/{file}/paths.csv"))
        table = paths.to_polars()
        for model in ["linear", "markov", "shapley", "time_decay:half_life=1d"]:
            rows = safar.attribute(paths, model).to_polars()
            for total, part in [("total_conversions", "conversions"), ("total_conversion_value", "value")]:
                want = table[total].sum()
                assert abs(rows[part].sum() - want) <= 1e-9 * max(abs(want), 1), (file, model, part)
