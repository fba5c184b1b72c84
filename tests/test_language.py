"""Texts in another language: which ones there are, how they are found, where they are shown."""

from __future__ import annotations

import ast
import json
import logging
import re
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
import typer

import lstmcast as lc
from lstmcast.cli import manner
from lstmcast.cli.app import COMMANDS, app, command_of
from lstmcast.data import findings
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import UsageError
from lstmcast.evaluation.baselines import SeasonalNaive
from lstmcast.jobs import CheckJob
from lstmcast.jobs.training import HELD_BACK
from lstmcast.output import cards, panes, places, report, report_tables
from lstmcast.output.curve_drawing import LABELS
from lstmcast.training import plan
from lstmcast.util import fonts
from lstmcast.util.language import Template, Words, catalogue, system_language, words_of
from lstmcast.util.lines import width, wrapped

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "lstmcast"
PAIRS = list(catalogue("ja"))
JAPANESE = words_of("ja")
LETTERS = re.compile("[ぁ-ヿ一-鿿]")
# Words that only an English sentence has; quoted texts, code and what is in brackets may have them.
ENGLISH = re.compile(
    r"(?<![\w'.-])(the|is|are|of|was|were|has|have|with|and|Give|Name)(?![\w'.-])"
)
VERBATIM = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\([^()]*\)")


@pytest.fixture(autouse=True)
def spoken():
    """English again, whatever a command spoke."""
    yield
    manner.speak("en")


def untranslated(text: str) -> list[str]:
    """The lines of a text that have no Japanese, or not in all sentences."""
    lines = [(line, JAPANESE(line)) for line in text.splitlines() if line.strip()]
    return [
        line
        for line, said in lines
        if not LETTERS.search(said) or ENGLISH.search(VERBATIM.sub("", said))
    ]


# ---------------------------------------------------------------- the catalogue


def fields(template: str) -> set[str]:
    return {
        name
        for _, name, _, _ in Formatter().parse(template)
        if name and "|" not in name
    }


def test_every_translation_has_the_places_of_its_english():
    assert len(PAIRS) > 500
    for english, japanese in PAIRS:
        assert fields(japanese) <= fields(english), english
        bare = re.sub(r"\{\w+\}", "", japanese)
        assert LETTERS.search(japanese) or not re.search("[a-z]", bare), english


def test_nothing_is_translated_twice():
    texts = [english for english, _ in PAIRS]
    assert len(texts) == len(set(texts))


def test_pages_can_hold_every_translation():
    """Those of headings and scripts are not escaped again."""
    assert not [japanese for _, japanese in PAIRS if re.search(r"[<>&]", japanese)]


# ---------------------------------------------------------------- how a text is found


def words(*pairs: tuple[str, str]) -> Words:
    return Words("ja", [Template(*pair) for pair in pairs])


def test_what_is_not_known_stays():
    assert (
        JAPANESE("Quite another text. And one more.")
        == "Quite another text. And one more."
    )
    assert words_of("en")("3 months") == "3 months"


def test_the_template_that_says_most_wins():
    say = words(
        ("{what} are missing", "a {what}"), ("{n:n} values are missing", "b {n}")
    )
    assert say("12 values are missing") == "b 12"
    assert say("some are missing") == "a some"


def test_sentences_are_found_one_by_one_and_unknown_ones_stay():
    say = words(("It is masked", "マスクします"), ("{n:n} is missing.", "{n}が欠測。"))
    assert say("3 is missing. It is masked.") == "3が欠測。マスクします。"
    assert (
        say("Nobody knows this. It is masked.") == "Nobody knows this. マスクします。"
    )
    assert say("It is masked. Nobody knows this.") == "マスクします。Nobody knows this."


@pytest.mark.parametrize(
    "text",
    [
        "{x} and {0}",
        "%s %(a)d",
        "a: " * 1500,
        "It fails. " * 300,
        "(" * 50,
        "it's 'odd",
        "\r\n ",
        "…",
    ],
)
def test_any_text_can_be_asked_for(text):
    assert isinstance(JAPANESE(text), str)
    if len(text) < 1000:
        assert JAPANESE(f"there is no file {text!r}").startswith("ファイル")


def test_many_sentences_are_all_translated():
    assert JAPANESE("They are sorted. " * 20).strip() == "並べ替えました。" * 20


def test_a_place_does_not_swallow_the_next_sentence():
    say = words(
        ("use the {name} forecast", "{name}を使う"), ("Or give more", "またはもっと")
    )
    assert say("use the naive forecast. Or give more") == "naiveを使う。またはもっと"


def test_texts_in_texts_and_lists_are_translated():
    say = words(
        ("series {name}: {what:text}", "系列{name}：{what}"),
        ("dropped: {lines:list}", "除外：{lines}"),
        ("line {n:n}", "{n}行目"),
    )
    assert say("series 'a': dropped: line 3, line 4") == "系列'a'：除外：3行目、4行目"
    assert say("series 'a': unknown") == "series 'a': unknown"
    assert say("dropped: line 3, 'line 4, 5'") == "除外：3行目、'line 4, 5'"


