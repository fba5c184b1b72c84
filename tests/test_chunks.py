"""Tables larger than memory: the same jobs, some series at a time, in parts that stay."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

import commands
import lstmcast as lc
from lstmcast.chunks import run as chunk_runs
from lstmcast.chunks.plan import SORTED, counted, planned
from lstmcast.chunks.run import PartsJob, forecast_in_parts, here, in_words
from lstmcast.chunks.stores import Place, Span, opened
from lstmcast.data.table import ReadOptions
from lstmcast.errors import DataError, OutputError, UsageError
from lstmcast.evaluation.baselines import SeasonalNaive
from lstmcast.jobs import AnomalyJob, BacktestJob, ForecastJob, Source

MONTHS = 30


def rows(first: int, series: int, order: str = "i, m") -> str:
    """A query for some monthly series of two columns of ids."""
    return (
        f"SELECT 'shop ' || (i // 3) AS shop, i % 3 AS item, "
        "DATE '2020-01-01' + INTERVAL (m) MONTH AS month, "
        "100.0 + i + 10 * sin(m * pi() / 6) + (hash(i * 1000 + m) % 100) / 20 AS sales "
        f"FROM range({first}, {first + series}) a(i), range({MONTHS}) b(m) ORDER BY {order}"
    )


def write(path: Path, *arguments) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"COPY ({rows(*arguments)}) TO '{path}'")
    return path


def forecasts(first, source):
    return ForecastJob(lc.LSTMForecaster(3, method="network"), source, cutoffs=0)


def job(data, folder, chunk: int = 4, make=forecasts, **words) -> PartsJob:
    return PartsJob(Source(str(data), **words), Path(folder), make, chunk)


def run(*arguments, **words):
    notes = []
    result = job(*arguments, **words).run(lambda note: notes.append(note.text))
    return result, notes


def table(folder: Path) -> list[tuple]:
    found = f"'{folder}/*.parquet'"
    return duckdb.sql(f"FROM {found} ORDER BY shop, item, step").fetchall()


def parts(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(folder.glob("part-*"))}


# ---------------------------------------------------------------- forecasts in parts


def test_parts_hold_the_forecasts_of_whole_series(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 10)
    result, notes = run(source, tmp_path / "out")
    assert (result.series, result.rows, result.parts, result.done) == (10, 300, 3, 3)
    assert notes[0].endswith(
        "300 rows, 10 series, monthly (month starts); time month, target sales, series shop, item; "
        "3 parts"
    )
    assert notes[-1] == "10 of 10 series done, 0 s left"
    whole = lc.LSTMForecaster(3, method="network").predict(str(source)).columns_dict()
    found = table(tmp_path / "out")
    assert len(found) == 30
    kept = {(shop, item, step) for shop, item, _, step, *_ in found}
    ids = zip(
        whole["shop"], whole["item"].tolist(), whole["step"].tolist(), strict=True
    )
    assert kept == set(ids)


def test_a_folder_of_files_is_one_table(tmp_path):
    one = write(tmp_path / "one.parquet", 0, 9)
    # a chunk and a series go on from file to file, and a file can lie in a chunk
    duckdb.execute(f"COPY (FROM '{one}' LIMIT 100) TO '{tmp_path / 'a.parquet'}'")
    (tmp_path / "many").mkdir()
    for number, (skipped, count) in enumerate(
        [(0, 100), (100, 20), (120, 30), (150, 120)]
    ):
        where = tmp_path / "many" / f"{number}.parquet"
        duckdb.execute(
            f"COPY (FROM '{one}' LIMIT {count} OFFSET {skipped}) TO '{where}'"
        )
    run(one, tmp_path / "out1")
    run(tmp_path / "many", tmp_path / "out2")
    assert parts(tmp_path / "out1") == parts(tmp_path / "out2")


def test_a_table_of_duckdb(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 9)
    path = tmp_path / "shop.db"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE sales AS FROM '{source}'")
        connection.execute("CREATE VIEW seen AS FROM sales")
    run(source, tmp_path / "out1")
    run(f"duckdb:///{path}?table=sales", tmp_path / "out2")
    assert parts(tmp_path / "out1") == parts(tmp_path / "out2")
    with pytest.raises(DataError, match=r"has no table 'sale'\. There are: sales"):
        run(f"duckdb:///{path}?table=sale", tmp_path / "out3")
    with pytest.raises(UsageError, match=r"'seen' .* is a view"):
        run(f"duckdb:///{path}?table=seen", tmp_path / "out3")


def test_rows_that_are_mixed_are_sorted_first(tmp_path):
    tidy = write(tmp_path / "tidy.parquet", 0, 9)
    mixed = write(tmp_path / "mixed.parquet", 0, 9, "m, hash(i)")
    run(tidy, tmp_path / "out1")
    _, notes = run(mixed, tmp_path / "out2")
    assert notes[0].endswith("rows of a series are not contiguous: sorting them")
    assert parts(tmp_path / "out1") == parts(tmp_path / "out2")
    assert not (tmp_path / "out2" / SORTED).exists()
    # gone on with, where the copy is gone and all is done, and where a part is missing
    assert run(mixed, tmp_path / "out2")[0].done == 0
    (tmp_path / "out2" / "part-00001.parquet").unlink()
    assert run(mixed, tmp_path / "out2")[0].done == 1
    assert parts(tmp_path / "out1") == parts(tmp_path / "out2")


def test_what_a_killed_run_has_sorted_is_not_taken_for_another_table(tmp_path):
    mixed = write(tmp_path / "mixed.parquet", 0, 9, "m, hash(i)")
    write(tmp_path / "out" / SORTED / "rows.parquet", 100, 9)
    run(mixed, tmp_path / "out")
    run(mixed, tmp_path / "once")
    assert parts(tmp_path / "out") == parts(tmp_path / "once")


def test_processes_change_nothing(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 9)
    run(source, tmp_path / "out1")
    several = PartsJob(Source(str(source)), tmp_path / "out2", forecasts, 4, here(2))
    several.run(lambda note: None)
    assert parts(tmp_path / "out1") == parts(tmp_path / "out2")


def test_warnings_name_their_part(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 5)

    def make(first, source):
        return ForecastJob(Talkative(3), source, cutoffs=0)

    _, notes = run(source, tmp_path / "out", make=make)
    assert "part-00001: 1 series is odd" in notes


class Talkative(SeasonalNaive):
    """A forecaster that has something to say."""

    def predict(self, panel, horizon=None, *, cutoffs=None):
        if len(panel) == 1:
            logging.getLogger("lstmcast").warning("1 series is odd")
        return super().predict(panel, horizon, cutoffs=cutoffs)


# ---------------------------------------------------------------- going on


def test_what_is_done_is_not_done_again(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 9)
    run(source, tmp_path / "out")
    before = parts(tmp_path / "out")
    (tmp_path / "out" / "part-00001.parquet").unlink()
    first = (tmp_path / "out" / "part-00000.parquet").stat().st_mtime_ns
    result, notes = run(source, tmp_path / "out")
    assert result.done == 1 and notes[0] == "2 of 3 parts already exist"
    assert parts(tmp_path / "out") == before
    assert (tmp_path / "out" / "part-00000.parquet").stat().st_mtime_ns == first


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda source: {"chunk": 5}, "chunk was 4 and is 5"),
        (lambda source: {"data": write(source, 1, 9)}, "source.changed"),
        (lambda source: {"make": longer}, r"horizon was 3 and is 4"),
        (lambda source: {"options": ReadOptions(kind="positive")}, "kind was None"),
    ],
)
def test_other_data_or_options_are_noticed(tmp_path, change, text):
    source = write(tmp_path / "sales.parquet", 0, 9)
    run(source, tmp_path / "out")
    time.sleep(0.01)
    asked = {"data": source, "folder": tmp_path / "out"} | change(source)
    with pytest.raises(UsageError, match=rf"holds parts of another run: .*{text}"):
        run(**asked)


def longer(first, source):
    return ForecastJob(lc.LSTMForecaster(4, method="network"), source, cutoffs=0)


def test_a_run_that_was_killed_goes_on(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 100)
    words = ["forecast", str(source), "-H", "3", "--chunk", "5"]
    command = [sys.executable, "-m", "lstmcast", *words, "--workers", "2", "--out"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "killed")],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(parts(tmp_path / "killed")) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:  # its workers notice, and end as well
            os.killpg(process.pid, 0)
            time.sleep(0.02)
    there = len(parts(tmp_path / "killed"))
    assert 3 <= there < 20
    words += ["--workers", "1", "--out"]  # in this process
    again = commands.here(*words, tmp_path / "killed", "--json")
    assert again.status == 0, again.err
    assert again.json["parts"] == 20 and 0 < again.json["done"] < 18
    assert commands.here(*words, tmp_path / "once", "--quiet").status == 0
    assert parts(tmp_path / "killed") == parts(tmp_path / "once")
    left = [
        one.name for one in (tmp_path / "killed").iterdir() if one.name.startswith(".")
    ]
    assert not left


def test_two_runs_at_once_do_not_meet(tmp_path):
    from lstmcast.util.files import locked

    source = write(tmp_path / "sales.parquet", 0, 5)
    (tmp_path / "out").mkdir()
    with (
        locked(tmp_path / "out" / ".lock"),
        pytest.raises(OutputError, match=r"another run"),
    ):
        run(source, tmp_path / "out")


# ---------------------------------------------------------------- other jobs


def test_a_run_that_ends_while_another_begins_is_noticed(tmp_path, monkeypatch):
    source = write(tmp_path / "sales.parquet", 0, 6)
    begun = chunk_runs.begun

    def meanwhile(folder):
        begun(folder)
        monkeypatch.setattr(chunk_runs, "begun", begun)
        run(source, folder)

    monkeypatch.setattr(chunk_runs, "begun", meanwhile)
    with pytest.raises(UsageError, match="chunk was 4 and is 2"):
        run(source, tmp_path / "out", chunk=2)


def test_a_backtest_in_parts(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 6)

    def make(first, source):
        return BacktestJob(SeasonalNaive(3), source, cutoffs=2)

    run(source, tmp_path / "out", make=make)
    held_out = duckdb.sql(f"FROM '{tmp_path}/out/*.parquet'")
    assert "actual" in held_out.columns and len(held_out.fetchall()) == 6 * 2 * 3
    from lstmcast.chunks.summary import accuracy_rows

    header, *models = accuracy_rows(tmp_path / "out")
    assert header[0] == "means over 6 series"
    whole = lc.backtest(SeasonalNaive(3), str(source), cutoffs=2).per_series()
    own = whole["mase"][whole["model"] == "seasonal naive"].mean()
    shown = {row[0]: row for row in models}["seasonal naive"]
    assert float(shown[header.index("MASE")]) == pytest.approx(own, rel=1e-3)


def test_a_part_of_series_that_are_too_short_says_so(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 3)
    short = tmp_path / "short.parquet"
    duckdb.execute(f"COPY (FROM '{source}' WHERE month < '2020-06-01') TO '{short}'")

    def make(first, source):
        return BacktestJob(SeasonalNaive(9), source, cutoffs=2)

    assert run(short, tmp_path / "out", make=make)[0].done == 1
    assert "too few to hold out 9" in (tmp_path / "out" / "part-00000.txt").read_text()
    assert run(short, tmp_path / "out", make=make)[0].done == 0


def test_anomalies_in_parts(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 5)

    def make(first, source):
        return AnomalyJob(source)

    run(source, tmp_path / "out", make=make)
    scored = duckdb.sql(f"FROM '{tmp_path}/out/*.parquet'")
    assert "score" in scored.columns and len(scored.fetchall()) == 5 * MONTHS


def test_in_python(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 9)
    told = []
    model = lc.LSTMForecaster(3, method="network")
    out = tmp_path / "python"
    result = lc.forecast_in_parts(
        model, str(source), out, chunk=4, progress=told.append
    )
    run(source, tmp_path / "out")
    assert result.parts == 3 and told[-1] == "9 of 9 series done, 0 s left"
    assert parts(out) == parts(tmp_path / "out")


# ---------------------------------------------------------------- what cannot be


def test_sources_that_are_none(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.csv").write_text("a")
    for data, text in (
        (tmp_path / "empty", "contains no Parquet file"),
        (tmp_path / "none.parquet", "there is no file"),
        (tmp_path / "a.csv", "a.csv is not a Parquet file"),
        ("duckdb:///none.db", "does not name a table"),
        ("duckdb:///none.db?table=x", "there is no file 'none.db'"),
        ([1], "Parquet"),
    ):
        with pytest.raises((DataError, UsageError), match=text):
            opened(data if isinstance(data, list) else str(data))


def test_a_file_that_is_damaged(tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match=r"bad\.parquet cannot be read"):
        run(path, tmp_path / "out")


def test_rows_without_a_name(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 5)
    nameless = tmp_path / "nameless.parquet"
    query = f"SELECT * REPLACE (nullif(shop, 'shop 1') AS shop) FROM '{source}'"
    duckdb.execute(f"COPY ({query}) TO '{nameless}'")
    with pytest.raises(DataError, match=r"60 rows have no value in shop or item"):
        run(nameless, tmp_path / "out", series=["shop", "item"])


def test_wide_tables_and_single_series_are_refused(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 1)
    single = tmp_path / "single.parquet"
    duckdb.execute(f"COPY (SELECT month, sales FROM '{source}') TO '{single}'")
    with pytest.raises(
        UsageError, match=r"a long table is expected.*There are: month, sales"
    ):
        run(single, tmp_path / "out")


def test_an_error_names_the_part_and_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.chunks.run.HEAD", 100)  # rows, which are sound
    source = write(tmp_path / "sales.parquet", 0, 9)
    bad = tmp_path / "bad.parquet"
    twice = f"FROM '{source}' UNION ALL (FROM '{source}' WHERE shop = 'shop 2' LIMIT 1)"
    duckdb.execute(f"COPY (SELECT * FROM ({twice}) ORDER BY shop, item) TO '{bad}'")
    with pytest.raises(DataError, match=r"part-00001, 4 series: .*shop 2"):
        run(bad, tmp_path / "out", series=["shop", "item"])
    assert list(parts(tmp_path / "out")) == ["part-00000.parquet"]


def test_folders_with_other_things_are_left_alone(tmp_path):
    source = write(tmp_path / "sales.parquet", 0, 3)
    with pytest.raises(OutputError, match=r"holds other things \(sales.parquet\)"):
        run(source, tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "_lstmcast.json").write_text("{")
    with pytest.raises(OutputError, match="is damaged"):
        run(source, tmp_path / "out")


def test_numbers_that_make_no_sense(tmp_path):
    with pytest.raises(UsageError, match="chunk must be at least 1, got 0"):
        run("a.parquet", tmp_path / "out", chunk=0)
    with pytest.raises(UsageError, match=r"chunk must be at least 1, got 2\.5"):
        run("a.parquet", tmp_path / "out", chunk=2.5)
    for workers in (0, 2.5):
        with pytest.raises(
            UsageError, match=f"workers must be at least 1, got {workers}"
        ):
            here(workers)
    with pytest.raises(UsageError, match="None is not a path"):
        forecast_in_parts(lc.LSTMForecaster(3), "a.parquet", None)


def test_the_command_refuses_what_parts_do_not_have(tmp_path):
    from typer.testing import CliRunner

    from lstmcast.cli.app import app

    def told(*arguments):
        return str(CliRunner().invoke(app, list(arguments)).exception)

    source = str(write(tmp_path / "sales.parquet", 0, 3))
    assert "Name it with --out DIR" in told("forecast", source, "--chunk", "5")
    plotted = told("forecast", source, "--chunk", "5", "--out", "x", "--plot", "a.png")
    assert "--plot would have no effect" in plotted
    assert "workers= would have no effect" in told("forecast", source, "--workers", "2")
    assert "--refit would have no effect" in told(
        "backtest", source, "--chunk", "5", "--out", "x", "--refit", "once"
    )


# ---------------------------------------------------------------- the plan


def test_spans_hold_whole_series(tmp_path):
    store = opened(str(write(tmp_path / "sales.parquet", 0, 7)))
    with store.connect() as connection:
        runs = counted(store, connection, ["shop", "item"])
        assert runs == (7, 7, 210, 0)
        plan = planned(store, connection, ["shop", "item"], runs, 3)
        assert [chunk.series for chunk in plan.chunks] == [3, 3, 1]
        assert plan.chunks[1].span == Span(Place(0, 90), Place(0, 180))
        counts = [
            len(connection.sql(store.within(chunk.span)).fetchall())
            for chunk in plan.chunks
        ]
    assert counts == [90, 90, 30]


def test_times_are_told_in_words_of_people():
    assert in_words(99.4) == "99 s"
