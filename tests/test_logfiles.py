"""Logs and metrics as text: key=value lines, Prometheus, Graphite, OpenTSDB."""

from __future__ import annotations

from pathlib import Path

import pytest

import lstmcast as lc

HOURS = range(48)
FIRST = 1_677_628_800  # 2023-03-01 00:00 UTC


def clock(hour: int) -> str:
    return f"2023-03-{1 + hour // 24:02d}T{hour % 24:02d}:00:00"


def write(folder: Path, lines: list[str]) -> Path:
    path = folder / "points.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


ONE = {
    "logfmt": lambda h: f'time={clock(h)}Z level=info msg="a b" latency_ms={h}.5',
    "logfmt in seconds": lambda h: f"ts={FIRST + 3600 * h} host=a cpu={h}.5",
    "syslog": lambda h: f"{clock(h)}+00:00 gw1 collectd[812]: load={h}.5",
    "log": lambda h: f"{clock(h).replace('T', ' ')} INFO temp={h}.5",
    "brackets": lambda h: f"[{clock(h)}Z] worker: queue={h}.5",
    "Prometheus": lambda h: (
        f'load{{instance="a:9100",job="x"}} {h}.5 {1000 * (FIRST + 3600 * h)}'
    ),
    "OpenMetrics": lambda h: f'load{{host="a"}} {h}.5 {FIRST + 3600 * h}.000',
    "Graphite": lambda h: f"servers.web.load {h}.5 {FIRST + 3600 * h}",
    "Graphite with tags": lambda h: f"load;host=a {h}.5 {FIRST + 3600 * h}",
    "OpenTSDB": lambda h: f"put sys.cpu {FIRST + 3600 * h} {h}.5 host=a cpu=0",
    "OpenTSDB import": lambda h: f"sys.cpu {FIRST + 3600 * h} {h}.5 host=a",
}


@pytest.mark.parametrize("form", ONE)
def test_points_of_a_log_are_one_series(form, tmp_path):
    panel = lc.read(write(tmp_path, [ONE[form](hour) for hour in HOURS]))
    assert (len(panel), panel.frequency.code) == (1, "h")
    assert str(panel.starts[0])[:16] == "2023-03-01T00:00"
    assert panel.values.tolist() == [hour + 0.5 for hour in HOURS]


TWO = {
    "logfmt": lambda h, host: f"ts={clock(h)}Z host={host} cpu={h}.5",
    "Prometheus": lambda h, host: (
        f'load{{host="{host}"}} {h}.5 {1000 * (FIRST + 3600 * h)}'
    ),
    "Graphite with tags": lambda h, host: f"load;host={host} {h}.5 {FIRST + 3600 * h}",
    "OpenTSDB": lambda h, host: f"put sys.cpu {FIRST + 3600 * h} {h}.5 host={host}",
}


@pytest.mark.parametrize("form", TWO)
def test_labels_name_the_series(form, tmp_path):
    lines = [TWO[form](hour, host) for hour in HOURS for host in ("a", "b")]
    panel = lc.read(write(tmp_path, lines))
    assert list(panel.keys) == ["host"] and panel.ids.tolist() == ["a", "b"]


def test_types_of_prometheus_stand_above_metrics_without_labels(tmp_path):
    lines = ["# HELP up Whether it is.", "# TYPE up gauge"]
    lines += [f"up {hour}.5 {1000 * (FIRST + 3600 * hour)}" for hour in HOURS]
    panel = lc.read(write(tmp_path, [*lines, "# EOF"]))
    assert len(panel.values) == 48
    assert "48 points of metrics of Prometheus were read" in str(panel.check())


def test_one_scrape_has_no_times_and_says_what_to_do(tmp_path):
    lines = ["# TYPE up gauge", 'up{job="a"} 1', 'up{job="b"} 1']
    with pytest.raises(lc.DataError, match=r"without times.*query_range"):
        lc.read(write(tmp_path, lines))


def test_values_of_several_keys_are_asked_about(tmp_path):
    path = write(
        tmp_path, [f"{clock(hour)}Z gw temp={hour}.5 hum={hour}" for hour in HOURS]
    )
    with pytest.raises(lc.DataError, match="target='temp'"):
        lc.read(path)
    assert lc.read(path, target="hum").values[5] == 5


@pytest.mark.parametrize("line", ["2024-01-{:02d},a=b,{}", "2024-01-{:02d};x=1 y;{}"])
def test_cells_with_equals_signs_are_cells(line, tmp_path):
    path = write(tmp_path, ["day,what,sold".replace(",", line[12]), *days_of(line)])
    assert lc.read(path).values.tolist() == list(range(1, 29))


def days_of(line: str) -> list[str]:
    return [line.format(day, day) for day in range(1, 29)]
