"""Columns that are known in advance: the shipped network's error without them and with them.

Real sets with prices, promotions, holidays, events and the weather; the windows follow each other
and end with the series, and the error is divided by that of the seasonal naive forecast in each
history (MASE), as fev-bench does. Nothing is trained, one default for all. Weather that was
observed is used as if it had been forecast perfectly; so it is in the published numbers of
gefcom2014, which are of another copy.

    S series · K windows · H horizon
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from common import arguments, data_folder, geometric_mean, print_table, write_result

import lstmcast as lc
from lstmcast.covariates.effects import without_known
from lstmcast.data.origins import origins_of
from lstmcast.evaluation import metrics


@dataclass(frozen=True)
class Task:
    """A file, its columns, and how it is forecast."""

    file: str
    target: str
    future: tuple[str, ...]
    horizon: int
    windows: int
    season: int
    series: str | None = None
    holidays: str | None = None
    only: str | None = None  # of the series
    every: int = 1  # of many series
    frequency: str | None = None
    published: dict[str, float] = field(default_factory=dict)


WEATHER = (
    "temperature",
    "humidity",
    "wind_speed",
    "general_diffuse_flows",
    "diffuse_flows",
)
BIKES = ("holiday", "workingday", "weathersit", "temp", "hum", "windspeed")
EVENTS = {
    "bicimad_users": "ES-MD",
    "madrid_bus": "ES-MD",
    "madrid_metro": "ES-MD",
    "madrid_road": "ES-MD",
    "madrid_train": "ES-MD",
    "uk_daily_flights": "GB-ENG",
    "energy_production_shutdown": "US",
}
HOLIDAYS = (
    "holiday_national",
    "holiday_regional",
    "holiday_local",
    "event",
    "work_day",
)
MARKDOWNS = tuple(f"markdown{k}" for k in range(1, 6))
TASKS = {
    "epf_np": Task(
        *("epf_np", "price", ("grid_load_forecast", "wind_power_forecast"), 24, 20, 24),
        published={"Chronos-2": 0.850, "CatBoost": 1.203},
    ),
    "epf_pjm": Task(
        *(
            "epf_pjm",
            "price",
            ("system_load_forecast", "zonal_comed_load_forecast"),
            24,
            20,
            24,
        ),
        published={"Chronos-2": 0.472, "CatBoost": 0.597},
    ),
    "epf_be": Task(
        *(
            "epf_be",
            "price",
            ("generation_forecast", "system_load_forecast"),
            24,
            20,
            24,
        ),
        published={"Chronos-2": 0.647, "CatBoost": 0.745},
    ),
    "rossmann_100": Task(
        *(
            "rossmann_100",
            "sales",
            ("open", "promo", "state_holiday", "school_holiday"),
        ),
        *(48, 10, 7),
        series="store",
        published={"Chronos-2": 0.356, "CatBoost": 0.332},
    ),
    "gefcom2014": Task(
        *("gefcom2014_load", "load", ("temp", "temp95"), 168, 20, 24),
        published={"Chronos-2": 0.539, "CatBoost": 0.602},
    ),
    "favorita_total": Task(
        *("favorita_total_daily", "total_sales", (), 28, 10, 7),
    ),
    "favorita_transactions": Task(
        *("favorita_transactions", "transactions", HOLIDAYS, 28, 10, 7),
        series="store_nbr",
    ),
    "restaurant": Task(
        *("restaurant_visits", "visitors", ("holiday",), 28, 8, 7),
        series="unique_id",
        every=4,
    ),
    "walmart": Task(
        *(
            "walmart",
            "weekly_sales",
            ("temperature", "fuel_price", *MARKDOWNS, "is_holiday"),
        ),
        *(39, 1, 1),
        series="id",
        every=8,
        published={"Chronos-2": 0.817, "CatBoost": 1.225},
    ),
    "tetuan": Task(*("tetuan", "y", WEATHER, 24, 60, 24), series="id"),
    "air_quality": Task(
        *("air_quality", "y", ("t", "rh", "ah"), 168, 20, 24),
        series="id",
        published={"Chronos-2": 1.021, "CatBoost": 1.397},
    ),
    "bike_day": Task("bike_day", "cnt", BIKES, 28, 10, 7),
    "bike_hour": Task("bike_hour", "cnt", BIKES, 24, 20, 24),
    "beijing_pm25": Task(
        *(
            "beijing_pm25",
            "pm2.5",
            ("DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"),
            24,
            20,
            24,
        ),
    ),
    "metro_traffic": Task(
        *("metro_traffic_volume", "traffic_volume"),
        ("holiday", "temp", "rain_1h", "snow_1h", "clouds_all", "weather_main"),
        *(24, 20, 24),
    ),
    "h2o": Task("h2o_exog", "y", ("exog_1", "exog_2"), 12, 4, 12),
    **{
        f"daily_events/{name}": Task(
            *("daily_events", "y", (), 28, 10, 7), holidays=country, only=name
        )
        for name, country in EVENTS.items()
    },
}


def main() -> None:
    """Score all tasks, or those that are named, and print them beside published errors."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--task", action="append", choices=list(TASKS), help="again for several"
    )
    given = parser.parse_args()
    data, began, rows = data_folder(given.data), time.monotonic(), []
    for name in given.task or TASKS:
        row = scored(name, TASKS[name], data)
        rows.append(row)
        print_table([row])
    ratio = geometric_mean([float(row["with"]) / float(row["without"]) for row in rows])
    print(f"with, over without: {ratio:.3f} (geometric mean)")
    if not given.dry and not given.task:
        result = {"rows": rows, "ratio": ratio}
        write_result("known", __doc__, result, time.monotonic() - began)


