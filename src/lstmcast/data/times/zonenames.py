"""Names of time zones in data, and their offsets from UTC."""

from __future__ import annotations

import re

# minutes east of UTC
ZONE_MINUTES = {
    **dict.fromkeys(("utc", "gmt", "wet", "z"), 0),
    **dict.fromkeys(("cet", "mez", "bst", "west"), 60),
    **dict.fromkeys(("cest", "mesz", "eet"), 120),
    **dict.fromkeys(("eest", "msk"), 180),
    "awst": 480,
    "jst": 540,
    "kst": 540,
    "acst": 570,
    "acdt": 630,
    "aest": 600,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
    "nst": -210,
    "ndt": -150,
    "ast": -240,
    "adt": -180,
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
}
_OFFSET = re.compile(r"(?:utc|gmt)? ?([+-])(\d\d?):?(\d\d)?")


def offset_named(text: str) -> int | None:
    """Minutes east of UTC of a zone in small letters; None where it is not known.

    >>> offset_named("edt"), offset_named("+09:00"), offset_named("north")
    (-240, 540, None)
    """
    match = _OFFSET.fullmatch(text)
    if match is None:
        return ZONE_MINUTES.get(text)
    sign, hours, minutes = match.groups()
    count = 60 * int(hours) + int(minutes or 0)
    return -count if sign == "-" else count
