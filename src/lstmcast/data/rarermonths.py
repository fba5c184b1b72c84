"""Names of months in languages of fewer files, and short forms; none is another month elsewhere."""

from __future__ import annotations

import re
import unicodedata

from lstmcast.data.scripts import ENGLISH_MONTHS
from lstmcast.util.patterns import pattern_of

_NAMES = (
    "yanvar urtarrila xaneiro janar ionawr januarie jannar јануари январ студзень січ "
    "қаңтар იანვარი հունվար جنوری jän genn jaan xan",
    "fevral otsaila febreiro shkurt pebrero chwefror frar феврал люты лют ақпан თებერვალი "
    "փետրվար فروری feber fév febb veebr pebruari",
    "martxoa marso mawrth machi marzu сакавік бер наурыз მარტი մարտ مارچ",
    "aprel apirila prill ebrill aprili апрел красавік кві сәуір აპრილი ապրիլ اپریل",
    "maiatza mejju тра мамыр მაისი մայիս مئی",
    "iyun ekaina xuño qershor hunyo mehefin junie ġunju јуни чэрвень чер маусым ივნისი "
    "հունիս جون",
    "iyul uztaila xullo korrik hulyo gorffennaf julie lulju јули ліпень лип шілде ივლისი "
    "հուլիս جولائی",
    "avqust abuztua gusht awst agosti awwissu жнівень сер тамыз აგვისტო օգոստոս اگست aoû "
    "agu agt agus",
    "sentyabr sentabr iraila shtator setyembre medi septemba settembru сентябр верасень "
    "вер қыркүйек სექტემბერი սեպտեմբեր ستمبر setiembre sett",
    "oktyabr oktabr urria tetor oktubre hydref oktoba ottubru октябр кастрычнік жов қазан "
    "ოქტომბერი հոկտեմբեր اکتوبر",
    "noyabr azaroa nëntor nobyembre tachwedd novemba novembru ноябр лістапад лис қараша "
    "ნოემბერი նոյեմբեր نومبر nopember",
    "dekabr abendua decembro dhjetor disyembre rhagfyr desemba diċembru декабр снежань гру "
    "желтоқсан დეკემბერი դեկտեմբեր دسمبر dets dis",
)
RARER_MONTHS = {
    unicodedata.normalize("NFC", name): number
    for number, names in enumerate(_NAMES, start=1)
    for name in names.split()
}
# short forms that are other months, or nothing, in other languages
_SHORT = (
    "sij velj ožu tra svi lip srp kol ruj lis stu pro",  # Croatian
    "led úno bře dub kvě čvn čvc srp zář říj lis pro",  # Czech
)
_SHORT_FORMS: list[dict[str, str]] = [
    dict(zip(names.split(), ENGLISH_MONTHS, strict=True)) for names in _SHORT
]
_WORD = pattern_of(r"[^\W\d_]{3,4}(?![^\W\d_])")
_LOOKED_AT = 50  # texts, in which all months come


def with_english_months(texts: list[str]) -> list[str]:
    """Texts with short names of months in English where these are Croatian or Czech, in which lip
    and srp are other months than in Polish and in each other.

    >>> with_english_months(["sij 2021", "velj 2021", "ožu 2021", "lip 2021"])
    ['jan 2021', 'feb 2021', 'mar 2021', 'jun 2021']
    """
    words = {word for text in texts[:_LOOKED_AT] for word in _WORD.findall(text)}
    english = next((forms for forms in _SHORT_FORMS if words <= forms.keys()), None)
    if english is None or len(words) < 3:
        return texts

    def in_english(match: re.Match[str]) -> str:
        return english.get(match[0], match[0])

    return [_WORD.sub(in_english, text) for text in texts]
