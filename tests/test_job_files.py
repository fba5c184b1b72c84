"""Job files: what is in them, what they do, and that they may run twice."""

from __future__ import annotations

import datetime
import json
import multiprocessing
from pathlib import Path

import duckdb
import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import BusyError, CheckError, DataError, UsageError
from lstmcast.jobs.filed import FileJob
from lstmcast.jobs.holding import Held, data_checks
from lstmcast.jobs.jobfile import ChecksSection, job_from, line_of
from lstmcast.jobs.keeping import kept_file
from lstmcast.util.files import locked

NOW = datetime.datetime(2024, 4, 1, 12)


def sales(folder: Path, until: str = "2024-03-31", stores: str = "ab") -> Path:
    days = np.arange(np.datetime64("2024-01-01"), np.datetime64(until) + 1)
    rows = [
        f"{day},{store},{100 + 20 * (i % 7) + i * i % 11}"
        for store in stores
        for i, day in enumerate(days.tolist())
    ]
    path = folder / "sales.csv"
    path.write_text("day,store,sold\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def text(more: str = "", table: str = "fc@duckdb:///shop.db", cutoffs: int = 0) -> str:
    return (
        '[source]\ndata = "sales.csv"\nseries = "store"\n'
        f'[forecast]\nhorizon = 7\ncutoffs = {cutoffs}\n[output]\ntable = "{table}"\n'
        f'summary = "summary.json"\n{more}'
    )


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sales(tmp_path)
    return tmp_path


def run_job(written: str, **how: object):
    Path("job.toml").write_text(written, encoding="utf-8")
    return FileJob(job_from(written), "job.toml", now=NOW, **how).run()


def rows(folder: Path) -> list[tuple]:
    with duckdb.connect(str(folder / "shop.db"), read_only=True) as connection:
        return connection.sql("SELECT * FROM fc ORDER BY ALL").fetchall()


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            '[source]\ndata = "a"\ntraget = "b"',
            r"line 3: there is no \[source\] traget\. Did you",
        ),
        (
            '[sources]\ndata = "a"',
            r"line 1: there is no \[sources\]\. Did you mean 'source'",
        ),
        ("[forecast]\nhorizon = 3", r"\[source\] is missing"),
        (
            '[source]\ntime = "a"',
            r"line 1: \[source\] data is missing|\[source\] data is missing",
        ),
        (
            '[source]\ndata = "a"\n\n[forecast]\nhorizon = 0',
            r"line 5: \[forecast\] horizon: .*0",
        ),
        (
            '[source]\ndata = "a"\n[forecast]\nhorizon = "7"',
            r"line 4: \[forecast\] horizon",
        ),
        ('[source]\ndata = "a"\n[checks]\nnewest_of = "all"', "newest_of needs newest"),
        (
            '[source]\ndata = "a"\n[checks]\nnewest = "soon"',
            r"line 4: .*\"3 days\".*'soon'",
        ),
        ('[source]\ndata = "a"\n[output]\nif_exists = "merge"', r"line 4: .*'merge'"),
        (
            '[source]\ndata = "a"\n[forecast]\nhorizon = 3\nuntil = "2025"',
            "Give one of them",
        ),
        (
            '[source]\ndata = "a"\n[checks]\nleast_skill = 0\n[model]\nfolder = "m"',
            "Leave out one",
        ),
        ("[source\n", "is not TOML: .*line 1"),
        ("source = 5", r"line 1: \[source\]: a section is expected"),
        (
            "[source]\ndata = []",
            r"line 2: \[source\] data: at least one value is expected",
        ),
        ("[source]\ndata = {a = 1}", r"data: a value or a list of values is expected"),
        (
            '[source]\ndata = "a"\n[forecast]\nlevel = true',
            r"line 4: \[forecast\] level",
        ),
        (
            '[source]\ndata = "a"\n[checks]\nleast_skill = nan',
            r"line 4: .* finite number",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(written, said):
    with pytest.raises(UsageError, match=f"(?s){said}"):
        job_from(written)


def test_all_that_is_wrong_is_said_together():
    with pytest.raises(UsageError) as told:
        job_from('[source]\ndata = "a"\nx = 1\n[forecast]\ny = 2')
    assert "line 3" in str(told.value) and "line 5" in str(told.value)
    assert line_of("a = 1\n[b]\nc = 2", "a", None) == 1


def test_a_table_that_is_a_file_has_no_key(folder):
    with pytest.raises(
        UsageError, match="if_exists and key are only for database table"
    ):
        run_job(text('key = "store"\n', table="fc.csv"))


# ---------------------------------------------------------------- runs


def test_a_job_run_twice_leaves_what_it_left_once(folder):
    run_job(text())
    first = rows(folder)
    result = run_job(text())
    assert rows(folder) == first and len(first) == 14
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "done" and summary["forecast"]["rows"] == 14
    assert summary["files"] == ["fc@duckdb:///shop.db"]
    assert result.model == "shipped"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("job.toml", "sales.csv", "shop.db", "summary.json"),
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("least_series = 3", "least_series = 3: found 2"),
        ("most_series = 1", "most_series = 1: found 2"),
        ("least_values = 92", "least_values = 92: found 91"),
        ('newest = "1 day"', "2024-03-31, 36 hours ago"),
        ("least_skill = 0.999", "least_skill = 0.999"),
    ],
)
def test_a_check_that_does_not_hold_leaves_everything_as_it_was(folder, asked, said):
    with pytest.raises(CheckError, match=said):
        run_job(text(f"[checks]\n{asked}\n", cutoffs=1))
    assert not (folder / "shop.db").exists()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "failed"
    assert summary["error"]["exit_status"] == 4
    assert [one["holds"] for one in summary["checks"]] == [False]