def test_an_item_does_not_swallow_those_after_it():
    say = words(
        ("text: {cells:list}", "文字：{cells}"),
        ("line {n} has {cell}", "{n}行目に{cell}"),
    )
    assert say("text: line 3 has 'w', line 4 has 'z'") == "文字：3行目に'w'、4行目に'z'"


# Texts that no page of the docs shows, of columns beside the target and of trainings that go on.
TOLD = [
    "'price' continues after the last values of the target. If it is known in advance, use "
    "--future "
    "price.",
    "'price' and 'promo' continue after the last values of the target. If they are known in "
    "advance, "
    "use --future price,promo.",
    "the future column 'bill' carries the same information as the target (correlation 1). Leave "
    "it out: the forecast would see the values to be forecast.",
    "the past column 'bill' carries the same information as the target of 7 steps later. Leave it "
    "out: the forecast would see the values to be forecast.",
    "the future column 'bill' carries the same information as the target of 1 step before. It is "
    "known at most 1 step ahead, and the forecast reads the target anyway.",
    "'warm' is known in hindsight only. Accuracy is measured as if coming values had been known, "
    "so it will be lower in practice.",
    "all values of the future column 'a' are 'open'. The effect of other values is unknown.",
    "1 of 18 values of the future column 'price' are missing.",
    "'price' is known for 0 to 2 steps after the last values, the fewest in series 'tea'. Series "
    "without coming values have no forecast, or a shorter one.",
    "holidays of DE-BY, JP until 2026-05-01: 'holiday' and 'holiday name'.",
    "holidays of CN are only known from 1950 to 2099. Other years have none.",
    "the holidays of 'Germany' are not known. Give a country, such as DE, or a subdivision, such "
    "as DE-BY.",
    "DE has no subdivision 'XX' with known holidays. Choose one of: BB, BE.",
    "the data have a column 'holiday', and so have the holidays of DE. Rename the column, or "
    "leave out one of the two.",
    "a.csv has no column 'vv' for the future covariate. Did you mean 'v'? Its columns are:",
    "a.csv: text in the future column 'a': line 5 has 'w', line 7 has 'q'. Numbers are expected. "
    "Write numbers, leave cells empty where values are missing, or name another column with "
    "--future NAME.",
    "the column 'price' is named as past covariate and as future covariate. Name it once: a "
    "future column includes past values.",
    "a.csv: the future column 'until' holds dates: 2024-01-01. Numbers, yes and no, or categories "
    "are expected. Give the days since or until that date as a number.",
    "'price' and 'promo' are known in advance, but end with the values. Give coming values as "
    "rows without a target, or in a separate table.",
    "'price' is known for 2 to 1,004 steps after the last values, the fewest in series 'tea'.",
    "plan.csv: 'index' is monthly (month starts). Aligned: each value is repeated for its month.",
    "plan.csv: 'a' and 'b' are hourly. Aligned: means over each step (daily).",
    "plan.csv has no values of 'price' and 'promo' for series 'tea' and 3 more. Add rows for it, "
    "leave out its key to share rows, or leave out the series.",
    "series 'tea', column 'price': two rows for 2024-01-12 (line 24 of plan.csv, line 25 of "
    "plan.csv). One row per series and time is expected: drop one, or name the keys as in the "
    "data.",
    "series 'tea', column 'price': 2024-01-12 05:00 (row 24) is not on the grid, daily from "
    "2024-01-01 on. Give the times of coming steps, or the whole table at another regular "
    "frequency.",
    "plan.csv: its times are numbers, but those of the series are dates. Give both the same kind "
    "of times.",
    "plan.csv has several rows for each time, but no column names their series. Expected is a "
    "column named as in the data ('store' and 'item'), or one row per time, shared by all series. "
    "The columns are:",
    "plan.csv: rows of 12 series that are not in the data. They are left out.",
    "products.csv has no column that names the series of a row. Expected is a column named as in "
    "the data ('item'). The columns are:",
    "products.csv has two rows for series 'tea' (line 3 and 9). One row per series is expected: "
    "drop one.",
    "a.csv: the static column 'size' changes in series 'tea': '5' in line 7, '7' in line 9. One "
    "value per series is expected. If it changes, name it with --future if it is known in "
    "advance, else with --past.",
    "the static column 'size' is missing for 2 of 9 series, the first 'a' and 'b'. It is treated "
    "as unknown there.",
    "static columns: size, group. Series with little history are forecast like those with the "
    "same values; networks read static columns if they were trained with them.",
    "a.csv: 9 rows, 1 series, 9 values, monthly (month starts), 2024-01-01 to 2024-09-01, past: a",
    "a.csv: 9 rows, 1 series, 9 values, daily, 2024-01-01 to 2024-01-09, declared count, past: a",
    "a.csv: all values of the past column 'a' are 3. A network learns nothing from it.",
    "a.csv has no column 'vv' for the past covariate. Its columns are:",
    "the column 'sales' is named as target and as past covariate. A column has one role: "
    "remove the name from one of the two.",
    "'size' does not change within a series. To use it as a static column, use --static size (in "
    "Python: static='size').",
    "series 'tea', column 'event': 'fairr' at 2024-01-12 occurs among the coming steps only. Its "
    "effect is unknown. Did you mean 'fair'?",
    "plan.csv: the column 'prize' was not used. Did you mean 'price'?",
    "shop.csv: the columns 'price' and 'promo', known in advance in the data of the model, are "
    "missing. Read the data with --future price,promo.",
    "The saved model was made with 'day' for the time and 'sales' for the target and "
    "'a', 'b' beside the target. Rename the column, or name another (--time NAME, --target NAME).",
    "The forecast of 3 steps would be recursive, but the network also reads 'a' and 'b', whose "
    "values after the data are unknown. It answers 1 step at once: use at most this horizon, or "
    "train a network with NetworkConfig(horizon=3).",
    "The training in 'm.checkpoints' belongs to another run: it was trained on other data (series "
    "'a' has changed values up to 1960-12-01, and 2 more). Series may gain values at the end, and "
    "new series may be added. Give data whose past is unchanged, name another folder, or start "
    "again without resuming.",
    "The snapshot in 'm' was written by an older lstmcast, which did not keep the transforms of "
    "its network: forecasts would not be in the units of the data. Train again, or name "
    "the transforms: weights=lstmcast.model.network.load_network(folder)[0].with_inputs("
    "Transformed(…)).",
    "m holds a snapshot of an older lstmcast: the network alone, without fitted transforms and "
    "data. Train again: newer snapshots can be loaded. To train it further or forecast with it, "
    "use weights='m': its transforms, if any, are fitted to the data.",
    "The checkpoint in 'm/member-0' is damaged: a.npz: it has 10 bytes and 16 are expected.",
    "wide.csv has 30,000 columns; at most 20,000 are read. Give it with a row per series and time "
    "(a long table), or in several files.",
    "a.csv: a series starts at 0000-01-01 and ends at 2020-01-01. A start in the years 1 to 9999 "
    "is expected: correct the times, or give another frequency.",
    "a.csv: a series starts at 1 and ends at 9007199254740999. Whole numbers up to 2^53 are "
    "expected: correct the times, or give another frequency.",
    "a.xlsx holds 9,000,000,000 bytes in a compressed file of 3,000,000: at most 300,000,000 are "
    "read. Save its table as CSV.",
    "a.xlsx has a sheet of 1,048,576 rows and 16,384 columns (to XFD1048576), empty cells "
    "included: at most 20,000,000 cells are read. Delete cells far from the table, or save only "
    "the table, or save it as CSV.",
    "/dev/zero gives more than 1,073,741,824 bytes. Write them to a file first, and read that.",
    "a.gz holds more than 300,000,000 bytes in a compressed file of 3,000,000, which is unusual "
    "for a table. If it is one, unpack it and give the unpacked file, which is read without "
    "holding all of it in memory.",
    "a.zip is a ZIP archive with 2 files: 'a.csv', 'b.csv'. One table is expected. Unpack it, and "
    "name the files.",
    "the page has more than 20,000,000 cells. Save its table as CSV.",
    "a.json: the records have 2,001 different fields. At most 2,000 are expected: one for the "
    "time, one for each column of values.",
    "a.csv: line 12 has 1e+200 in 'sales'. Values up to 1e+100 are expected. Correct it, or leave "
    "the cell empty if the value is unknown.",
    "--horizon 3 and --until 2024-01 both set how far to forecast. Give one.",
    "duckdb:///no.db: there is no such file. Correct the path in the address.",
    "'shop.db' is not the address of a database. Write it as postgresql://user@host/database?"
    "table=sales or duckdb:///shop.db?table=sales.",
    "fc@duckdb:///a.db: row 2 of the result has no value in its key (store=None), so it cannot be "
    "identified. Nothing was changed. Name other columns with --key, or write with --if-exists "
    "append.",
    "fc@duckdb:///a.db: rows 1 and 2 of the result have the same key (store=a). Nothing was "
    "changed. Name a further column with --key that distinguishes them.",
    "job.toml: the lock file of this job cannot be created in '/state/lstmcast': Permission "
    "denied. Keep the job file in a folder that you may write to, or set XDG_STATE_HOME to one.",
    "job.toml: the next run would read 'fc.csv' as data, since it matches '*.csv'. Write the "
    "result into another folder.",
    "The query is empty. Write what to read, such as SELECT 6 * 7.",
    "Name a table, a file or a query, as in lstmcast_forecast('sales').",
    "job.toml: the [checks] do not hold. Nothing was written.\n"
    "  least_skill = 0.5: found -0.3251\n  least_skill = 0.5: found not measured\n"
    "  newest = 72 hours old at most: found 2024-03-01, 120 hours ago\n"
    "  newest = 72 hours old at most: found steps without a date\n"
    "Correct the data, or change [checks].",
    "series 'b': the last value is missing. It is left out: the forecast starts after the last "
    "value.",
    "this network does not read 'a' and 'b' with the target. To use them, train a network from "
    "scratch with NetworkConfig(inputs=Transformed(…, past=['a', 'b']))",
    "no forecast for 2 of 9 series ('a', 'b'): 3 known values are needed before the cutoff, of "
    "'visits' as well",
    "no forecast for 1 of 9 series ('a'): the state of the LSTM overflowed, which can happen with "
    "activation='relu'; train longer, use a lower learning rate, or use 'tanh'",
    "continued after epoch 8 of 12: from there on, the learning rate or the share of own "
    "predictions follows a training of 16 epochs, so the result differs from 16 epochs at once",
    "continued after epoch 8 with more data (12 new values of 1 of 2 series, 2 new series): the "
    "optimiser state and the fitted transforms are kept; earlier losses are those of the earlier "
    "data, except for the best epoch so far (8), which was validated again; some windows in the "
    "validation data were trained on before",
]


