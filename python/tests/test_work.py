"""Ctrl-C, progress and threads."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import safar

# How long work takes is told by the number of its resamples, whatever the speed of a single fit: a fit of these paths
# takes a millisecond or more.
PROGRAM = """
import pyarrow, random, safar, sys, time
draw = random.Random(7)
rows = [draw.choices([f"c{i}" for i in range(20)], k=8) for _ in range(2000)]
paths = safar.Paths.from_arrow(pyarrow.table({"path": rows, "conversions": [1] * 2000, "null": [1] * 2000}))
sold = [draw.randrange(40, 60) for _ in range(1000)]
regions = pyarrow.table({"treated": [True, False] * 500, "people": [1000] * 1000, "conversions": sold})
"""


def start(program):
    """Another interpreter, which says `ready` when it is about to begin."""
    command = [sys.executable, "-c", PROGRAM + textwrap.dedent(program)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n", child.communicate()
    return child


def finish(child):
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, (child.returncode, out, err)
    return out


def test_ctrl_c_leaves_a_running_model():
    child = start("""
        print("ready", flush=True)
        try:
            safar.bootstrap(paths, "markov:order=2", replicates=1_000_000)
            print("came to an end")
        except KeyboardInterrupt:
            left = time.monotonic()
            safar.attribute(paths, "linear")
            print("left", time.monotonic() - left < 5)
    """)
    time.sleep(0.5)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert finish(child) == "left True\n"
    # What is left of the work must not hold up the end of the process.
    assert time.monotonic() - sent < 5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted as Linux reports them")
@pytest.mark.parametrize(
    "work",
    [
        'safar.bootstrap(paths, "markov:order=2", replicates=1_000_000)',
        # Hundreds of states are solved for each of the orders: the one fit would take many minutes.
        'safar.attribute(paths, "shapley_markov:order=2,samples=40000")',
        # Each of a million changes reads all paths.
        'safar.transform(paths, ["exposure"] * 1_000_000)',
        # Ten million assignments of a thousand regions.
        "safar.geo_hold_out(regions, draws=10_000_000)",
        "safar.geo_plan(regions, 500, draws=10_000_000)",
    ],
)
def test_work_that_nobody_waits_for_ends(work):
    child = start(f"""
        import os
        before = len(os.listdir("/proc/self/task"))
        print("ready", flush=True)
        try:
            {work}
        except KeyboardInterrupt:
            # As many as came, once the fits under way have heard of it.
            while len(os.listdir("/proc/self/task")) > before:
                time.sleep(0.05)
            print("ended")
    """)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    assert finish(child) == "ended\n"


@pytest.mark.parametrize("others", ["", "import polars"])
def test_ctrl_c_leaves_a_file_that_does_not_end(tmp_path, others):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = start(f"""
        {others}
        print("ready", flush=True)
        try:
            safar.read_paths({str(pipe)!r})
        except KeyboardInterrupt:
            print("left")
    """)
    with pipe.open("wb") as source:
        source.write(b"path,conversions\nA,1\n")
        source.flush()
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        assert finish(child) == "left\n"


def test_ctrl_c_leaves_a_table_that_does_not_end():
    child = start("""
        import itertools
        batch = pyarrow.record_batch({"path": ["A"], "conversions": [1]})
        stream = pyarrow.RecordBatchReader.from_batches(batch.schema, itertools.repeat(batch))
        print("ready", flush=True)
        try:
            safar.Paths.from_arrow(stream)
        except KeyboardInterrupt:
            print("left")
        except ValueError as error:
            print("left" if "KeyboardInterrupt" in str(error) else error)
    """)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    assert finish(child) == "left\n"


def test_progress_is_told_of_each_model(text):
    told = []
    names = ["first", "markov", "shapley"]
    report = safar.attribute(safar.read_paths(text), names, progress=lambda *word: told.append(word))
    assert told == [(1, 3, "first"), (2, 3, "markov:order=1"), (3, 3, "shapley")]
    assert [model for _, _, model in told] == report.models
    safar.attribute(safar.read_paths(text), "last", progress=lambda *word: told.append(word))
    assert told[3:] == [(1, 1, "last")]


def test_an_exception_from_progress_ends_the_work(text):
    told = []

    def stop(done, total, model):
        told.append(done)
        if done == 2:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        safar.attribute(safar.read_paths(text), "all", progress=stop)
    assert told == [1, 2]


def test_other_threads_run_meanwhile():
    child = start("""
        import threading
        ticks, done = [], threading.Event()
        def tick():
            while not done.wait(0.01):
                ticks.append(time.monotonic())
        thread = threading.Thread(target=tick, daemon=True)
        thread.start()
        print("ready", flush=True)
        begun = time.monotonic()
        safar.bootstrap(paths, "markov:order=2", replicates=1000)
        took = time.monotonic() - begun
        done.set()
        thread.join()
        gaps = [b - a for a, b in zip([begun, *ticks], [*ticks, begun + took])]
        print("the longest pause was", max(gaps), "of", took)
    """)
    words = finish(child).split()
    pause, took = float(words[4]), float(words[6])
    assert pause < took / 2, words


def test_threads_may_share_paths(text):
    paths = safar.read_paths(text)
    want = safar.attribute(paths, "all").to_arrow()
    got = []
    threads = [threading.Thread(target=lambda: got.append(safar.attribute(paths, "all").to_arrow())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and all(table.equals(want) for table in got)


def test_the_number_of_threads_does_not_matter():
    program = [sys.executable, "-c", PROGRAM + 'print(safar.attribute(paths, ["linear", "markov:order=2"]).to_arrow())']
    outputs = {
        subprocess.run(
            program, env={**os.environ, "RAYON_NUM_THREADS": threads}, capture_output=True, text=True, check=True
        ).stdout
        for threads in ["1", "2", "7"]
    }
    assert len(outputs) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_can_compute():
    child = start("""
        import os
        print("ready", flush=True)
        want = safar.attribute(paths, "linear").to_arrow()
        pid = os.fork()
        if pid == 0:
            os._exit(0 if safar.attribute(paths, "linear").to_arrow().equals(want) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """)
    assert finish(child) == "0\n"
