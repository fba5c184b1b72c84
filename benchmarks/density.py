"""How densely the package is written: tokens per line of code, names that say little, long parts.

    make density                                            the whole package, its densest files
    .venv/bin/python benchmarks/density.py --files 20 --names     more of them, words used as names
    .venv/bin/python benchmarks/density.py --tighten        lower the limits of the test to today's

`tests/test_density.py` holds what is measured here to `density.json`, whose limits only get lower.

- *Tokens per line of code*: tokens without comments, docstrings and line ends, over the lines on
  which one begins. An f-string is one token, as any string is. Data, such as a table of tuples,
  counts like code.
- *Bindings* are assigned names, loop variables, names of `with`, fields of classes and parameters
  but `self` and `cls`. A name is *bare* if it is one of `BARE_WORDS`, which say that there is
  something and not what, or one small letter. Capitals are shapes, whose legend is at the top of a
  file.
- *Nested conditions* are conditional expressions inside of a comprehension or of the arguments of a
  call.
- A function or class has the lines from `def` or `class` to its end, docstring included.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "lstmcast"
LIMITS = ROOT / "benchmarks" / "density.json"

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
LONGEST_CLASS = 300

# Participles, pronouns, adverbs and fillers: what they name could be anything.
_WORDS = """
after all alone anew apart asked at back bad before begun beside best both by called chosen
counted described done drawn each every everything few filled found free full fresh given held
here how inside item it joined kept known last later least left listed made many more most moved
named new next none nothing now obj old one other others ours out own part parts raw res rest
result ret said same seen several shown some taken temp that theirs there thing things told tmp
tried two used usual val wanted what whole why without written wrong
"""
BARE_WORDS = frozenset(_WORDS.split())

NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Measures:
    """What is counted in one file, or in several together."""

    tokens: int = 0
    code_lines: int = 0
    bindings: int = 0
    bare_names: Counter[str] = field(default_factory=Counter)
    nested_conditions: int = 0
    long_files: dict[str, int] = field(default_factory=dict)
    long_functions: dict[str, int] = field(default_factory=dict)
    long_classes: dict[str, int] = field(default_factory=dict)

    @property
    def density(self) -> float:
        """Tokens per line of code."""
        return self.tokens / max(self.code_lines, 1)

    @property
    def bare_share(self) -> float:
        """Share of the bindings whose names say little, in percent."""
        return 100 * self.bare_names.total() / max(self.bindings, 1)

    def add(self, other: Measures) -> None:
        """Count another file as well."""
        self.tokens += other.tokens
        self.code_lines += other.code_lines
        self.bindings += other.bindings
        self.bare_names += other.bare_names
        self.nested_conditions += other.nested_conditions
        self.long_files |= other.long_files
        self.long_functions |= other.long_functions
        self.long_classes |= other.long_classes


def measure(name: str, text: str) -> Measures:
    """The measures of one module with that name and text."""
    measures = Measures()
    measures.tokens, measures.code_lines = _tokens_and_lines(text)
    tree = ast.parse(text)
    names = list(_bound_names(tree))
    measures.bindings = len(names)
    measures.bare_names = Counter(word for word in names if _is_bare(word))
    measures.nested_conditions = _nested_conditions(tree)
    lines = len(text.splitlines())
    if lines > LONGEST_FILE:
        measures.long_files[name] = lines
    for path, node in _definitions(tree):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if isinstance(node, ast.ClassDef) and lines > LONGEST_CLASS:
            measures.long_classes[f"{name}:{path}"] = lines
        if isinstance(node, FUNCTIONS) and lines > LONGEST_FUNCTION:
            measures.long_functions[f"{name}:{path}"] = lines
    return measures


def measure_package(source: Path = SOURCE) -> dict[str, Measures]:
    """The measures of each file below a folder, by its path in there."""
    measures = {}
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        measures[name] = measure(name, path.read_text(encoding="utf-8"))
    return measures


def together(by_file: dict[str, Measures]) -> Measures:
    """The measures of all files as one."""
    total = Measures()
    for measures in by_file.values():
        total.add(measures)
    return total


def _tokens_and_lines(text: str) -> tuple[int, int]:
    tokens = 0
    lines = set()
    begins_statement = True
    depth = 0  # of f-strings, which are several tokens from Python 3.12 on
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if token.type in NOT_CODE:
            begins_statement = True
            continue
        inside = depth > 0
        depth += (kind == "FSTRING_START") - (kind == "FSTRING_END")
        if inside or (begins_statement and _is_docstring(token)):
            continue
        begins_statement = False
        tokens += 1
        lines.add(token.start[0])
    return tokens, len(lines)


def _is_docstring(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.STRING and token.string.lstrip("rRbBuU").startswith(
        '"""'
    )