@pytest.mark.parametrize("text", TOLD)
def test_what_is_seldom_said_has_its_japanese(text):
    assert not untranslated(text)


# Texts of readers and job files; what stands in brackets is said in Japanese as well.
SAID_TO_ANALYSTS = [
    "2 lines are not data: line 88 ('Summe' sums up others), line 9 ('Q1' sums up months). They "
    "were dropped.",
    "2 lines are not data: line 1 (the first and the last year), line 12 (the code for missing "
    "values). They were dropped.",
    "1 line is not data: line 2 ('2024-01-01, 0': before the header, and it looks like data). It "
    "was dropped.",
    "shop.csv: series 'tea', column 'price': two rows for 2024-03-05 (line 6 of plan.csv, line 22 "
    "of plan.csv). One row per series and time is expected: drop one, or name the keys as in the "
    "data.",
    "a.csv, column 'ds': dates such as 01/02/2024 can be read as day/month/year or as "
    "month/day/year, and the column does not show which. Choose with --day-first or --month-first.",
    "column 'MTU': ranges such as '2024-03-01 00:00 - 01:00' read as their starts.",
    "9 of 12 times have no row: the longest gap is from 2024-01-02 to 2024-01-31 (after line 62). "
    "They become missing values and are masked. If these are single events, aggregate them, with "
    "--aggregate sum for events and sales or mean for measurements, and --frequency D or longer.",
    'a.json is JSON without a table. A list of records such as [{"date": "2024-01-01", "sales": '
    '5}, …], or columns such as {"date": […], "sales": […]}, is expected.',
    "b.pdf is a PDF document. A table is expected: CSV, Excel (.xlsx) or Parquet.",
    "--sheet X would have no effect: only workbooks such as .xlsx have sheets, but none "
    "of the 2 files is one. Leave it out.",
    "Two different series are called 'a/b' when the columns 'store' and 'item' are joined with a "
    "slash. Use a single column of ids, and name it with --series NAME.",
    "shop.csv: series 'a': there are two rows for 2020-01-01 (line 61 and line 62).",
    "1 of 44 periods has no rows: 2024-01-21 of series 'b'. They count as 0.",
    "1 of 44 periods has no rows: 2024-01-21. They count as 0.",
    "--workers would have no effect: series are not read in chunks. Give --chunk 5000, or leave it "
    "out.",
    "'fc.csv' does not name a table. TABLE@URL is expected, such as forecasts@duckdb:///shop.db.",
    "'duckdb:///shop.db?timeout=soon': 'soon' is not a number of seconds. Write timeout=30.",
    "'mysql://db/shop?password=***': a password is not a parameter. Set LSTMCAST_DB_PASSWORD "
    "instead.",
    "out: another run is writing its parts. Wait until it ends.",
    "a.csv is not a Parquet file. Series are read in parts from Parquet (a file, a folder, a "
    "pattern) or from a table of DuckDB (duckdb:///shop.db?table=sales). Write other data as one "
    "of them first, for example with duckdb -c \"COPY (FROM 'sales.csv') TO 'sales.parquet'\".",
    "two scenarios are named 'none' after their files. Give files with different names.",
    "There was no time for a trial. Give more minutes.",
    "job.toml: [source] data is missing.",
    "job.toml: line 3: there is no [source] traget. Did you mean 'target'? There are: data, query.",
    'job.toml: line 5: [checks] newest: an age such as "3 days", "12 hours" or "2 weeks" is '
    "expected, not 'soon'.",
    "job.toml: line 10: [output] if_exists: must be 'replace', 'append' or 'upsert', not 'merge'.",
    "job.toml: [forecast] has both horizon and until. Give one of them.",
    "'make' is not an action of job. Use lstmcast job init DATA to write a job file, and lstmcast "
    "run to run it.",
]


