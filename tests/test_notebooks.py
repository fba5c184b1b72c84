"""The notebooks of the docs: made from their sources, and running from top to bottom."""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]


def script():
    specification = importlib.util.spec_from_file_location(
        "run_notebooks", ROOT / "docs" / "run_notebooks.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


notebooks = script()
SOURCES = notebooks.sources()
RENEW = "run `make notebooks`, and read what changed"
# Less training, so that a notebook runs in seconds.
SHORTER = {
    "airline": {
        r'": \d+': '": 2',
        r"\(horizon=12\)\.fit\(known\)": "(horizon=12)",
    },
    "sine": {r'": \d+': '": 1', r"per_epoch=\d+": "per_epoch=2"},
    "sine-cosine": {r"per_epoch=\d+": "per_epoch=1"},
    "stocks": {r"STOCKS, TICKS = 400, 2000": "STOCKS, TICKS = 20, 200"},
    "temperature": {r"epochs=\d+": "epochs=2"},
}


def name_of(path: Path) -> str:
    return path.stem


def source_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def notebook_of(path: Path):
    return nbformat.read(path.with_suffix(".ipynb"), as_version=4)


def outputs_of(notebook) -> list:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


every_notebook = pytest.mark.parametrize("path", SOURCES, ids=name_of)


def test_there_is_one_for_each_article():
    pages = {page.stem for page in (ROOT / "docs" / "articles").glob("*.md")} - {
        "shapes"
    }
    assert {path.stem for path in SOURCES} == pages == notebooks.ARTICLES.keys()
    assert {
        path.stem for path in (ROOT / "docs" / "notebooks").glob("*.ipynb")
    } == pages


# ---------------------------------------------------------------- what is kept


@every_notebook
def test_a_notebook_is_valid_and_has_the_cells_of_its_source(path):
    notebook = notebook_of(path)
    nbformat.validate(notebook)
    kinds = {"markdown": notebooks.TEXT}
    kept = [(kinds.get(cell.cell_type, ""), cell.source) for cell in notebook.cells]
    cells = notebooks.cells_of(source_of(path))
    titled = [
        (cell.kind if cell.kind == notebooks.TEXT else "", cell.body) for cell in cells
    ]
    assert kept == titled, RENEW
    assert 10 <= len(cells) <= 25


@every_notebook
def test_its_settings_are_those_of_the_example(path):
    [code] = [
        cell.body
        for cell in notebooks.cells_of(source_of(path))
        if cell.kind == "settings"
    ]
    names = {"lc": notebooks.lc}
    exec(code, names)
    for name, value in notebooks.ARTICLES[path.stem]().items():
        assert names[name] == value, RENEW


@every_notebook
def test_it_was_run_from_top_to_bottom(path):
    notebook = notebook_of(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = [output.output_type for output in outputs_of(notebook)]
    assert (
        {"stream", "display_data"}
        <= set(kinds)
        <= {"stream", "display_data", "execute_result"}
    )
    assert kinds.count("display_data") >= 2
    assert [cell.id for cell in notebook.cells] == [
        f"{path.stem}-{number:02}" for number in range(1, len(notebook.cells) + 1)
    ]


@every_notebook
def test_its_outputs_do_not_tell_where_and_when_it_was_made(path):
    outputs = [
        text
        for output in outputs_of(notebook_of(path))
        for kind, text in [
            ("", output.get("text", "")),
            *output.get("data", {}).items(),
        ]
        if kind != "image/png"
    ]
    text = "\n".join(outputs)
    assert text
    # folders of a machine, addresses of objects, durations
    assert not re.search(
        r"(?<![\w.<])/(?:home|root|tmp|work|usr|Users|var)/|[A-Z]:\\", text
    )
    assert not re.search(r"0x[0-9a-f]{6}|\bseconds\b|\d s\b", text)


def test_together_they_are_small():
    sizes = [path.with_suffix(".ipynb").stat().st_size for path in SOURCES]
    assert sum(sizes) < 1_500_000


@every_notebook
def test_it_uses_public_names_and_links_to_both_pages(path):
    source = source_of(path)
    for name in re.findall(r"\blc\.(\w+)", source):
        assert name in notebooks.lc.__all__, name
    modules = re.findall(r"^(?:from|import) (lstmcast[\w.]*)", source, re.MULTILINE)
    assert set(modules) <= {"lstmcast", "lstmcast.data.examples"}
    links = re.findall(r"\]\(([^)]+)\)", source)
    assert links[:2] == [
        f"../articles/{path.stem}.md",
        f"../ja/articles/{path.stem}.md",
    ]
    assert all((path.parent / link).is_file() for link in links)


# ---------------------------------------------------------------- running


def stocks_data():
    return notebooks.stocks.simulated(seed=0)


def temperature_data():
    return notebooks.temperature.temperatures(notebooks.temperature.MANY)[1]


def sine_cosine_data():
    return notebooks.sine_cosine.data().values


@pytest.mark.parametrize(
    ("name", "shown", "data"),
    [
        ("stocks", "prices", stocks_data),
        ("temperature", "panel.values", temperature_data),
        ("sine-cosine", "panel.values", sine_cosine_data),
        ("sine", "sine", lambda: notebooks.waves.data("sine", 200).values),
        ("sine", "beats", lambda: notebooks.waves.data("beats", 200).values),
    ],
)
def test_its_data_are_those_of_the_example(name, shown, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for cell in notebooks.cells_of(
        source_of(ROOT / "docs" / "notebooks" / f"{name}.py")
    ):
        if cell.kind == "settings":
            break
        if not cell.kind:
            notebooks.run(name, cell.body, names)
    notebooks.plt.close("all")
    np.testing.assert_allclose(eval(shown, names), data(), rtol=1e-12, atol=1e-12)


@every_notebook
def test_it_runs_with_less_training(path, tmp_path, monkeypatch):
    source = source_of(path)
    for long, short in SHORTER[path.stem].items():
        assert re.search(long, source)
        source = re.sub(long, short, source)
    monkeypatch.chdir(tmp_path)
    now, kept = (
        notebooks.executed(path.stem, notebooks.cells_of(source)),
        notebook_of(path),
    )
    nbformat.validate(now)

    def shown(notebook) -> list[list[str]]:
        return [
            [output.output_type for output in cell.get("outputs", ())]
            for cell in notebook.cells
        ]

    assert shown(now) == shown(kept), RENEW


def test_the_examples_of_the_script_are_true():
    assert doctest.testmod(notebooks) == (0, 3)


def test_a_cell_that_fails_is_named():
    cells = notebooks.cells_of("# %%\nx = 1\n\n# %%\nprint(x)\n1 / (x - 1)\n")
    with pytest.raises(ZeroDivisionError) as raised:
        notebooks.executed("broken", cells)
    assert raised.value.__notes__ == ["in broken, cell 2"]


def test_outputs_are_those_of_jupyter():
    code = "import matplotlib.pyplot as plt\nprint('a')\nplt.plot([1, 2])\nplt.show()\n"
    [cell] = notebooks.executed("n", [notebooks.Cell("", code)]).cells
    assert [output.output_type for output in cell.outputs] == ["stream", "display_data"]
    twice = [
        notebooks.executed("n", notebooks.cells_of(f"# %%\n{code}1 + 1"))
        for _ in range(2)
    ]
    assert json.dumps(twice[0]) == json.dumps(twice[1])
    assert twice[0].cells[0].outputs[1].data == {"text/plain": "2"}


def test_text_before_the_first_cell_is_refused():
    with pytest.raises(ValueError, match="starts with a line `# %%`"):
        notebooks.cells_of("import numpy\n# %%\n")


def test_settings_are_renewed_from_the_example():
    lc = notebooks.lc
    source = "# %% [markdown]\n# A\n\n# %% settings\nold = 1\n\n# %%\nold\n"
    training = lc.TrainingConfig(epochs=3, validation=None, average=lc.Ema(0.9))
    renewed = notebooks.with_settings(source, {"training": training})
    cells = notebooks.cells_of(renewed)
    assert [cell.kind for cell in cells] == ["[markdown]", "settings", ""]
    assert "old" not in cells[1].body and cells[2].body == "old"
    names = {"lc": lc}
    exec(cells[1].body, names)
    assert names["training"] == training
    assert notebooks.with_settings(renewed, {"training": training}) == renewed


def test_settings_that_cannot_be_written_are_refused():
    lc = notebooks.lc
    apart = lc.Transformed(lc.Chain((lc.Difference(), lc.MinMax()), apart=True))
    with pytest.raises(ValueError, match="cannot be written as code"):
        notebooks.written(apart)


def test_a_notebook_is_written_beside_its_source(tmp_path, capsys):
    source = tmp_path / "stocks.py"
    source.write_text(
        "# %%\nimport lstmcast as lc\n\n# %% settings\n\n# %%\nlearning.chunk\n"
    )
    notebooks.main([str(source)])
    assert "learning = lc.Learning(" in source_of(source)
    [*_, last] = notebook_of(source).cells
    assert last.outputs[0].data["text/plain"] == str(
        notebooks.stocks.OURS.learning.chunk
    )
    assert capsys.readouterr().out.startswith("stocks.ipynb: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "stocks.ipynb",
        "stocks.py",
    ]


@pytest.mark.parametrize("name", ["weather.py", "stocks.ipynb"])
def test_what_is_no_source_is_refused(name, tmp_path):
    with pytest.raises(SystemExit, match=rf"{name} is the source of no notebook"):
        notebooks.main([str(tmp_path / name)])
