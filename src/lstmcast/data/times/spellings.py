"""Spellings of dates and clock times that no shape has."""

from __future__ import annotations

# patterns of texts in small letters, and what to write for them
SPELLINGS = (
    (r"\[(.*\d)\]", r"\1"),
    (r"(.*\d{4}),? (?:at|@|à|a las|alle|kl\.?) (\d\d?:\d\d.*)", r"\1 \2"),
    (r"(\d\d)_(\d\d)_(\d{4})", r"\1/\2/\3"),
    (r"([^\W\d_]{3,9}) (?:of|de) (\d{4})", r"\1 \2"),
    (r"(.*\d{2,4}[ t_])(\d\d?)\.(\d\d)\.(\d\d)", r"\1\2:\3:\4"),
    (r"(.*[-/.]\d{2,4}[ t_])(\d\d?)\.(\d\d)", r"\1\2:\3"),
    (
        r"(\d{4}[-/.]?\d\d[-/.]?\d\d|\d\d?[-/.]\d\d?[-/.]\d{4})[ t_](\d\d?) ?(?:h|hrs?|uhr|時)?",
        r"\1 \2:00",
    ),
    (r"(.*[-/.]\d{1,4})[ t_](\d\d)(\d\d)", r"\1 \2:\3"),
    (r"(\d{8}):(\d{4}(?:\d\d)?)", r"\1 \2"),
    (r"(\d\d?[a-z]{3}\d{2,4}):(\d\d:.*)", r"\1 \2"),
    (r"(\d{4})[. ] ?([1-4])/4", r"\1q\2"),
    (r"(\d{4}) ?(?:m\.|gada|a\.|aasta) ([^\W\d_]{3,12})\.?", r"\1 \2"),
    (r"(\d{4})[./-](\d\d?) ?月", r"\1-\2"),
    (r"(\d{4})[./] ?(\d\d?)[./] ?(\d\d?)\.?", r"\1-\2-\3"),
    (r"(\d\d?:\d\d(?::\d\d)?(?: ?[ap]m)?),? (.*\d)", r"\2 \1"),
    (
        r"(?:the )?(?:week|month|w/?[ecb]) ?"
        r"(?:of|ending|ended|commencing|beginning|starting)? (.*)",
        r"\1",
    ),
    (
        r"(?:end of|as (?:of|at)|q/?e|(?:year|quarter|month|period|\d+ months?)[- ]"
        r"(?:end(?:ed|ing)?|to)) (.*)",
        r"\1",
    ),
    (r"([a-z]{3,9}) (?:qtr|quarter) (\d{4})", r"\1 \2"),
    (r"(\d\d?)\. (\d{4})", r"\1/\2"),
    (r"(\d{4})\. (\d\d?)\.?", r"\1-\2"),
    (r"(\d{4})(\d\d)(\d\d) ?[-~] ?\d{8}", r"\1-\2-\3"),
    (r"(?:yr|year|y|พ\.?ศ\.?)? ?(\d{4})(?: \[.*\])?", r"\1-01"),
    (r"[a-z]((?:19|20)\d\d)", r"\1-01"),
    (r"tháng (\d\d?)(?:[/-]| ?năm | )(\d{4})", r"\1/\2"),
    (r"(.*\d{4}) г\.?", r"\1"),
    (r"(.*\d) um (\d.*)", r"\1 \2"),
    # as Oracle, web servers, C and JavaScript write times
    (r"(\d\d-[a-z]{3}-\d\d) (\d\d)\.(\d\d)\.(\d\d)\.(\d+)( [ap]m)?", r"\1 \2:\3:\4\6"),
    (r"\[?(\d\d/[a-z]{3}/\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\]?", r"\1 \2\3"),
    (r"(?:[a-z]{3} )?([a-z]{3}) (\d\d?) (\d\d:\d\d:\d\d) (\d{4})", r"\2 \1 \4 \3"),
    (
        r"(?:[a-z]{3} )?([a-z]{3}) (\d\d?) (\d\d:\d\d:\d\d) (utc|gmt) (\d{4})",
        r"\2 \1 \5 \3 \4",
    ),
    (
        r"(?:[a-z]{3} )?([a-z]{3}) (\d\d?) (\d\d:\d\d:\d\d) [a-z]{3,4} (\d{4})",
        r"\2 \1 \4 \3",
    ),
    (
        r"(?:[a-z]{3} )?([a-z]{3}) (\d\d?) (\d{4}) (\d\d:\d\d:\d\d) gmt([+-]\d{4})(?: \(.*\))?",
        r"\2 \1 \3 \4\5",
    ),
    (r"(.*\d) ?uhr", r"\1"),
)