@pytest.mark.parametrize("text", SAID_TO_ANALYSTS)
def test_what_stands_in_brackets_has_its_japanese_too(text):
    said = re.sub(r"'[^']*'|\"[^\"]*\"", "", JAPANESE(text))
    assert LETTERS.search(said)
    assert not re.search(r"\b(the|is|are|of|and|or|sums|looks|not|must)\b", said), said


def test_items_of_a_list_keep_their_brackets():
    dropped = (
        "3 lines are not data: line 1 (blank), line 2 ('a, b': 1 cell where 2 are expected), "
        "line 3 (blank). They were dropped."
    )
    lines = "1行目(空行)、2行目('a, b': 2セルのはずが1セル)、3行目(空行)"
    assert JAPANESE(dropped) == f"データではない行が3行：{lines}。取り除きました。"


def test_names_from_the_data_stay():
    said = JAPANESE(
        "s.csv: text in the target column 'no date': line 3 has 'naive'. Numbers are expected. "
        "Write numbers, leave cells empty where values are missing, or name another column with "
        "--target NAME."
    )
    assert "'no date'" in said and "'naive'" in said and LETTERS.search(said)


@pytest.mark.parametrize(
    "name", ["'No. of items'", '"Is it so? Yes"', "'St. Ives. 2'", "'O. K'"]
)
def test_full_stops_in_quotes_end_no_sentence(name):
    missing = f"all 12 values of {name} are missing. Is it the right target column?"
    assert JAPANESE(missing).startswith(f"{name}の12個の値がすべて")
    assert not untranslated(missing)
    twice = f"there is no file {name}. Did you mean {name}?"
    assert JAPANESE(twice).count(name) == 2 and not untranslated(twice)