def test_missing_values_and_warnings_are_counted(folder):
    data = folder / "sales.csv"
    lines = data.read_text().splitlines()
    data.write_text("\n".join(line for line in lines if "2024-02-1" not in line))
    with pytest.raises(
        CheckError, match=r"(?s)most_missing = 0.05: found 0.1.*warnings = none"
    ):
        run_job(text('[checks]\nmost_missing = 0.05\nwarnings = "refuse"\n'))
    run_job(text("[checks]\nmost_missing = 0.2\n"))


def test_a_dry_run_writes_nothing(folder):
    result = run_job(text('[model]\nfolder = "m"\n'), dry=True)
    assert result.document()["status"] == "dry run"
    assert {path.name for path in folder.iterdir()} == {"job.toml", "sales.csv"}


def test_a_model_is_made_and_then_goes_on(folder):
    job = text('[model]\nfolder = "m"\n')
    assert run_job(job).model == "saved"
    sales(folder, until="2024-04-05")
    assert run_job(job).model == "updated"
    first = rows(folder)
    assert run_job(job).model == "updated"  # nothing is newer
    assert rows(folder) == first
    assert str(lc.load("m").saved_context.panel.ends.max())[:10] == "2024-04-05"
    assert len({row[1] for row in first}) == 12  # 1 to 12 April


@pytest.mark.slow
def test_a_model_is_trained_again_when_it_is_old(folder, monkeypatch):
    job = text('[model]\nfolder = "m"\nrefit = "30 days"\nepochs = 1\n')
    assert run_job(job).model == "fitted"
    assert run_job(job).model == "updated"
    state = folder / ".job.toml.state.json"
    state.write_text(json.dumps({"fitted": "2024-02-01T00:00:00"}))
    assert run_job(job).model == "fitted"


def test_two_runs_at_once_are_one(folder):
    with locked(Path(".job.toml.lock")) as free:
        assert free
        with pytest.raises(BusyError, match="is in progress"):
            run_job(text())
    assert not (folder / "shop.db").exists()
    run_job(text())


def _run_here(folder: str, queue) -> None:
    import os

    os.chdir(folder)
    try:
        FileJob(job_from(text()), "job.toml", now=NOW).run()
        queue.put("done")
    except lc.LstmcastError as error:
        queue.put(type(error).__name__)


def test_two_processes_at_once_leave_one_forecast(folder):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    both = [
        context.Process(target=_run_here, args=(str(folder), queue)) for _ in range(2)
    ]
    for one in both:
        one.start()
    said = sorted(queue.get(timeout=120) for _ in both)
    for one in both:
        one.join()
    assert said in (["BusyError", "done"], ["done", "done"])
    assert len(rows(folder)) == 14


def test_data_that_cannot_be_read_leave_the_table(folder):
    run_job(text())
    first = rows(folder)
    (folder / "sales.csv").write_text("day,store,sold\n2024-01-01,a,x\n")
    with pytest.raises(DataError):
        run_job(text())
    assert rows(folder) == first
    assert json.loads((folder / "summary.json").read_text())["status"] == "failed"


@pytest.mark.parametrize(
    "noted",
    [
        '{"fitted": "x"}',
        '{"fitted": 5}',
        '{"fitted": "2024-03-31T00:00:00+01:00"}',
        "[1]",
        "{",
    ],
)
def test_a_damaged_note_of_the_last_training_means_none(folder, noted):
    job = FileJob(
        job_from(text('[model]\nfolder = "m"\nrefit = "9999999999999 weeks"\n')),
        "job.toml",
    )
    model = job.job.model
    assert model is not None
    state = folder / ".job.toml.state.json"
    (folder / "m").mkdir()
    assert job._todo(model) == "fitted"
    (folder / "m" / "manifest.json").write_text("{}")
    state.write_text(noted)
    assert job._todo(model) == "fitted"
    state.write_text('{"fitted": "2024-03-31T00:00:00"}')
    assert job._todo(model) == "updated"


def test_an_empty_folder_is_no_model_yet(folder):
    (folder / "m").mkdir()
    assert run_job(text('[model]\nfolder = "m"\n')).model == "saved"


