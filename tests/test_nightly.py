"""What a run needs that nobody watches: models that are updated, series that are skipped, errors
and logs for programs, and nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from commands import Done, here
from lstmcast.errors import DataError, UsageError
from lstmcast.util import files


def command(folder: Path, *arguments: str) -> Done:
    return here(*arguments, folder=folder)


def sales(until: str, ids: str = "abc") -> Any:
    days = pd.date_range("2023-06-01", until)
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {
                "id": i,
                "ds": days,
                "y": 200 + 30.0 * days.weekday + rng.normal(size=len(days)),
            }
        )
        for i in "abcd"
    ]
    return pd.concat(frames)[lambda frame: frame.id.isin(list(ids))]


def with_bad_cell(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.assign(y=frame.y.astype(object))
    frame.loc[(frame.id == "b") & (frame.ds == "2024-01-05"), "y"] = "sold out"
    return frame


# ---------------------------------------------------------------- updated models


def test_a_second_night_goes_on_from_the_first(tmp_path):
    whole = sales("2024-02-23")
    model = lc.LSTMForecaster(5)
    model.save(tmp_path / "m", whole[whole.ds <= "2024-02-20"])
    first = whole[(whole.ds == "2024-02-21") & (whole.id != "b")]
    lc.load(tmp_path / "m").updated(first).save(tmp_path / "m")
    loaded = lc.load(tmp_path / "m")
    assert loaded.saved_context is not None
    assert loaded.saved_context.panel.ids.tolist() == ["a", "b", "c"]
    second = whole[whole.ds > "2024-02-20"]  # with what came too late the night before
    newest, expected = loaded.predict(second), model.predict(whole)
    np.testing.assert_array_equal(newest.times, expected.times)
    np.testing.assert_array_equal(newest.quantiles, expected.quantiles)


def test_updating_twice_changes_nothing(tmp_path):
    whole = sales("2024-02-23")
    lc.LSTMForecaster(5).save(tmp_path / "m", whole[whole.ds <= "2024-02-20"])
    newer = sales("2024-02-23", "acd")[lambda frame: frame.ds > "2024-02-20"]
    once = lc.load(tmp_path / "m").updated(newer)
    twice = once.updated(newer)
    assert once.saved_context is not None and twice.saved_context is not None
    panel, again = once.saved_context.panel, twice.saved_context.panel
    assert panel.ids.tolist() == again.ids.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(panel.values, again.values)
    np.testing.assert_array_equal(once.predict().quantiles, twice.predict().quantiles)


def test_calendars_and_kinds_of_absent_series_stay(tmp_path):
    frame = sales("2024-02-20", "ab")
    frame = frame[(frame.id != "b") | (frame.ds.dt.weekday != 6)]
    lc.LSTMForecaster(7).save(tmp_path / "m", frame)
    newer = pd.DataFrame({"id": "a", "ds": pd.to_datetime(["2024-02-21"]), "y": [7.0]})
    updated = lc.load(tmp_path / "m").updated(newer)
    times = updated.predict().select("b").times[0]
    assert not (pd.DatetimeIndex(times).weekday == 6).any()


def test_a_model_that_remembers_nothing_is_not_updated():
    with pytest.raises(UsageError, match="has no saved context"):
        lc.LSTMForecaster(3).updated(sales("2024-02-20"))


def test_the_command_updates(tmp_path):
    sales("2024-02-20").to_csv(tmp_path / "all.csv", index=False)
    sales("2024-02-21", "acd")[lambda f: f.ds > "2024-02-20"].to_csv(
        tmp_path / "new.csv", index=False
    )
    assert (
        command(
            tmp_path, "forecast", "all.csv", "-H", "3", "--cutoffs", "0", "--save", "m"
        ).status
        == 0
    )
    run = ("predict", "-m", "m", "new.csv", "--update", "--json", "-q")
    done = command(tmp_path, *run)
    assert done.status == 0 and done.err == ""
    said = json.loads(done.out)
    assert said["continued"]["absent"] == ["b"] and said["continued"]["new"] == ["d"]
    again = json.loads(command(tmp_path, *run).out)
    by = [{k: said["forecast"][k] for k in ("ds", "forecast")}, again["forecast"]]
    assert (
        by[0] == {k: by[1][k] for k in ("ds", "forecast")}
        and again["continued"]["new"] == []
    )
    alone = json.loads(command(tmp_path, "predict", "-m", "m", "--json", "-q").out)
    assert alone["panel"]["end"] == "2024-02-21" and alone["panel"]["series"] == 4
    idle = command(tmp_path, "predict", "-m", "m", "--update")
    assert idle.status == 2 and "no newer data to update" in idle.err


# ---------------------------------------------------------------- skipped series


def test_one_bad_cell_stops_its_series_only():
    frame = with_bad_cell(sales("2024-02-20"))
    with pytest.raises(DataError, match="'sold out'"):
        lc.read(frame, series="id")
    panel = lc.read(frame, series="id", on_error="skip")
    assert panel.ids.tolist() == ["a", "c"] and list(panel.report.skipped) == ["b"]
    assert "series 'b' is left out:\n" in str(panel.check())


def test_wide_tables_lose_the_column():
    wide = sales("2024-02-20").pivot(index="ds", columns="id", values="y").reset_index()
    wide = wide.astype({"b": object})
    wide.loc[3, "b"] = "closed"
    panel = lc.read(wide, target="*", on_error="skip")
    assert panel.ids.tolist() == ["a", "c"] and list(panel.report.skipped) == ["b"]


def test_errors_of_a_table_stop_their_series_only():
    frame = sales("2024-02-20")
    twice = frame[(frame.id == "c") & (frame.ds == "2024-01-07")].assign(y=1.0)
    off = frame[(frame.id == "b") & (frame.ds == "2024-01-07")].assign(
        ds=pd.Timestamp("2024-01-07 05:00")
    )
    panel = lc.read(pd.concat([frame, twice, off]), series="id", on_error="skip")
    assert panel.ids.tolist() == ["a"] and sorted(panel.report.skipped) == ["b", "c"]
    assert "two rows for 2024-01-07" in panel.report.skipped["c"]
    with pytest.raises(DataError):
        lc.read(twice.assign(y="x"), series="id", on_error="skip")
    with pytest.raises(UsageError, match="fail, skip"):
        lc.read(frame, on_error="ignore")


def test_the_command_lists_what_it_skips_and_says_so_by_its_status(tmp_path):
    with_bad_cell(sales("2024-02-20")).to_csv(tmp_path / "bad.csv", index=False)
    words = ("forecast", "bad.csv", "-H", "3", "--cutoffs", "0", "--json", "-q")
    stopped = command(tmp_path, *words)
    assert stopped.status == 1
    error = json.loads(stopped.out)["error"]
    assert error["kind"] == "DataError" and "'sold out'" in error["message"]
    assert error["exit_status"] == 1
    done = command(tmp_path, *words, "--on-error", "skip", "--log-file", "night.log")
    assert done.status == 3 and "skipped: b: " in done.err
    said = json.loads(done.out)
    assert said["skipped"][0]["series"] == "b" and len(said["forecast"]["ds"]) == 6
    log = (tmp_path / "night.log").read_text("utf-8")
    assert "skipped: b: " in log and log.rstrip().endswith("exit status 3")


def test_wrong_usage_is_json_too(tmp_path):
    done = command(tmp_path, "forecast", "--json")
    assert done.status == 2 and json.loads(done.out)["error"]["kind"] == "UsageError"


def test_held_out_forecasts_are_in_the_document_on_request(tmp_path):
    sales("2024-02-20", "a").to_csv(tmp_path / "a.csv", index=False)
    words = ("forecast", "a.csv", "-H", "3", "--cutoffs", "2", "--json", "-q")
    usual, asked = (
        json.loads(command(tmp_path, *words, *more).out)
        for more in ((), ("--held-out",))
    )
    assert "held_out" not in usual["accuracy"] and "verdict" in usual["accuracy"]
    assert len(asked["accuracy"]["held_out"]["actual"]) == 6


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    done = command(tmp_path, "check", "a.csv", "--log-file", "no/where.log")
    assert done.status == 1 and "its folder does not exist" in done.err


# ---------------------------------------------------------------- leftovers


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not asked there")
def test_files_of_a_killed_process_go_with_the_next_run(tmp_path):
    code = (
        "import sys, time\nfrom lstmcast.util.files import whole_file\n"
        "with whole_file(sys.argv[1]) as path:\n print(flush=True); time.sleep(60)\n"
    )
    place = tmp_path / "f.csv"
    words = [sys.executable, "-c", code, str(place)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 1
        with files.whole_file(place) as path:  # of a living process, nothing is touched
            path.write_text("first")
        assert len(list(tmp_path.iterdir())) == 2
        process.kill()
    with files.whole_file(place) as path:
        path.write_text("second")
    assert [entry.name for entry in tmp_path.iterdir()] == ["f.csv"]


def test_files_of_other_machines_stay(monkeypatch):
    own = files.own_mark()
    process, _, machine = own.partition("at")
    monkeypatch.setattr(files, "_is_running", lambda process: False)
    assert files.is_left_behind(f".f.{own}-abc.csv")
    assert not files.is_left_behind(f".f.{process}at{int(machine, 16) ^ 1:08x}-abc.csv")
    assert not files.is_left_behind(".f.abcdefgh.csv")