def test_an_apostrophe_opens_no_quote():
    say = words(("it's late", "遅い"), ("the series' end is missing", "末尾がない"))
    assert say("it's late. the series' end is missing.") == "遅い。末尾がない。"


@pytest.mark.parametrize("target", ["Passengers. Jan 49 ? Dec 60", "No.", "a. b. c"])
def test_names_of_columns_in_a_line_stay(target):
    assert JAPANESE(f"  columns: time Month, target {target}").endswith(f" {target}")
    assert JAPANESE(f"  columns: time Month, target {target}, series No. 1").endswith(
        " No. 1"
    )
    assert JAPANESE(f"  known in advance: {target}").endswith(f"：{target}")


def test_columns_that_were_counted_are_told_in_japanese():
    assert "行番号" in JAPANESE(
        "  columns: time row numbers, target every column of numbers"
    )
    unused = JAPANESE("columns that were not used: a, b and 3 more.")
    assert unused == "使わなかった列：a, b、ほか3列。"


def test_indents_and_lines_stay():
    assert JAPANESE("  nothing to report\n\n12 months\n") == (
        "  報告事項はありません\n\n12か月\n"
    )


def test_an_unknown_language_is_refused():
    with pytest.raises(UsageError, match="Choose one of: en, ja"):
        words_of("fr")


# ---------------------------------------------------------------- nothing is left out


def test_every_message_of_the_docs_has_its_japanese():
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [
        line
        for block in blocks
        for line in block.splitlines()
        if not line.startswith("$")
    ]
    # neither what data hold nor rows of a table, which are numbers
    told = [
        line
        for line in lines
        if not re.match(r"  '|exit status|\d{4}-\d\d-\d\d +-?\d", line)
    ]
    assert len(told) > 20
    left = [line for line in told if untranslated(line.removeprefix("lstmcast: "))]
    assert not left


def rules() -> set[str]:
    """The names of all findings, from the source."""
    found = {findings.GAPS, findings.MISSING_STEPS, findings.MISSING_VALUES}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                rule = node.args[0]
                found |= {str(rule.value)} if isinstance(rule, ast.Constant) else set()
    return found


def test_every_finding_has_its_japanese():
    named = rules()
    assert len(named) > 25
    assert not [rule for rule in named if not LETTERS.search(JAPANESE(rule))]
    assert not [
        word for word in ("error:", "warning:", "note:") if JAPANESE(word) == word
    ]


