"""Which columns name the series, and that nothing is advised that was not tried."""

from __future__ import annotations

from pathlib import Path

import pytest

import lstmcast as lc

DAYS = [f"2022-01-{day:02d}" for day in range(1, 21)]
FRIDAYS = [f"2020-01-{day:02d}" for day in (3, 10, 17, 24, 31)]


def write(folder: Path, header: str, rows: list[str]) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_number_of_the_row_is_no_key(tmp_path):
    rows = [f"{day},{s},{f}" for day in DAYS for s in (1, 2) for f in "AB"]
    path = write(
        tmp_path,
        "id,date,store_nbr,family,sales",
        [f"{i},{r},5" for i, r in enumerate(rows)],
    )
    panel = lc.read(path)
    assert list(panel.keys) == ["store_nbr", "family"] and len(panel) == 4


def test_the_smallest_set_of_keys_leaves_a_flag_out(tmp_path):
    rows = [
        f"{s},{d},{day},{s}{d},{'TRUE' if day == FRIDAYS[2] else 'FALSE'}"
        for s in (1, 2)
        for d in (1, 2, 3)
        for day in FRIDAYS
    ]
    panel = lc.read(write(tmp_path, "Store,Dept,Date,Weekly_Sales,IsHoliday", rows))
    assert list(panel.keys) == ["Store", "Dept"] and len(panel) == 6


def test_three_keys_are_found(tmp_path):
    rows = [
        f"{day},{a},{b},{c},1" for day in DAYS for a in "xy" for b in "pq" for c in "mn"
    ]
    panel = lc.read(write(tmp_path, "date,region,category,channel,sales", rows))
    assert list(panel.keys) == ["region", "category", "channel"]


def test_a_name_beside_its_code_is_not_needed(tmp_path):
    rows = [
        f"{day},{s},shop {s},{i},item {i},1"
        for day in DAYS
        for s in (1, 2)
        for i in (7, 8)
    ]
    panel = lc.read(write(tmp_path, "date,shop_id,shop,item_id,item,sold", rows))
    assert len(panel) == 4 and len(panel.keys) == 2


def test_of_two_ways_that_both_tell_rows_apart_the_reader_chooses(tmp_path):
    rows = [
        f"{day},{'abc'[s]},{'pqr'[(s + n) % 3]},1"
        for n, day in enumerate(DAYS)
        for s in range(3)
    ]
    path = write(tmp_path, "date,colour,clerk,sold", rows)
    with pytest.raises(
        lc.DataError, match=r"series='colour', or series='clerk'"
    ) as caught:
        lc.read(path, target="sold")
    for column in ("colour", "clerk"):
        assert f"series={column!r}" in str(caught.value)
        assert len(lc.read(path, series=column, target="sold")) >= 3


def test_columns_that_do_not_tell_rows_apart_are_not_advised(tmp_path):
    rows = [f"{day},{c},{n}" for day in DAYS for c in "ab" for n in range(3)]
    with pytest.raises(lc.DataError) as caught:
        lc.read(
            write(
                tmp_path,
                "date,colour,size,note,sold",
                [f"{r[:-2]},m,z,{r[-1]}" for r in rows],
            )
        )
    assert "series='colour'" not in str(caught.value)
    assert "aggregate" in str(caught.value) or "duplicate" in str(caught.value)


def test_an_hour_is_no_series(tmp_path):
    rows = [f"{day},{w},5" for day in DAYS for w in (1, 2, 3)]
    with pytest.raises(lc.DataError, match="two rows for 2022-01-01"):
        lc.read(write(tmp_path, "date,weekday,sold", rows))


@pytest.mark.parametrize("province", ["", "North"])
def test_rows_are_named_by_the_smallest_set_of_names(province, tmp_path):
    times = [f"1/{day}/21" for day in range(13, 29)]
    places = [
        (province, "Avalon"),
        ("East", "Borduria"),
        ("West", "Borduria"),
        ("", "Caledonia"),
    ]
    rows = [
        f"{p},{c},15,{n}," + ",".join(str(n * day) for day in range(len(times)))
        for n, (p, c) in enumerate(places, 1)
    ]
    panel = lc.read(
        write(tmp_path, "Province,Country,Lat,Long," + ",".join(times), rows)
    )
    first = f"{province}/Avalon" if province else "Avalon"
    assert panel.ids.tolist() == [first, "East/Borduria", "West/Borduria", "Caledonia"]


def test_a_target_that_would_be_refused_is_not_advised(tmp_path):
    rows = [f"{day},{n},{'closed' if n == 3 else n}" for n, day in enumerate(DAYS)]
    path = write(tmp_path, "date,open,total", rows)
    with pytest.raises(lc.DataError, match="target='open'") as caught:
        lc.read(path)
    assert "target='*'" not in str(caught.value)
    assert len(lc.read(path, target="open").values) == 20


def test_a_frequency_that_would_make_single_values_is_not_advised(tmp_path):
    rows = [f"2022-01-{n + 1:02d},shop {n},5" for n in range(12)]
    with pytest.raises(lc.DataError, match="no series has two times") as caught:
        lc.read(write(tmp_path, "date,shop,sold", rows), series="shop")
    assert "frequency=" not in str(caught.value) and "series='NAME'" in str(
        caught.value
    )


def test_a_tag_of_a_sensor_is_no_day(tmp_path):
    path = tmp_path / "tags.csv"
    rows = [
        f"2024-01-01 {hour:02d}:00,{tag},{hour}"
        for hour in range(24)
        for tag in ("T1", "P1")
    ]
    path.write_text("\n".join(["time,tag,value", *rows]) + "\n")
    assert lc.read(path).ids.tolist() == ["T1", "P1"]


@pytest.mark.parametrize("value", ["meter_reading", "product_price", "store_sales"])
def test_a_measurement_of_a_meter_or_a_store_is_no_key(value, tmp_path):
    rows = [
        f"{day},{site},{100 + n // 2 + site}"
        for n, day in enumerate(DAYS)
        for site in (10, 11)
    ]
    panel = lc.read(write(tmp_path, f"date,building,{value}", rows))
    assert panel.ids.tolist() == ["10", "11"] and panel.columns.target == value


def test_parts_below_each_other_that_share_few_days_are_series(tmp_path):
    sold = {"p1": [*DAYS[:4], *DAYS[5:11]], "p2": [DAYS[8], *DAYS[10:14], *DAYS[15:]]}
    rows = [
        f"{part},{day},{n + 1}"
        for part, days in sold.items()
        for n, day in enumerate(days)
    ]
    panel = lc.read(write(tmp_path, "part,date,qty", rows))
    assert panel.ids.tolist() == ["p1", "p2"] and list(panel.keys) == ["part"]


def test_a_remark_in_one_row_is_no_key(tmp_path):
    """A day that comes twice is asked about, though a remark tells both rows apart."""
    rows = [f"{day},5," for day in DAYS] + [f"{DAYS[-1]},6,corrected"]
    with pytest.raises(lc.DataError, match="duplicates"):
        lc.read(write(tmp_path, "date,sales,remark", rows))
