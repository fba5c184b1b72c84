"""Text files to grids of cells: find the encoding, the delimiter and the line of every row."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass

from lstmcast.data.files.delimiters import find_delimiter
from lstmcast.data.scripts import HEADER_WORDS
from lstmcast.data.table import Finding
from lstmcast.data.times.shapes import MONTHS
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {
    "cp932": "Shift-JIS (cp932)",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "JIS (ISO-2022-JP)",
    "cp949": "EUC-KR (cp949)",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "cp1252": "Latin-1 (cp1252)",
    "latin-1": "Latin-1",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
# letters of headers and labels that are mostly different letters in other encodings
_COMMON = {
    "euc_jp": frozenset(
        "ぁあぃいうえおかがきぎくぐけげこごさざしじすずせぜそぞただちっつてでとどなにぬねのはばひびふぶへべほぼまみむめも"
        "やゆよらりるれろわをんァアイウエオカガキギクグケゲコゴサザシジスズセゼソゾタダチッツテデトドナニネノハバパヒビピ"
        "フブプヘベペホボポマミムメモャヤュユョヨラリルレロワンー年月日時分売上高数量金額値計合平均店舗商品名県市度期"
    ),
    "cp949": frozenset(
        "년월일시분기점값합계수량매출액판율인원가격주지역구명총평균온도전국서울부산대전광경남북제품건물료비용자"
    ),
    "gb18030": frozenset(
        "年月日时间期销售额量数据价格城市名称产品合计总值指标金收入支出店铺地区万元平均温度值"
    ),
    "big5": frozenset(
        "年月日時間期銷售額量數據價格城市名稱產品合計總值指標金收入支出店鋪地區萬元平均溫度值統"
    ),
}
_OF_ONE_BYTE = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "mac_roman",
    "cp850",
    "koi8_r",
)
_FEWEST_COMMON = 0.15  # share of the letters
_JIS_MARKS = (b"\x1b$B", b"\x1b$@")  # Japanese letters begin, in seven bits
_EXPECTED = "A table is expected: CSV, Excel (.xlsx) or Parquet."
_JAPANESE = pattern_of(r"[\u3040-\u30ff\u4e00-\u9fff\uff01-\uff5e々〆]")
_FORMULA = pattern_of(r'^="(.*)"$')  # ="007", for spreadsheets to keep as it is
_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x93NUMPY", "a NumPy file; give numpy.load(path) to Python's read()"),
    (b"\x80\x04\x95", "a Python pickle, which is never opened because it can run code"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"PK\x03\x04", "a ZIP archive in archives; unpack it first"),
)
# control characters that no text has: all but tab, line breaks and escape
_CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32)])
# in order of preference: decimal commas make the comma fit too often
# lines; a quoted cell with more line breaks counts as an unclosed quote
_LONGEST_RECORD = 50


@dataclass(frozen=True)
class CellGrid:
    """Rows of cells as text, each with its line (from 1); a blank row has no cells."""

    rows: list[list[str]]
    lines: list[int]
    delimiter: str = ""
    # the cells were numbers before they became text, as in a workbook
    plain: bool = False
    notes: tuple[Finding, ...] = ()
    hidden: bool = False  # a sheet of a workbook that people do not see


def read_text(content: bytes, source: str) -> CellGrid:
    """Split the bytes of a text file into cells; DataError if they are not text."""
    text, encoding = decode(content, source)
    refuse_structure(text, source)
    return grid_of_text(text, encoding_notes(encoding))


def encoding_notes(encoding: str) -> tuple[Finding, ...]:
    """The finding about text that is not UTF-8."""
    if encoding in ("utf-8", "utf-8-sig"):
        return ()
    name = _NAMES.get(encoding, encoding)
    message = f"the text is not UTF-8; it was read as {name}"
    return (Finding("encoding", "note", message, value=encoding),)


def grid_of_text(text: str, notes: tuple[Finding, ...] = ()) -> CellGrid:
    """Split a text into cells."""
    text = _without_quotes_around(text)
    delimiter = find_delimiter(text)
    rows, lines, quotes_off = _cells(text, delimiter)
    if '="' in text:
        rows = [[_FORMULA.sub(r"\1", cell) for cell in row] for row in rows]
    if quotes_off:
        message = "a quote is opened but never closed"
        notes = (
            *notes,
            Finding("quotes", "warning", message, "Quotes were read as text."),
        )
    return CellGrid(rows, lines, delimiter, False, notes)


def _without_quotes_around(text: str) -> str:
    """A text whose lines are quoted as a whole, "day,n", without these quotes."""
    start = text[:1000].splitlines()[:20]
    if not start or any(
        line[:1] != '"' or '","' in line or '";"' in line
        for line in start[:-1] or start
    ):
        return text
    lines = list(filter(None, map(str.strip, text.splitlines())))
    are_whole = all(len(line) > 2 and line[0] == line[-1] == '"' for line in lines)
    bare = [line[1:-1].replace('""', '"') for line in lines]
    has_cells = all(any(mark in line for mark in ",;\t") for line in bare)
    return "\n".join(bare) + "\n" if are_whole and has_cells else text


def decode(content: bytes, source: str) -> tuple[str, str]:
    """Text and the name of its encoding: a byte-order mark, then UTF-8, Japanese encodings and
    Latin-1, each checked.

    >>> decode("年月,売上".encode("cp932"), "sales.csv")
    ('年月,売上', 'cp932')
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _strictly(content, encoding, source), encoding
    unmarked = _unmarked_utf16(content)
    if unmarked:
        return _strictly(content[: len(content) // 2 * 2], unmarked, source), unmarked
    refuse_binary(content[: 1 << 16], source)
    if any(mark in content[: 1 << 16] for mark in _JIS_MARKS):
        return content.decode("iso2022_jp", errors="replace"), "iso2022_jp"
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = _guess_encoding(content)
    return content.decode(encoding, errors="replace"), encoding


def _unmarked_utf16(content: bytes) -> str:
    """The byte order of UTF-16 without a byte-order mark, or "" for other text.

    In Latin letters every second byte is 0.
    """
    head = content[:4096]
    if b"\0" not in head:
        return ""
    even_zeros = _share_of_zeros(head[::2])
    odd_zeros = _share_of_zeros(head[1::2])
    if odd_zeros > 0.4 and even_zeros < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even_zeros > 0.4 and odd_zeros < 0.02 else ""


def _share_of_zeros(content: bytes) -> float:
    return content.count(0) / max(len(content), 1)


def refuse_binary(head: bytes, source: str) -> None:
    """Raise DataError if the first bytes of a file cannot be a text table."""
    for magic, file_kind in _MAGIC:
        if head.startswith(magic):
            raise DataError(f"{source} is {file_kind}. {_EXPECTED}")
    if head[257:262] == b"ustar":
        raise DataError(
            f"{source} is a tar archive in archives; unpack it first. {_EXPECTED}"
        )
    controls = sum(head.count(code) for code in _CONTROLS)
    if b"\0" in head or controls > 0.02 * len(head):
        raise DataError(f"{source} is not text: it holds binary data. {_EXPECTED}")


def refuse_structure(text: str, source: str) -> None:
    """Raise DataError for JSON and pages, which are not rows of cells."""
    start = text.lstrip()[:15].lower()
    if start.startswith(("<!doctype html", "<html", "<?xml", "<table", "{", '[{"')):
        raise DataError(
            f"{source} is a page, XML or JSON, not rows of cells. {_EXPECTED}"
        )


def _strictly(content: bytes, encoding: str, source: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source} begins as {encoding} text, but byte {error.start} is invalid. Save it "
            "again as UTF-8."
        ) from None


def _guess_encoding(content: bytes) -> str:
    """An encoding for bytes that are not UTF-8."""
    head = content[: 1 << 20]
    of_months = _by_months(head)
    if of_months:
        return of_months
    text = _decoded(head, "cp932")
    if text is not None and _reads_japanese(text):
        return "cp932"
    asian = _east_asian(head)
    if asian:
        return asian
    sample = head[:20000]
    high = sum(byte > 127 for byte in sample)
    letters = sum(byte > 64 for byte in sample)
    if high > 20 and high > 0.5 * letters:
        # letters of another alphabet: worth the slower check
        from charset_normalizer import from_bytes

        match = from_bytes(sample).best()
        if match is not None and _decodes(content, match.encoding):
            return match.encoding
    return "cp1252" if _decodes(content, "cp1252") else "latin-1"


def _by_months(head: bytes) -> str:
    """The single-byte encoding in which names of months and columns are readable, or ""."""
    encoding_of_most, most_names = "", 0
    for encoding in _OF_ONE_BYTE:
        text = _decoded(head[:100_000], encoding) or ""
        words = set(re.findall(r"[^\W\d_]+", text.casefold()))
        count = sum(word in MONTHS and not word.isascii() for word in words)
        count += len(words & HEADER_WORDS)
        if count > most_names:
            encoding_of_most = encoding
            most_names = count
    return encoding_of_most


def _decoded(head: bytes, encoding: str) -> str | None:
    """The text of the first bytes, None if they have another encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None


def _east_asian(head: bytes) -> str:
    """The encoding whose text has most of the letters typical of headers in its language, or ""."""
    likeliest = ""
    highest = _FEWEST_COMMON
    for encoding, common in _COMMON.items():
        text = (_decoded(head, encoding) or "")[:20_000]
        letters = [sign for sign in text if sign > "\u0fff"]
        if not letters or 2 * len(letters) < sum(sign > "\x7f" for sign in text):
            continue
        share = sum(sign in common for sign in letters) / len(letters)
        if share > highest:
            likeliest = encoding
            highest = share
    return likeliest


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _reads_japanese(text: str) -> bool:
    """Whether text decoded as Shift-JIS is Japanese, and not Latin-1 in disguise.

    In Shift-JIS kana and common kanji begin with bytes 81–98, which Latin-1 leaves to punctuation;
    its accented letters come out as rare kanji (E0 and up) or as half-width katakana.
    """
    sample = text[:200_000]
    japanese = _JAPANESE.findall(sample)
    first_bytes = [letter.encode("cp932", errors="replace")[0] for letter in japanese]
    common = sum(0x81 <= byte <= 0x98 for byte in first_bytes)
    halfwidth = len(re.findall(r"[\uff61-\uff9f]", sample))
    is_usual = 2 * common >= len(japanese)
    return common > 0 and is_usual and halfwidth <= 2 * len(japanese)


def _spaced(line: str) -> list[str]:
    """The cells of a line separated by spaces; quoted cells may contain spaces, as R writes
    them."""
    if '"' not in line:
        return line.split()
    return next(csv.reader([line.strip()], delimiter=" ", skipinitialspace=True), [])


def _cells(text: str, delimiter: str) -> tuple[list[list[str]], list[int], bool]:
    """Rows of cells, their first lines, and whether quotes were read as text."""
    if delimiter == " ":
        rows = [_spaced(line) for line in text.splitlines()]
        return rows, list(range(1, len(rows) + 1)), False
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=delimiter,
            quoting=quoting,
            skipinitialspace=True,
        )
        rows, lines, last_line = [], [], 0
        try:
            for row in reader:
                if (
                    reader.line_num - last_line > _LONGEST_RECORD
                    and quoting == csv.QUOTE_MINIMAL
                ):
                    raise csv.Error
                rows.append(row)
                lines.append(last_line + 1)
                last_line = reader.line_num
        except csv.Error:
            continue
        return rows, lines, quoting == csv.QUOTE_NONE
    raise DataError(
        "one cell has more than 131,000 characters, so this is not a table of numbers."
    )
