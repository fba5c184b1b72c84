"""Columns of nested names and of two levels of names, named by a part of them."""

from __future__ import annotations

from lstmcast.data.sheet import Column, Sheet, folded


def on_path(sheet: Sheet, name: str) -> list[Column]:
    """The columns of nested names, attributes.CASES or revenue.value, that a part of them names."""
    folded_name = folded(name)
    endings = (f".{folded_name}", f"/{folded_name}")
    whole_names = (f"{folded_name}.value", f"{folded_name}/value")
    columns = []
    for column in sheet.columns:
        column_name = folded(column.name)
        if column_name.endswith(endings) or column_name in whole_names:
            columns.append(column)
    return columns


def of_level(sheet: Sheet, name: str) -> list[Column]:
    """The columns of which one of two levels of names is this one; none where one is called so."""
    folded_name = folded(name)
    group = []
    for column in sheet.columns:
        levels = folded(column.name).split("/")
        if levels == [folded_name]:
            return []
        if len(levels) == 2 and folded_name in levels and column.number_share > 0:
            group.append(column)
    return group