def scored(name: str, task: Task, data: Path) -> dict[str, object]:
    """The errors of a task, and how long the forecasts took."""
    panel = read(task, data)
    counts = panel.lengths[:, None] - task.horizon * np.arange(task.windows, 0, -1)
    long = np.flatnonzero(counts[:, 0] > 3 * task.season)
    panel, counts = panel.select(panel.ids[long]), counts[long]
    model = lc.LSTMForecaster(horizon=task.horizon)
    seconds, errors, covered = {}, {}, {}
    for how, chosen in (("without", without_known(panel)), ("with", panel)):
        started = time.monotonic()
        forecast = model.predict(chosen, cutoffs=counts)
        seconds[how] = time.monotonic() - started
        errors[how], covered[how] = judged(forecast, panel, counts, task)
    return {
        "task": name,
        "series": len(panel),
        **{how: round(error, 4) for how, error in errors.items()},
        "coverage80": round(covered["with"], 3),
        "seconds without": round(seconds["without"], 1),
        "seconds with": round(seconds["with"], 1),
        **task.published,
    }


def judged(
    forecast: lc.Forecast, panel: lc.Panel, counts: np.ndarray, task: Task
) -> tuple[float, float]:
    """The MASE, the mean over windows, and how often the 80% interval holds."""
    origins = origins_of(panel, counts)
    steps = origins.counts[:, None] + np.arange(task.horizon)
    inside = steps < panel.lengths[origins.series][:, None]
    place = panel.offsets[origins.series][:, None] + np.where(inside, steps, 0)
    actual = np.where(inside, panel.values[place], np.nan)
    scale = metrics.naive_scales(panel, origins, task.season).absolute
    some = np.isfinite(actual).any(axis=1) & (scale > 0)
    each = np.nanmean(np.abs(forecast.point - actual)[some], axis=1) / scale[some]
    _, lower, upper = forecast.interval(80)
    return float(np.nanmean(each)), metrics.coverage(actual, lower, upper)


# ---------------------------------------------------------------- data


def read(task: Task, data: Path) -> lc.Panel:
    """The series of a task with what is known in advance."""
    frame = FRAMES[task.file](data) if task.file in FRAMES else _file(task.file, data)
    future = list(task.future)
    if task.file == "favorita_total_daily":
        past = ("ds", task.target, "oil_price", "transactions")
        future = [name for name in frame.columns if name not in past]
    if task.only is not None:
        frame = frame[frame["unique_id"] == task.only].drop(columns="unique_id")
    if task.series is not None:
        chosen = list(dict.fromkeys(frame[task.series]))[:: task.every]
        frame = pd.DataFrame(frame[pd.Series(frame[task.series]).isin(chosen)])
    kept = [
        name for name in (task.series, "ds", task.target, *future) if name is not None
    ]
    return lc.read(
        frame[kept],
        time="ds",
        target=task.target,
        series=task.series,
        future=future or None,
        holidays=task.holidays,
        frequency=task.frequency,
        duplicates="first",
        calendar="all",
    )


def _file(name: str, data: Path) -> pd.DataFrame:
    return pd.read_parquet(data / f"{name}.parquet")


def _walmart(data: Path) -> pd.DataFrame:
    sales = _file("walmart_sales", data).merge(
        _file("walmart_features", data), on=["store", "ds"], how="left"
    )
    sales["id"] = sales["store"].astype(str) + "/" + sales["dept"].astype(str)
    return pd.DataFrame(sales[sales.groupby("id")["ds"].transform("size") == 143])


def _tetuan(data: Path) -> pd.DataFrame:
    hourly = (
        _file("tetuan_power", data).set_index("ds").resample("h").mean().reset_index()
    )
    zones = ["zone1", "zone2", "zone3"]
    return hourly.melt(["ds", *WEATHER], zones, var_name="id", value_name="y")


def _air(data: Path) -> pd.DataFrame:
    gases = ["co_gt", "c6h6_gt", "nox_gt", "no2_gt"]
    return _file("air_quality_uci", data).melt(
        ["ds", "t", "rh", "ah"], gases, var_name="id", value_name="y"
    )


def _bike_day(data: Path) -> pd.DataFrame:
    return _file("bike_sharing_day", data).assign(
        ds=lambda d: pd.to_datetime(d["dteday"])
    )


def _bike_hour(data: Path) -> pd.DataFrame:
    hourly = _file("bike_sharing_hour", data)
    hours = hourly["hr"].to_numpy().astype("timedelta64[h]")
    return hourly.assign(ds=pd.to_datetime(hourly["dteday"]) + hours)


FRAMES = {
    "walmart": _walmart,
    "tetuan": _tetuan,
    "air_quality": _air,
    "bike_day": _bike_day,
    "bike_hour": _bike_hour,
}


if __name__ == "__main__":
    main()
