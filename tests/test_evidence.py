"""Measured numbers of README, docs and model card are what the result files say, and each file
says where its numbers come from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc

ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "evidence"
FILES = sorted((EVIDENCE / "results").rglob("*.json"))
# The modules of evidence/ are scripts beside each other: they are imported as the command does.
sys.path.insert(0, str(EVIDENCE))
import bootstrap  # noqa: E402
import card  # noqa: E402
import claims  # noqa: E402
import compared_tables  # noqa: E402
import fill  # noqa: E402
import records  # noqa: E402

sys.path.remove(str(EVIDENCE))
RESULTS = records.read_results(weights=records.shipped_weights())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------- the files


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_result_says_where_it_comes_from(file):
    result = json.loads(file.read_text(encoding="utf-8"))
    assert not records.missing_in(result)
    assert (
        result["name"]
        == file.relative_to(EVIDENCE / "results").with_suffix("").as_posix()
    )


def test_commits_are_those_of_this_repository():
    if subprocess.run(["git", "-C", ROOT, "rev-parse"], capture_output=True).returncode:
        pytest.skip("no git repository: a source archive")
    found = {
        json.loads(file.read_text(encoding="utf-8"))["commit"].split()[1]
        for file in FILES
    }
    for commit in found:
        words = ["git", "-C", str(ROOT), "cat-file", "-e", f"{commit}^{{commit}}"]
        assert not subprocess.run(words, capture_output=True).returncode, commit


def test_a_header_without_seed_or_with_a_vague_commit_is_found():
    whole = dict.fromkeys(records.HEADER, "x") | {"commit": "measured 0123abc"}
    assert not records.missing_in(whole)
    assert records.missing_in(whole | {"seed": "", "commit": "the newest"}) == [
        "seed",
        "commit",
    ]


def test_new_results_get_a_header(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    headers = __import__("headers")
    if subprocess.run(["git", "-C", ROOT, "rev-parse"], capture_output=True).returncode:
        pytest.skip("no git repository: a source archive")
    made = headers.header("m3")
    assert made["data"] == ["m3"] and records.COMMIT.fullmatch(made["commit"])
    assert not headers.header("unheard-of")["data"]
    assert "does not name the data sets of 'unheard-of'" in capsys.readouterr().out


# ---------------------------------------------------------------- the pages


@pytest.mark.parametrize("page", fill.pages(), ids=name_of)
def test_numbers_are_what_the_results_say(page):
    shown = page.read_text(encoding="utf-8")
    now, missing = fill.filled(shown, RESULTS)
    for what in missing:  # only what was not measured yet
        assert re.search(r"'(\w+)'\)$", what)[1] not in RESULTS, what
    assert now == shown, "run `make evidence`"


def test_the_card_is_what_the_results_say():
    assert not fill.card.refresh(check=True)


def test_every_table_and_claim_is_shown():
    texts = [page.read_text(encoding="utf-8") for page in fill.pages()]
    blocks = {block["name"] for text in texts for block in fill.BLOCK.finditer(text)}
    assert blocks == set(fill.TABLES)
    shown = {
        (one["file"], one["key"])
        for text in texts
        for one in claims.CLAIM.finditer(text)
    }
    assert shown >= set(claims.CLAIMS)
    assert shown - set(claims.CLAIMS) == {
        ("notes", key) for key in RESULTS["notes"]["values"]
    }


def test_the_results_are_those_of_the_shipped_network():
    stale = records.read_results().keys() - RESULTS.keys()
    assert not stale & fill.TABLES.keys(), "run `make bench`, then `make evidence`"


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_readme_has_no_number_of_its_own(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    prose = fill.BLOCK.sub(
        "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    prose = claims.CLAIM.sub("", re.sub(r"`[^`]*`", "", prose))
    measured = set(re.findall(r"\d[\d.,]* ?(?:%|s\b|ms\b|µs|MB\b|秒)", prose))
    assert measured <= {"80%", "95%"}, "derive it: see evidence/README.md"


def test_a_number_that_disagrees_is_corrected():
    page = "that is 99.9<!-- evidence: nab standard --> points"
    now, missing = fill.filled(page, RESULTS)
    measured = next(row["standard"] for row in RESULTS["nab"]["rows"])
    assert now == page.replace("99.9", f"{measured:.1f}") and not missing


def test_a_number_without_result_stays_and_is_named():
    page = "that is 99.9<!-- evidence: nab unheard-of --> points"
    now, missing = fill.filled(page, RESULTS)
    assert now == page and missing == [
        "nab unheard-of (no such number: ('nab', 'unheard-of'))"
    ]


def test_a_check_writes_nothing_and_names_the_page(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("99.9<!-- evidence: nab standard -->\n")
    monkeypatch.setattr(fill, "pages", lambda: [page])
    monkeypatch.setattr(fill, "ROOT", tmp_path)
    assert fill.main(check=True) == 1
    assert capsys.readouterr().out == (
        "page.md: disagrees with the results: run `make evidence`\n"
    )
    assert page.read_text().startswith("99.9")
    assert fill.main() == 0
    assert not page.read_text().startswith("99.9")


def test_a_table_without_results_stays_and_is_named(tmp_path):
    page = "<!-- bench:ar1 -->\nas before\n<!-- /bench -->\n"
    assert fill.filled(page, {}) == (page, ["ar1 (no result of these weights: 'ar1')"])
    made = {
        "date": "2030-01-02",
        "commit": "measured 0123abc",
        "threads": "1",
        "machine": {"cpu": "Z80", "cores": 1},
    }
    made |= {
        "versions": {"lstmcast": "0", "python": "3"},
        "protocol": "How it was done.",
        "weights_sha256": "a1",
    }
    rows = [
        {"forecast": "optimal", "mae": 0.8, "rmse": 1.0},
        {"forecast": "head", "mae": 0.81, "ratio_mae": 1.0125},
    ]
    (tmp_path / "ar1.json").write_text(json.dumps(made | {"rows": rows}))
    assert not records.read_results(tmp_path, weights="b2")
    now, missing = fill.filled(page, records.read_results(tmp_path, weights="a1"))
    assert not missing
    assert "| optimal | 0.8000 | 1.0000 | – |" in now
    assert "| head | 0.8100 | – | 1.012 |" in now
    assert "How it was done." in now and "2030-01-02" in now and "as before" not in now


# ---------------------------------------------------------------- how certain they are


def test_the_bootstrap_draws_whole_data_sets():
    # Two data sets that disagree: of one of them, a hundred series say no more than one.
    many = bootstrap.ratio_interval(
        [0.5] * 100 + [2.0] * 100, ["a"] * 100 + ["b"] * 100
    )
    assert many.clusters == 2
    assert (many.lower, many.upper) == pytest.approx((0.5, 2.0))
    apart = bootstrap.ratio_interval([0.5, 2.0] * 100, [str(i) for i in range(200)])
    assert 0.85 < apart.lower < 1 < apart.upper < 1.15


def test_the_bootstrap_covers_what_it_promises():
    rng, inside = np.random.default_rng(0), 0
    clusters = np.repeat([str(i) for i in range(25)], 4)
    for _ in range(40):
        shared = np.repeat(rng.normal(size=25), 4) + 0.3 * rng.normal(size=100)
        found = bootstrap.ratio_interval(np.exp(shared), clusters)
        inside += found.lower <= 1 <= found.upper
    assert inside >= 34


def test_parts_of_one_competition_are_one_data_set():
    _, sets = compared_tables.shipped(RESULTS)
    interval, _ = compared_tables.shipped(RESULTS)
    assert sets == 50 and interval.clusters < 40
    assert interval.mean == pytest.approx(
        RESULTS["shipped"]["geometric_mean_to_seasonal_naive"], abs=1e-4
    )


def test_text_under_japanese_tables_has_japanese_commas():
    written = fill.TABLES["headline-ja"](RESULTS) + fill.TABLES["weak-ja"](RESULTS)
    text = [line for line in written.splitlines() if not line.startswith("|")]
    assert any("測定日" in line for line in text)
    assert not [line for line in text if ", " in line or "。 " in line]


def test_the_card_counts_the_weights_of_the_shipped_network():
    members = lc.LSTMForecaster(1).network.members
    weights = sum(array.size for arrays in members for array in arrays.values())
    assert card.parameters() == weights
    assert f"{weights:,} parameters" in card.CARD.read_text(encoding="utf-8")
