"""Digits, names of months and calendars of other languages than those of western Europe."""

from __future__ import annotations

import re
import unicodedata

from lstmcast.util.patterns import pattern_of

# the first name of each month is the one in full; others are its genitive and short forms
_OTHER_NAMES = (
    "gener jaanuar sausis sausio janvāris януари яну јануар siječanj siječnja janúar "
    "janv styczeń stycznia sty leden ledna január ianuarie ian tammikuu tammi ocak oca "
    "январь января янв січень січня "
    "ιανουάριος ιανουαρίου ιαν γεν "
    "يناير "
    "ינואר",
    "febrer veebruar vasaris vasario februāris februāri февруари фебруар veljača "
    "veljače február febrúar "
    "febr luty lutego lut únor února február februarie helmikuu helmi şubat şub "
    "февраль февраля фев февр лютий лютого "
    "φεβρουάριος φεβρουαρίου φεβ "
    "فبراير شباط "
    "פברואר",
    "mart marec març märts kovas kovo mac ožujak ožujka "
    "marzec marca březen března március márc martie marts maaliskuu maalis mart maret "
    "март марта мар березень березня "
    "μάρτιος μαρτίου μαρ μάρ "
    "مارس آذار "
    "מרץ מרס",
    "aprill balandis balandžio aprīlis април apríl travanj travnja "
    "kwiecień kwietnia kwi duben dubna április ápr aprilie huhtikuu huhti nisan nis "
    "апрель апреля апр квітень квітня "
    "απρίλιος απριλίου απρ "
    "أبريل ابريل إبريل نيسان "
    "אפריל",
    "maig gegužė gegužės maijs мај maí svibanj svibnja "
    "maj maja květen května május máj toukokuu touko mayıs "
    "май мая травень травня "
    "μάιος μαΐου μαίου μαϊ μάι μαι μαΐ "
    "مايو أيار ايار "
    "מאי",
    "juny junij juuni birželis birželio jūnijs юни јун júní jun lipanj lipnja "
    "czerwiec czerwca cze červen června június jún iunie iun kesäkuu kesä haziran haz "
    "июнь июня июн червень червня "
    "ιούνιος ιουνίου ιουν ιούν "
    "يونيو يونيه حزيران "
    "יוני",
    "juliol julij juuli liepa liepos jūlijs julai юли јул júlí srpanj srpnja "
    "juill lipiec lipca lip červenec července július júl iulie iul heinäkuu heinä temmuz tem "
    "июль июля июл липень липня "
    "ιούλιος ιουλίου ιουλ ιούλ "
    "يوليو يوليه تموز "
    "יולי",
    "agost avgust ogos rugpjūtis rugpjūčio augusts ágúst kolovoz kolovoza "
    "augusti sierpień sierpnia sie srpen srpna augusztus elokuu elo ağustos ağu agustus "
    "август августа авг серпень серпня "
    "αύγουστος αυγούστου αυγ "
    "أغسطس اغسطس آب "
    "אוגוסט",
    "setembre septembar rugsėjis rugsėjo septembris септември септ септембар rujan rujna "
    "wrzesień września wrz září szeptember szept septembrie syyskuu syys eylül eyl "
    "сентябрь сентября сен сент вересень вересня "
    "σεπτέμβριος σεπτεμβρίου σεπ "
    "سبتمبر أيلول ايلول "
    "ספטמבר",
    "oktobar oktoober spalis spalio oktobris октомври октобар október "
    "październik października paź říjen října október octombrie lokakuu loka ekim eki "
    "октябрь октября окт жовтень жовтня "
    "οκτώβριος οκτωβρίου οκτ "
    "أكتوبر اكتوبر "
    "אוקטובר",
    "novembar lapkritis lapkričio novembris ноември ноем ное новембар nóvember studeni "
    "studenoga studenog "
    "listopad listopada listopadu lis noiembrie noi marraskuu marras kasım kas "
    "ноябрь ноября ноя нояб листопад листопада "
    "νοέμβριος νοεμβρίου νοε νοέ "
    "نوفمبر "
    "נובמבר",
    "desembre decembar detsember disember gruodis gruodžio decembris декември "
    "децембар prosinac prosinca "
    "desember des grudzień grudnia gru prosinec prosince decembrie joulukuu joulu aralık ara "
    "декабрь декабря дек грудень грудня "
    "δεκέμβριος δεκεμβρίου δεκ "
    "ديسمبر "
    "דצמבר",
)
OTHER_MONTHS = {
    unicodedata.normalize("NFC", name.casefold()): number
    for number, names in enumerate(_OTHER_NAMES, start=1)
    for name in names.split()
}
_BENGALI_MONTHS = (
    "জানুয়ারি জানুয়ারী",
    "ফেব্রুয়ারি ফেব্রুয়ারী",
    "মার্চ",
    "এপ্রিল",
    "মে",
    "জুন",
    "জুলাই",
    "আগস্ট",
    "সেপ্টেম্বর",
    "অক্টোবর",
    "নভেম্বর",
    "ডিসেম্বর",
)
_TAMIL_MONTHS = (
    "ஜனவரி",
    "பிப்ரவரி",
    "மார்ச்",
    "ஏப்ரல்",
    "மே",
    "ஜூன்",
    "ஜூலை",
    "ஆகஸ்ட்",
    "செப்டம்பர்",
    "அக்டோபர்",
    "நவம்பர்",
    "டிசம்பர்",
)
# of two words, which "_" stands between here, in Syria, Lebanon, Jordan and Iraq
_LEVANTINE_MONTHS = {
    "jan": "كانون_الثاني كانون_ثاني",
    "oct": "تشرين_الأول تشرين_الاول تشرين_أول",
    "nov": "تشرين_الثاني تشرين_ثاني",
    "dec": "كانون_الأول كانون_الاول كانون_أول",
}
_THAI_MONTHS = (
    "มกราคม ม.ค.",
    "กุมภาพันธ์ ก.พ.",
    "มีนาคม มี.ค.",
    "เมษายน เม.ย.",
    "พฤษภาคม พ.ค.",
    "มิถุนายน มิ.ย.",
    "กรกฎาคม ก.ค.",
    "สิงหาคม ส.ค.",
    "กันยายน ก.ย.",
    "ตุลาคม ต.ค.",
    "พฤศจิกายน พ.ย.",
    "ธันวาคม ธ.ค.",
)
_INDIAN_MONTHS = (
    "जनवरी",
    "फरवरी फ़रवरी",
    "मार्च",
    "अप्रैल",
    "मई",
    "जून",
    "जुलाई",
    "अगस्त",
    "सितंबर सितम्बर",
    "अक्टूबर अक्तूबर",
    "नवंबर नवम्बर",
    "दिसंबर दिसम्बर",
)
ENGLISH_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
# names with signs that are no letters
_ENGLISH_OF = {
    name: english
    for month_names in (_THAI_MONTHS, _INDIAN_MONTHS, _BENGALI_MONTHS, _TAMIL_MONTHS)
    for names, english in zip(month_names, ENGLISH_MONTHS, strict=True)
    for name in names.split()
} | {
    name.replace("_", " "): english
    for english, names in _LEVANTINE_MONTHS.items()
    for name in names.split()
}
_LONGEST_FIRST = sorted(_ENGLISH_OF, key=len, reverse=True)
# two digits behind a Thai name are a year of the Buddhist century 2500
_SHORT_THAI_YEAR = pattern_of(r"[ก-๙]+[. ]*(?<!\d)(?P<year>\d\d)$")
_SIGNED_NAME = pattern_of("|".join(map(re.escape, _LONGEST_FIRST)))
# zero of Arabic-Indic, Persian, Devanagari, Bengali and Thai digits
_ZEROS = "٠۰०০๐"
# marks of the direction of writing, which nobody sees
_UNSEEN = dict.fromkeys(
    map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
_DIGITS = {ord(zero) + value: str(value) for zero in _ZEROS for value in range(10)}
_SIGNS = (
    _DIGITS
    | _UNSEEN
    | {ord("٫"): ".", ord("٬"): "'", ord("،"): ",", ord("’"): "'", ord("‘"): "'"}
)
_NUMERALS = {sign: value for value, sign in enumerate("一二三四五六七八九十", start=1)}
_NUMERAL = pattern_of(r"(十?[一二三四五六七八九十])(?=月|季度|四半期|분기)")
_CROATIAN = pattern_of("stude[nm]|siječ|ožuj|kolovoz|prosinac|prosinca")
_AVGUST = pattern_of(r"avg(?=\.?[ /-]*\d)")
_SLAVIC = pattern_of(r"(?:maj|okt)\.?[ /-]*\d")
_HALVES_OF_DAY = {
    "am": r"上午|午前|오전|ص|π\.?μ\.?",
    "pm": r"下午|午後|오후|م|μ\.?μ\.?",
}
_HALF = "|".join(_HALVES_OF_DAY.values())
_HALF_FIRST = pattern_of(rf"({_HALF}) ?(\d\d?(?:[:時时시].*)?)$")
_HALF_LAST = pattern_of(rf"(?<=[:.]\d\d) ?({_HALF})$")
_EAST_ASIAN = (
    (pattern_of(r" ?(?:星期|礼拜|禮拜|週|周)[一二三四五六日天]$"), ""),
    (pattern_of(r"(?:中華)?民[國国] ?(?=\d)"), "民國"),
    (pattern_of(r"년 ?"), "年"),
    (pattern_of(r"월 ?"), "月"),
    (pattern_of(r"(?<=\d)일"), "日"),
    (pattern_of(r"(?<=\d)[时點点시]"), "時"),
    (pattern_of(r"(?<=\d)분(?!기)"), "分"),
    (pattern_of(r"(?<=\d)초"), "秒"),
    (pattern_of(r"月[分份度期]"), "月"),
    (pattern_of(r"(?<=[年度])/(?=第?\d)"), ""),  # a year above a month: 2024年/1月
    (pattern_of(r"(?<=\d)年/(?=[A-Za-z])"), " "),
    (pattern_of(r"第?(\d)(?:/4)? ?(?:季度|분기|季(?!節))"), r"第\1四半期"),
    (pattern_of(r"(?<=\d)(?:周|주차?)"), "週"),
)
_REPUBLIC = pattern_of(r"(?:民國(\d{1,3})|(?<!\d)(1\d\d))(?=年)")
# the first year of the Republic of China is 1912
REPUBLIC = 1911


def in_western_signs(text: str) -> str:
    """Convert Arabic digits, Thai months and East Asian period labels to forms known to `dates.py`.

    >>> in_western_signs("民國113年4月"), in_western_signs("2024년 1분기"), in_western_signs("٣١")
    ('2024年4月', '2024年第1四半期', '31')
    """
    text = text.translate(_SIGNS).strip()
    short_year = _SHORT_THAI_YEAR.search(text)
    if short_year is not None:
        text = f"{text[:-2]}25{short_year['year']}"
    text = _SIGNED_NAME.sub(lambda match: _ENGLISH_OF[match.group()], text)
    text = western_halves(text)
    text = _NUMERAL.sub(lambda match: str(_value_of(match[1])), text)
    for pattern, replacement in _EAST_ASIAN:
        text = pattern.sub(replacement, text)
    return _REPUBLIC.sub(lambda match: str(int(match[1] or match[2]) + REPUBLIC), text)


def without_false_friends(texts: list[str]) -> list[str]:
    """Texts in which listopad is October where other months are Croatian, as in Polish and Czech it
    is November, and avg is August beside maj and okt, not an average.

    >>> without_false_friends(["listopad 2021", "studeni 2021"])
    ['oct 2021', 'studeni 2021']
    """
    if any(map(_AVGUST.match, texts)) and any(map(_SLAVIC.match, texts)):
        texts = [_AVGUST.sub("aug", text) for text in texts]
    if not any("listopad" in text for text in texts) or not any(
        map(_CROATIAN.search, texts)
    ):
        return texts
    return [re.sub("listopada?", "oct", text) for text in texts]


def western_halves(text: str) -> str:
    """A text with am or pm behind its clock time, for words of other languages on either side.

    >>> western_halves("2024-03-01 오후 1:30"), western_halves("01:30 μ.μ.")
    ('2024-03-01 1:30 pm', '01:30 pm')
    """
    text = _HALF_FIRST.sub(lambda match: f"{match[2]} {_half_named(match[1])}", text)
    return _HALF_LAST.sub(lambda match: f" {_half_named(match[1])}", text)


def _half_named(word: str) -> str:
    is_morning = re.fullmatch(_HALVES_OF_DAY["am"], word) is not None
    return "am" if is_morning else "pm"


def western_digits(text: str) -> str:
    """A text with Arabic, Persian, Indian and Thai digits as 0 to 9.

    >>> western_digits("١٢٫٥")
    '12.5'
    """
    return text.translate(_SIGNS)


def _value_of(numeral: str) -> int:
    """The value of Chinese numerals up to twelve."""
    if len(numeral) == 1:
        return _NUMERALS[numeral]
    return 10 + _NUMERALS[numeral[1]]


_HEADER_WORDS = """
miesiąc tydzień dzień kwartał wartość ilość liczność sprzedaż měsíc týden čtvrtletí období množství
tržby počet týždeň štvrťrok hónap hét időszak érték mennyiség dátum lună valoare cantitate período
año día mês preço semana ventas période année quantité coût début år måned beløb värde mängd período
määrä päivä yıl dönem değer satış tarih дата период месяц год неделя квартал день час значение
количество сумма продажи рік місяць значення година месец стойност ημερομηνία έτος μήνας τιμή ποσό
umsätze menge größe jänner übersicht
"""
# words of columns' names with letters by which encodings are told apart
HEADER_WORDS = frozenset(word for word in _HEADER_WORDS.split() if not word.isascii())