def _bound_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg) and node.arg not in ("self", "cls"):
            yield node.arg


def _is_bare(name: str) -> bool:
    if len(name) == 1:
        return name != "_" and name.islower()
    return name.lstrip("_") in BARE_WORDS


def _nested_conditions(tree: ast.AST) -> int:
    counted = set()
    for outer in ast.walk(tree):
        if isinstance(outer, COMPREHENSIONS):
            inner = [outer]
        elif isinstance(outer, ast.Call):
            inner = [*outer.args, *outer.keywords]
        else:
            continue
        for node in inner:
            counted |= {
                id(child) for child in ast.walk(node) if isinstance(child, ast.IfExp)
            }
    return len(counted)


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, *FUNCTIONS)):
            path = f"{prefix}{node.name}"
            yield path, node
            yield from _definitions(node, f"{path}.")
        else:
            yield from _definitions(node, prefix)


def limits_of(total: Measures) -> dict:
    """What `density.json` says of a package with these measures."""
    return {
        "tokens per line": round(total.density + 0.005, 2),
        "bare names in percent": round(total.bare_share + 0.005, 2),
        "nested conditions": total.nested_conditions,
        "files": total.long_files,
        "functions": total.long_functions,
        "classes": total.long_classes,
    }


def beyond(limits: dict, total: Measures) -> list[str]:
    """What is beyond its limit, in words: empty if all is within."""
    problems = []
    today = limits_of(total)
    for name, value in today.items():
        limit = limits[name]
        if isinstance(value, dict):
            problems += _grown(name, limit, value)
        elif value > limit:
            problems.append(f"{name}: {value}, the limit is {limit}")
    return problems


def _grown(kind: str, limits: dict[str, int], today: dict[str, int]) -> list[str]:
    usual = {
        "files": LONGEST_FILE,
        "functions": LONGEST_FUNCTION,
        "classes": LONGEST_CLASS,
    }[kind]
    problems = []
    for name, lines in today.items():
        limit = limits.get(name, usual)
        if lines > limit:
            problems.append(f"{name}: {lines} lines, the limit is {limit}")
    return problems


def tightened(limits: dict, total: Measures) -> dict:
    """The limits, lowered to the measures; none is raised and no exception is added."""
    lower = {}
    for name, value in limits_of(total).items():
        limit = limits[name]
        if isinstance(value, dict):
            still_long = value.keys() & limit.keys()
            lower[name] = {
                key: min(value[key], limit[key]) for key in sorted(still_long)
            }
        else:
            lower[name] = min(value, limit)
    return lower


def report(by_file: dict[str, Measures], files: int, names: bool) -> None:
    """Print what was measured."""
    total = together(by_file)
    conditions = total.nested_conditions
    print(f"{total.density:.2f} tokens per line of code ({total.code_lines:,} lines)")
    print(f"{total.bare_share:.2f}% of {total.bindings:,} bindings have bare names")
    print(f"{conditions} conditional expressions inside comprehensions and calls")
    for kind in ("files", "functions", "classes"):
        too_long = getattr(total, f"long_{kind}")
        print(f"{len(too_long)} {kind} are too long")
        for name, lines in sorted(too_long.items(), key=lambda entry: -entry[1]):
            print(f"  {lines:5} {name}")
    print("densest files, by the tokens that they have beyond 8.5 a line:")
    excess = {
        name: file.tokens - 8.5 * file.code_lines for name, file in by_file.items()
    }
    for name in sorted(excess, key=excess.__getitem__, reverse=True)[:files]:
        print(f"  {excess[name]:5.0f} {by_file[name].density:5.1f} {name}")
    if names:
        print(
            *(f"{count:5} {name}" for name, count in total.bare_names.most_common()),
            sep="\n",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--files", type=int, default=10, help="how many of the densest files"
    )
    parser.add_argument(
        "--names", action="store_true", help="list bare names, most common first"
    )
    parser.add_argument(
        "--tighten", action="store_true", help="lower the limits to today's"
    )
    options = parser.parse_args()
    by_file = measure_package()
    report(by_file, options.files, options.names)
    if options.tighten:
        limits = json.loads(LIMITS.read_text(encoding="utf-8"))
        lower = tightened(limits, together(by_file))
        LIMITS.write_text(json.dumps(lower, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
