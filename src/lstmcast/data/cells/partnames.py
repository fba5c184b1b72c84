"""Names of columns that hold a part of a time, in many languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.util.patterns import pattern_of

_WORDS = {
    "year": "year isoyear yr yy yyyy fy ev gjahr jahr année annee an año anio anyo ano anno "
    "jaar rok år vuosi év yıl yil год 年 年度 年份 년 연도 aaaa leto godina година anul έτος рік "
    "aasta gads metai tahun năm vuodet سنة سال שנה kalenderjahr berichtsjahr meldejahr bezugsjahr "
    "geschäftsjahr wirtschaftsjahr erhebungsjahr kalenderår regnskabsår verslagjaar boekjaar",
    "half": "half semester semestre halbjahr 半期",
    "bimonth": "bimestre bimester bimestr bimonth",
    "quarter": "quarter qtr quart q quartal trimestre trim kvartal kwartaal kwartał квартал 四半期",
    "month": "month mo mm mnth mon monat mois mes mês mese maand måned månad měsíc mesic miesiąc "
    "miesiac kuukausi hónap honap ho ay месяц 月 月份 월 kk kuu mesiac mjesec mesec месец lună "
    "luna μήνας місяць mėnuo mēnesis bulan tháng شهر ماه חודש kalendermonat berichtsmonat "
    "meldemonat bezugsmonat buchungsmonat verslagmaand",
    "week": "week wk weeknum weekno isoweek kw woche semaine semana settimana uge vecka týden "
    "tyden tydzień viikko hét hafta неделя 週 周 주 kalenderwoche berichtswoche meldewoche "
    "kalenderuge kalendervecka kalenteriviikko isouge isouke",
    "yearday": "doy dayofyear yday jd jday julian julianday ydays",
    "day": "day dd dy dom mday tag jour día dia giorno dag den dzień päivä nap gün день 日 일 jj "
    "pv deň dan ден zi ziua ημέρα päev diena hari ngày يوم روز יום",
    "hour": "hour hr hh h he stunde heure heures hora horas ora uur time hodina godzina tunti óra "
    "saat час 時 時間 時間帯 时间 小时 시간 시 klo timme tími ura ώρα valanda giờ ساعة ساعت",
    "minute": "minute minutes min mi mn minuten minuto 分",
    "second": "second seconds sec ss sekunde seconde segundo 秒",
    "weekday": "weekday dow dayofweek wochentag isoweekday",
    "slot": "period poper perio slot interval sp settlementperiod timeslot zeitintervall "
    "時刻コード コマ viertelstunde halbstunde intervallo intervalo intervalle kwadrans kvarter "
    "pte mtu",
}
_STEM = pattern_of(r"(.+)[ _-]([^ _-]+)")
_LETTERS = {"y": "year", "q": "quarter", "m": "month", "d": "day", "h": "hour"}
_NAMED = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# words that do not change the kind of a column
_BESIDE_WORDS = """
of the no nr number start begin beginning ending end local utc gmt cet cest iso mtu settlement in
hours num index calendar fiscal period obs observation reference ref mmwr epi time trading
delivery opr from von desde era date datum fecha financial fin academic tax crop
water marketing 年号 元号
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())


def likely_kind_of(name: str) -> str | None:
    """The part of a time that is the only one among the words of a name, whatever else they say.

    >>> likely_kind_of("SEMANA_EPIDEMIOLOGICA"), kind_of_name("SEMANA_EPIDEMIOLOGICA")
    ('week', None)
    """
    words = re.findall(r"[^\W\d_]+", name.casefold())
    kinds = {_NAMED[word] for word in words if word in _NAMED and len(word) > 2}
    return kinds.pop() if len(kinds) == 1 else None


def kinds_of_stem(names: Sequence[str]) -> dict[str, str]:
    """The parts of a time that names mean whose other words are alike, by name.

    >>> kinds_of_stem(["order_year", "order_month", "order_value"])
    {'order_year': 'year', 'order_month': 'month'}
    >>> kinds_of_stem(["date_extract_y", "date_extract_m"])
    {'date_extract_y': 'year', 'date_extract_m': 'month'}
    """
    by_stem: dict[str, dict[str, str]] = {}
    for name in names:
        match = _STEM.fullmatch(name)
        if match is None:
            continue
        stem, end = match.groups()
        kind = _LETTERS.get(end) or _NAMED.get(end.casefold())
        if kind is not None:
            by_stem.setdefault(stem, {})[name] = kind
    for kinds in by_stem.values():
        if len(set(kinds.values())) == len(kinds) > 1 and "year" in kinds.values():
            return kinds
    return {}


def kind_of_name(name: str) -> str | None:
    """The part of a time that a name means, if it means nothing else."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+", spaced.casefold())
    if {"day", "of", "year"} <= set(words):
        return "yearday"
    kinds = [_NAMED[word] for word in words if word in _NAMED]
    has_unknown = any(word not in _NAMED and word not in _BESIDE for word in words)
    if not kinds or has_unknown:
        return None
    exact = [kind for kind in kinds if kind not in ("slot", "hour")]
    return exact[0] if exact else kinds[0]