MESSY = {
    "missing": "ds,y\n2024-01-01,1\n2024-01-02,\n2024-01-03,inf\n2024-01-05,4\n2024-01-06,5\n",
    "unsorted": "ds,y,x\n2024-01-03,1,a\n2024-01-01,2,b\n2024-01-02,3,c\n2024-01-04,3,d\n",
    "repeated": "ds,y\n2024-01-01,1\n2024-01-01,1\n2024-01-02,3\n2024-01-03,3\n2024-01-03,3\n",
    "constant": "ds,id,y\n" + "".join(f"2024-01-{d:02},{s},5\n" for s in "ab" for d in range(1, 9)),
    "dates": "day,y\n13/01/2024,\"1,5\"\n14/01/2024,\"2,5\"\n15/01/2024,\"3,5\"\nSource: us,\n",
    "zone": "ds,y\n2024-01-01T00:00+09:00,1\n2024-01-01T01:00+09:00,2\n2024-01-01T02:00+09:00,4\n",
    "mixed": "id,ds,y\n" + "".join(
        f"{s},{d},1\n"
        for s, days in (("a", ("2024-01-01", "2024-02-01", "2024-03-01")),
                        ("b", ("2024-01-01", "2024-01-02", "2024-01-03")),
                        ("c", ("2024-01-01", "2024-02-01", "2024-03-01")))
        for d in days
    ),
    "ragged": "id,ds,y\n" + "".join(
        f"s{s},2024-01-{d:02},{d if d != 4 else ''}\n" for s in range(9) for d in range(1, 9 + s)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSY)
def test_what_is_found_in_messy_data_is_said_in_japanese(name, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(MESSY[name], encoding="utf-8")
    found = lc.check(path)
    assert found
    assert not [text for text in (f.text for f in found) if untranslated(text)]


def test_every_frequency_has_its_japanese():
    codes = "YS YE QS QE MS ME W-MON W-SUN D B h min s integer 15min 2D 2W-TUE 3MS YS-APR QE-JAN"
    codes += " BMS BME BQE-JAN BYE-MAR SMS SME"
    names = [parse_frequency(code).name for code in codes.split()]
    assert not [name for name in names if not LETTERS.search(JAPANESE(name))]
    assert not [
        name for name in names if re.search(r"\b(every|start|day)", JAPANESE(name))
    ]


def test_every_label_of_a_picture_has_its_japanese():
    texts = [
        panes.HISTORY,
        panes.HELD_OUT,
        panes.FORECAST,
        "80% interval",
        *LABELS.values(),
    ]
    texts += [
        "12 months ahead",
        "1 step ahead (6 of 1,200 series)",
        places.NO_JAPANESE_FONT,
    ]
    assert not [text for text in texts if untranslated(text)]


def test_every_text_of_the_report_has_its_japanese():
    files = [SOURCE / "output" / name for name in ("report.html", "charts.js")]
    page = "".join(path.read_text(encoding="utf-8") for path in files)
    said = [*re.findall(r"\{\{(.+?)\}\}", page), *re.findall(r'say\("([^"]+)"', page)]
    assert len(said) > 15
    assert not [text for text in said if not LETTERS.search(JAPANESE(text))]
    names = ("_GLOSSARY", "_HELD_OUT", "_HELD", "_INSIDE")
    texts = [*(getattr(report_tables, name) for name in names), HELD_BACK]
    texts += [*cards._STARTS.values(), plan.NOTHING_HELD_BACK]
    assert not [text for text in texts if untranslated(text)]


def test_a_page_has_no_english_left():
    """Of its own: the column is called 売上, and headings such as MAE are the same everywhere."""
    values = {"店舗1": 50 + np.arange(60) % 12, "店舗2": 20 + np.arange(60) % 12}
    panel = lc.Panel.from_arrays(values, frequency="MS", start="2020-01")
    model = SeasonalNaive(6)
    made = report.Report.from_forecast(
        model.predict(panel),
        panel,
        lc.backtest(model, panel),
        made_by="毎月のレポート",
        language="ja",
    )
    page = re.sub(r"<(script|style)\b.*?</\1>", "", made.html(), flags=re.DOTALL)
    assert '<html lang="ja">' in page
    texts = [text.strip() for text in re.findall(r">([^<]+)<", page)]
    left = [
        text
        for text in texts
        if re.search(r"[a-z]{3}", text) and not LETTERS.search(text)
    ]
    assert set(left) <= {"arrays", "skill", "Holt–Winters"} | {
        t for t in left if "NumPy" in t
    }


def test_every_text_of_the_help_has_its_japanese():
    group = typer.main.get_command(app)
    texts = [group.help, *(option.help for option in group.params)]
    for command in map(command_of, COMMANDS):
        shown = [
            option for option in command.params if not getattr(option, "hidden", False)
        ]
        texts += [*command.help.split("\n\n"), *(option.help for option in shown)]
    texts = [" ".join(text.split()) for text in texts]
    left = [text for text in texts if not LETTERS.search(JAPANESE(text))]
    assert not left


# ---------------------------------------------------------------- which language


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "java"}, "en"),
        ({"LC_MESSAGES": "ja_JP", "LANG": "en_US.UTF-8"}, "ja"),
        ({"LC_ALL": "C.UTF-8", "LANG": "ja_JP.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "nonsense"}, "en"),
    ],
)
def test_the_system_says_the_language(variables, language):
    assert system_language(variables) == language


