"""Names of time zones in data, and their offsets from UTC."""

from __future__ import annotations

from lstmcast.util.patterns import pattern_of

# minutes east of UTC
ZONE_MINUTES = {
    **dict.fromkeys(("utc", "gmt", "wet", "z"), 0),
    **dict.fromkeys(("cet", "mez", "bst", "west"), 60),
    **dict.fromkeys(("cest", "mesz", "eet", "sast"), 120),
    **dict.fromkeys(("eest", "msk", "trt"), 180),
    "pkt": 300,
    **dict.fromkeys(("ict", "wib"), 420),
    **dict.fromkeys(("awst", "hkt", "sgt", "myt", "pht", "wita"), 480),
    **dict.fromkeys(("jst", "kst"), 540),
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
    "akst": -540,
    "akdt": -480,
    "hst": -600,
    "brt": -180,
}
# India, Ireland or Israel; American zones in summer and winter
_WITHOUT_OFFSET = ("ist", "et", "ct", "mt", "pt")
_OFFSET = pattern_of(r"(?:utc|gmt)? ?([+-])(\d\d?):?(\d\d)?")
# clock times with the name of their zone behind them; dates.py reads those of UTC itself
_OTHERS = [name for name in ZONE_MINUTES if name not in ("utc", "gmt", "z")]
ZONED_CLOCK = pattern_of(
    r"(?P<clock>.*\d:\d\d(?::\d\d)?(?: ?[ap]m)?) ?"
    rf"\(?(?P<zone>{'|'.join((*_OTHERS, *_WITHOUT_OFFSET))})\)?"
)


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