def test_the_summary_is_not_written_over_the_data(folder):
    rows = [{"day": f"2024-01-{day:02d}", "sold": day % 7} for day in range(1, 31)]
    (folder / "sales.json").write_text(json.dumps(rows))
    with pytest.raises(UsageError, match="is the data file"):
        run_job(
            '[source]\ndata = "sales.json"\n[forecast]\nhorizon = 2\ncutoffs = 0\n'
            '[output]\nsummary = "sales.json"'
        )
    assert json.loads((folder / "sales.json").read_text()) == rows


def test_a_result_that_the_next_run_would_read_is_refused(folder):
    written = text(table="fc.csv")
    with pytest.raises(UsageError, match=r"the next run would read 'fc\.csv' as data"):
        run_job(written.replace("sales.csv", "*.csv"))
    assert not (folder / "fc.csv").exists()
    (folder / "out").mkdir()
    run_job(written.replace("sales.csv", "*.csv").replace("fc.csv", "out/fc.csv"))


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), None), (RuntimeError("a defect"), 1)]
)
def test_the_summary_of_a_run_that_is_stopped_says_so(
    folder, monkeypatch, error, status
):
    run_job(text())

    def stop(*_):
        raise error

    monkeypatch.setattr(FileJob, "_read", stop)
    with pytest.raises(type(error)):
        run_job(text())
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "failed"
    assert summary["error"]["kind"] == type(error).__name__
    assert summary["error"]["exit_status"] == status


def test_a_folder_that_takes_no_lock_is_told(folder, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lstmcast.util.files._lock_handle", refused)
    with pytest.raises(
        lc.OutputError,
        match=r"lock file of this job cannot be created in '\.': Permission",
    ):
        run_job(text())


def test_a_job_in_a_folder_that_cannot_be_written_keeps_its_lock_elsewhere(
    folder, monkeypatch
):
    states = folder / "states"
    monkeypatch.setenv("XDG_STATE_HOME", str(states))
    monkeypatch.setattr("lstmcast.jobs.keeping._can_write", lambda _: False)
    lock = kept_file("job.toml", "lock")
    assert lock.parent == states / "lstmcast"
    assert lock != kept_file("other/job.toml", "lock")
    assert run_job(text()).model == "shipped"
    assert (
        not states.joinpath("lstmcast").exists() and not Path(".job.toml.lock").exists()
    )
    with locked(lock), pytest.raises(BusyError, match="another run of this job"):
        run_job(text())


def test_the_newest_value_of_each_series_can_be_asked_for():
    starts = ["2024-03-01", "2024-03-02"]
    values = {"old": [1.0, 2.0], "new": [1.0, 2.0]}
    panel = lc.Panel.from_arrays(values, frequency="D", start=starts)
    now = datetime.datetime(2024, 3, 4)
    for of, holds, found in (
        ("any", True, "2024-03-03, 24 hours ago"),
        ("all", False, "2024-03-02, 48 hours ago, in series 'old'"),
    ):
        asked = ChecksSection(newest="1 day", newest_of=of)
        assert data_checks(asked, panel, now) == [
            Held("newest", "24 hours old at most", found, holds)
        ]


# ---------------------------------------------------------------- commands


def test_a_job_in_another_folder_finds_its_data(folder, run):
    (folder / "jobs").mkdir()
    out = ("--out", "fc@duckdb:///shop.db", "--job", "jobs/night.toml")
    assert run("job", "init", "sales.csv", "--series", "store", *out).status == 0
    written = Path("jobs/night.toml").read_text()
    assert 'data = "../sales.csv"' in written and '"fc@duckdb:///../shop.db"' in written
    Path("jobs/night.toml").write_text(written, encoding="utf-8-sig")  # as Notepad does
    assert run("run", "jobs/night.toml", "--dry-run").status == 0


def test_a_job_is_written_from_data_and_runs_from_anywhere(folder, run, monkeypatch):
    done = run(
        "job", "init", "sales.csv", "--series", "store", "--out", "fc@duckdb:///shop.db"
    )
    assert done.status == 0
    written = Path("job.toml").read_text()
    assert 'series = ["store"]' in written and 'frequency = "D"' in written
    again = run("job", "init", "sales.csv", "--series", "store")
    assert again.status == 2 and "already exists" in again.err
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    dry = run("run", "../job.toml", "--dry-run")
    assert dry.status == 0 and "Nothing was written" in dry.out
    done = run("run", "../job.toml", "--json")
    assert done.status == 0
    assert done.json["status"] == "done"
    assert len(rows(folder)) == 14


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("run", "none.toml"), 2, "lstmcast job init"),
        (("job", "make", "sales.csv"), 2, "job init DATA"),
        (("job", "init", "sales.csv", "--job", "job.json"), 1, ".toml"),
    ],
)
def test_wrong_usage_is_told(folder, run, arguments, status, said):
    done = run(*arguments)
    assert done.status == status
    assert said in done.err


def test_the_exit_status_says_what_happened(folder, run):
    Path("job.toml").write_text(text("[checks]\nleast_series = 9\n"))
    assert run("run", "job.toml").status == 4
    Path("job.toml").write_text(text())
    with locked(Path(".job.toml.lock")):
        assert run("run", "job.toml").status == 5