def test_a_command_speaks_the_language_of_the_system(run, tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    done = run("check", tmp_path / "nowhere.csv")
    assert "が見つかりません" in done.err
    done = run("check", tmp_path / "nowhere.csv", "--language", "en")
    assert "there is no file" in done.err


def test_the_option_goes_before_the_command_too(run, tmp_path):
    assert (
        "が見つかりません"
        in run("--language", "ja", "check", tmp_path / "nowhere.csv").err
    )
    assert (
        "が見つかりません"
        in run("check", tmp_path / "nowhere.csv", "--language=ja").err
    )


def test_the_old_option_of_example_still_counts_and_is_told(run, monkeypatch):
    from lstmcast import articles

    asked = []
    monkeypatch.setattr(
        articles, "run", lambda *a, **options: asked.append(options) or []
    )
    done = run("example", "sine", "--labels", "ja")
    assert (
        asked[-1]["language"] == "ja"
        and "--labels は --language に変わりました" in done.err
    )
    run("example", "sine", "--language", "ja")
    assert asked[-1]["language"] == "ja"
    run("example", "sine")
    assert asked[-1]["language"] == "en"


@pytest.mark.parametrize("where", [("--language", "fr", "check", "a.csv"),
                                   ("check", "a.csv", "--language", "fr")])  # fmt: skip
def test_a_language_that_is_not_there(run, where):
    done = run(*where)
    assert done.status == 2
    assert "--language 'fr' is not known. Choose one of: en, ja" in done.err


def test_wrong_usage_is_said_in_japanese(run):
    done = run("predict", "a.csv", "--language", "ja")
    assert done.status == 2
    assert "オプション --model を指定してください。使い方は" in done.err
    done = run("forecast", "a.csv", "--horizn", 3, "--language", "ja")
    assert done.status == 2 and "--horizon のことですか？" in done.err
    done = run("forecast", "a.csv", "--horizon", "x", "--language", "ja")
    assert (
        "--horizon には整数を指定してください('x' は整数ではありません)。" in done.err
    )


def test_help_is_in_japanese_and_no_line_is_too_wide(run):
    done = run("forecast", "--help", "--language", "ja")
    assert done.status == 0
    assert "予測ステップ数。省略時は" in done.out and "使い方" in done.out
    assert not ENGLISH.search(VERBATIM.sub("", done.out))
    assert max(map(width, done.out.splitlines())) <= 80
    assert "予測ステップ数" not in run("forecast", "--help").out


# ---------------------------------------------------------------- what is shown


@pytest.fixture
def monthly(tmp_path):
    path = tmp_path / "売上.csv"
    rows = [
        f"{2015 + m // 12}-{m % 12 + 1:02},{100 + m + 20 * (m % 12)}" for m in range(72)
    ]
    path.write_text("month,forecast\n" + "\n".join(rows), encoding="utf-8")
    return path


def test_a_forecast_is_told_in_japanese_and_its_columns_keep_their_names(
    run, monthly, tmp_path
):
    table = tmp_path / "f.csv"
    given = ("--horizon", 3, "--out", table, "--language", "ja")
    done = run("forecast", monthly, *given)
    assert done.status == 0
    assert "検証データでの精度：" in done.out and "ステップ別MAE" in done.out
    assert re.search(r"^ +month +予測 +80%区間", done.out, re.MULTILINE)
    assert "72行、1系列" in done.err and "書き出し先：" in done.err
    assert not ENGLISH.search(VERBATIM.sub("", done.out + done.err))
    assert table.read_text(encoding="utf-8").startswith(
        "unique_id,ds,step,forecast,q0.025"
    )


def test_columns_stand_below_each_other(run, monthly):
    lines = run(
        "forecast", monthly, "--horizon", 3, "--language", "ja"
    ).out.splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("ステップ別MAE"))
    assert len({width(line) for line in lines[first : first + 4]}) == 1


def test_what_the_library_warns_of_is_told_in_japanese(run, tmp_path, monkeypatch):
    def warned(job):
        logging.getLogger("lstmcast").warning(
            "no forecast for %d of 9 series ('a'): 1 known value is needed before the cutoff",
            1,
        )
        raise UsageError("there are no rows of data.")

    monkeypatch.setattr(CheckJob, "run", warned)
    done = run("check", tmp_path / "a.csv", "--language", "ja")
    assert done.err.startswith("9系列中1系列('a')は予測できません")
    assert not logging.getLogger("lstmcast").handlers


