"""Rules about the whole: what a forecast imports, which packages are used where."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import lstmcast

SOURCE = Path(lstmcast.__file__).parent
MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))

# Where a package may be imported at all, wherever in the file the import stands.
HOMES = {
    "torch": ("training/",),
    "matplotlib": ("output/", "util/fonts.py", "articles/"),
    "typer": ("cli/",),
    "safetensors": ("store.py", "interop/"),
    "statsforecast": ("evaluation/",),
    "charset_normalizer": ("data/",),
    "python_calamine": ("data/",),
    "xlsxwriter": ("writing/",),
    "h5py": ("interop/",),
    "narwhals": ("data/",),
    "fastapi": ("server/",),
    "starlette": ("server/",),
    "uvicorn": ("server/",),
    "onnx": ("export/",),
    "optuna": ("tuning/suggest.py",),
}
# Packages that cost a tenth of a second or more: never imported at the top of a module outside
# their home.
SLOW = {
    "duckdb",
    "narwhals",
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "scipy",
    "statsforecast",
}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse((SOURCE / module).read_text(encoding="utf-8"))


def imports(module: str, *, top_level: bool = False) -> set[str]:
    tree = tree_of(module)
    nodes = tree.body if top_level else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


# What Windows does not have.
POSIX = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
WITHOUT_POSIX = f"""
import sys
from pathlib import Path
import numpy, pydantic, typer, threadpoolctl  # which look for them themselves
for name in {POSIX}:
    sys.modules[name] = None
import lstmcast as lc
from lstmcast.util.files import locked
forecast = lc.LSTMForecaster(2).predict([3.0, 5, 4, 6, 5, 7])
forecaster = lc.LSTMForecaster(2)
forecaster.save("model", [3.0, 5, 4, 6, 5, 7])
assert (lc.load("model").predict().point == forecast.point).all()
with locked(Path("locks/.lock")) as had:
    assert had
"""


def test_models_are_saved_and_loaded_without_what_only_posix_has(tmp_path):
    command = [sys.executable, "-c", WITHOUT_POSIX]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)


def test_packages_stay_in_their_homes():
    strays = {
        module: package
        for module in MODULES
        for package in imports(module) & HOMES.keys()
        if not module.startswith(HOMES[package])
    }
    assert not strays


def test_nothing_is_pickled():
    assert not [module for module in MODULES if "pickle" in imports(module)]


def test_slow_packages_are_imported_where_they_are_used():
    strays = {
        module: imports(module, top_level=True) & SLOW
        for module in MODULES
        if not module.startswith("training/")
    }
    assert not {module: slow for module, slow in strays.items() if slow}


def loaded_after(code: str) -> set[str]:
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("\n")[-2].split())


FRAMEWORKS = {
    "torch",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "statsforecast",
    "sklearn",
    "jax",
    "tensorflow",
}


def test_forecasting_a_file_loads_no_framework(tmp_path):
    rows = "\n".join(
        f"20{y}-{m:02}-01,{100 + 10 * m + y}"
        for y in range(10, 20)
        for m in range(1, 13)
    )
    (tmp_path / "sales.csv").write_text(f"month,sales\n{rows}\n")
    loaded = loaded_after(
        "import lstmcast as lc\n"
        f"panel = lc.read({str(tmp_path / 'sales.csv')!r})\n"
        "lc.LSTMForecaster(horizon=12).predict(panel)\n"
    )
    assert not loaded & (FRAMEWORKS | {"matplotlib", "rich"})


def test_help_waits_for_no_numbers_and_no_options_of_other_commands():
    code = (
        "from lstmcast.cli import app\n"
        "made = []\n"
        "command_of = app.command_of\n"
        "app.command_of = lambda name: made.append(name) or command_of(name)\n"
        "for asked in (['--help'], ['forecast', '--help']):\n"
        "    try:\n"
        "        app.main(asked)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "assert made == ['forecast'], made\n"
    )
    assert not loaded_after(code) & (FRAMEWORKS | {"numpy", "duckdb"})


def test_settings_have_a_validator_from_their_first_use_on():
    code = (
        "from lstmcast.training_config import Ema, TrainingConfig\n"
        "from lstmcast.util import config\n"
        "assert not config.adapter.cache_info().currsize\n"
        "Ema()\n"
        "assert config.adapter.cache_info().currsize == 1\n"
    )
    assert "pydantic" in loaded_after(code)


def test_a_forecaster_that_is_not_trained_checks_no_settings_of_training():
    code = (
        "import lstmcast as lc\n"
        "from lstmcast.util import config\n"
        "lc.LSTMForecaster(12)\n"
        "made = config.adapter.cache_info().currsize\n"
        "lc.TrainingConfig(), lc.Optimiser()\n"
        "assert config.adapter.cache_info().currsize >= made + 2\n"
    )
    assert "lstmcast" in loaded_after(code)


def test_a_job_does_not_wait_for_others():
    code = "from lstmcast.jobs import CheckJob\n"
    code += "import sys\n"
    code += "assert 'lstmcast.jobs.training' not in sys.modules\n"
    assert "lstmcast" in loaded_after(code)


def test_drawing_needs_no_window_system():
    code = (
        "import lstmcast as lc, numpy as np, sys\n"
        "panel = lc.Panel.from_arrays(np.arange(50.0), frequency='MS', start='2020-01')\n"
        "from lstmcast.evaluation.baselines import Naive\n"
        "lc.ForecastPlot.from_forecast(Naive().predict(panel, 3), panel).figure()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    assert not loaded_after(code) & FRAMEWORKS


def test_rules_of_findings_are_compared_by_constant():
    """A rule that is renamed must not silently match nothing."""
    compared = [
        (module, node.lineno)
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Compare) and _is_rule_with_text(node)
    ]
    assert not compared


def _is_rule_with_text(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    of_rule = [s for s in sides if isinstance(s, ast.Attribute) and s.attr == "rule"]
    texts = [part for side in sides for part in ast.walk(side) if _is_text(part)]
    return bool(of_rule and texts)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