def test_json_stays_english(run, monthly):
    spoken = run("check", monthly, "--json", "--language", "ja").json
    assert spoken == run("check", monthly, "--json").json


def test_a_training_is_told_in_japanese(run, monthly, tmp_path):
    pytest.importorskip("torch")
    given = (
        "--weights",
        "scratch",
        "--layers",
        "2",
        "--epochs",
        "2",
        "--language",
        "ja",
    )
    files = ("--plot", tmp_path / "c.png", "--report", tmp_path / "r.html")
    done = run(
        "fit", monthly, "--horizon", 2, "--model", tmp_path / "m", *given, *files
    )
    assert done.status == 0
    assert "学習の記録：メンバー1個、2エポック" in done.out
    assert "エポック2/2、損失" in done.err
    assert not ENGLISH.search(VERBATIM.sub("", done.out + done.err))
    assert ">学習曲線" not in done.out and (tmp_path / "c.png").exists()
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<h2>学習</h2>" in page and "構成。" in page
    told = run("predict", "--model", tmp_path / "m", monthly, "--language", "ja")
    assert (
        "最初から読み込みます(データが、保存されたデータと同じ時点までさかのぼる)"
        in told.err
    )


def forecast_of(count: int = 1):
    values = {f"store {s}": 10.0 + np.arange(48) % 12 for s in range(count)}
    panel = lc.Panel.from_arrays(values, frequency="MS", start="2020-01")
    return SeasonalNaive(6).predict(panel), panel


def test_a_picture_is_drawn_in_japanese():
    plot = lc.ForecastPlot.from_forecast(*forecast_of(), language="ja")
    if plot.lacks_words:
        pytest.skip("no installed font has Japanese letters")
    figure = plot.figure()
    figure.canvas.draw()
    assert (
        figure.get_suptitle() == "y: 6か月先までの予測"
        or "6か月先までの予測" in figure.get_suptitle()
    )
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown[:2] == ["実績", "予測"]
    assert any("年" in label.get_text() for label in figure.axes[0].get_xticklabels())


def test_without_a_font_a_picture_is_english_and_it_is_said(
    run, monthly, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        fonts, "_covering", lambda families, letters: (families, letters)
    )
    plot = lc.ForecastPlot.from_forecast(*forecast_of(2), language="ja")
    figure = plot.figure()
    assert "6 months ahead" in figure.get_suptitle() and plot.lacks_words
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == [
        "history",
        "forecast",
    ]
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    done = run("forecast", monthly, "--horizon", 3, "--plot", tmp_path / "f.png")
    assert done.status == 0 and (tmp_path / "f.png").exists()
    assert "日本語のフォントがないので、図は英語です" in done.err


def test_a_learning_curve_is_drawn_in_japanese():
    from lstmcast.training_history import Epoch, History

    history = History(
        tuple(Epoch(0, e, e, 1 / e, 2 / e, 1e-3, 0.1, e == 3) for e in range(1, 4))
    )
    curve = lc.LearningCurve.from_history(history, language="ja")
    assert curve.kept_text(curve.labels) == "採用: エポック 3, 0.6667"
    assert json.loads(curve.to_json())["labels"]["title"] == "学習曲線"
    own = lc.LearningCurve.from_history(history, {"title": "記録"}, language="ja")
    assert (own.labels["title"], own.labels["loss"]) == ("記録", "損失")


@pytest.mark.parametrize(
    "call",
    [
        lambda f, p: lc.ForecastPlot.from_forecast(f, p, language="fr"),
        lambda f, p: lc.Report.from_forecast(f, p, language="fr"),
    ],
)
def test_pictures_and_pages_refuse_other_languages(call):
    with pytest.raises(UsageError, match="language='fr' is not known"):
        call(*forecast_of())


def test_a_summary_can_be_had_in_japanese():
    _, panel = forecast_of()
    summary = lc.backtest(SeasonalNaive(3), panel, cutoffs=2).summary()
    assert str(summary) == summary.text() != summary.text("ja")
    assert summary.text("ja").startswith("検証データでの精度：")


# ---------------------------------------------------------------- lines


def test_lines_break_where_japanese_may():
    text = (
        "区間(80%と95%の区間)を「予測区間」と呼びます(3行目)。"
        "`lstmcast check` で確かめられます。"
    )
    for columns in range(18, 40):
        lines = wrapped(text, columns, "  ", "    ").splitlines()
        assert max(map(width, lines)) <= columns + 2  # a mark may hang over
        assert not [line for line in lines if line.strip()[0] in "。、」)"]
        assert "".join(line.strip() for line in lines).replace(" ", "") == text.replace(
            " ", ""
        )


def test_words_of_other_letters_stay_whole():
    assert wrapped("un dépôt près d'ici… fermé", 12).splitlines() == [
        "un dépôt",
        "près d'ici…",
        "fermé",
    ]
