"""The body of a request: JSON, or files with options in a form. Long ones are read in a thread, so
that other requests are answered meanwhile."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from lstmcast.data.limits import allowing
from lstmcast.jobs import Source
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.settings import Limits
from lstmcast.server.sources import History, Table
from lstmcast.util.patterns import pattern_of

Model = TypeVar("Model", bound=BaseModel)
JSON, FORM = "application/json", "multipart/form-data"
FILE = "file"  # the form field that holds a table
SHORT = 100_000  # bytes up to which reading is faster than starting it in a thread
MOST_FILES, MOST_FIELDS, LONGEST_FIELD = 20, 100, 100_000
_LONGEST_NAME = 100
_ODD = pattern_of(r"[\x00-\x1f\x7f/\\:*?\[\]\"<>|]")


class Upload(NamedTuple):
    """An uploaded file: its name and content."""

    name: str
    content: bytes


class Asked(NamedTuple):
    """A parsed request: its fields and its files."""

    fields: Any
    files: Sequence[Upload] = ()

    @contextmanager
    def source(self, limits: Limits) -> Iterator[Source | None]:
        """Its data, to be read in the block; None if there are none. Files are in a temporary
        folder meanwhile."""
        if isinstance(self.fields, History):
            yield self.fields.source()
        elif isinstance(self.fields, Table):
            allowance = limits.of_files(len(self.files))
            with (
                tempfile.TemporaryDirectory(prefix="lstmcast-") as folder,
                allowing(allowance),
            ):
                yield self.fields.source(written(self.files, Path(folder)))
        else:
            yield None


async def asked(
    request: Request,
    as_json: type[BaseModel],
    as_form: type[BaseModel],
    aside: Callable[..., Any],
    bodyless: type[BaseModel] | None = None,
) -> Asked:
    """Parse a request; `aside` runs a function in a thread, `bodyless` is the model of a JSON
    object without a history. Raises Problem, ValidationError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as form:
            fields, files = await _of_form(form)
        return Asked(as_form.model_validate(fields), files)
    if kind not in (JSON, ""):
        raise Problem(415, f"Send {JSON} or {FORM}, not {kind[:80]!r}.", "content-type")
    body = await request.body()
    if not body.strip() and bodyless is not None:
        return Asked(bodyless())
    if len(body) < SHORT:
        return Asked(_of_json(body, as_json, bodyless))
    return Asked(await aside(_of_json, body, as_json, bodyless))


async def json_of(
    request: Request, model: type[Model], aside: Callable[..., Any]
) -> Model:
    """Parse the JSON object of a request. Raises Problem, ValidationError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (JSON, ""):
        raise Problem(415, f"Send {JSON}, not {kind[:80]!r}.", "content-type")
    body = await request.body()
    if len(body) < SHORT:
        return model.model_validate_json(body)
    return await aside(model.model_validate_json, body)


def _of_json(
    body: bytes, model: type[BaseModel], bodyless: type[BaseModel] | None
) -> BaseModel:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        missing = [
            detail["loc"] for detail in error.errors() if detail["type"] == "missing"
        ]
        if bodyless is None or ("series",) not in missing:
            raise
    return bodyless.model_validate_json(body)


async def _of_form(form: FormData) -> tuple[dict[str, Any], list[Upload]]:
    """The options of a form (lists if given several times), and its files."""
    fields: dict[str, Any] = {}
    files: list[Upload] = []
    for name in form:
        values = form.getlist(name)
        sent = [value for value in values if isinstance(value, UploadFile)]
        if name == FILE:
            files += [
                Upload(value.filename or "", await value.read()) for value in sent
            ]
        if name != FILE or len(sent) < len(values):
            fields[name] = _texts(name, values)
    if not files:
        raise Problem(
            UNUSABLE, f"No table was sent. Send it as the file {FILE!r}.", FILE
        )
    return fields, files


def _texts(name: str, values: Sequence[UploadFile | str]) -> str | list[str]:
    """The values of a field that is not a file. Raises Problem."""
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise Problem(
            UNUSABLE, f"{name[:80]!r} is a file, but a text is expected.", name[:80]
        )
    if name == FILE:
        raise Problem(UNUSABLE, f"{FILE!r} is a text, but a file is expected.", FILE)
    if sum(map(len, texts)) > LONGEST_FIELD:
        raise Problem(
            UNUSABLE,
            f"{name[:80]!r} is longer than {LONGEST_FIELD:,} characters.",
            name,
        )
    return texts[0] if len(texts) == 1 else texts


def written(files: Sequence[Upload], folder: Path) -> list[str]:
    """Write files to a folder, under their own names if these are safe."""
    paths: list[str] = []
    for number, file in enumerate(files):
        place = folder / str(number)  # two files may have the same name
        place.mkdir(parents=True)
        path = place / safe_name(file.name)
        path.write_bytes(file.content)
        paths.append(str(path))
    return paths


def safe_name(name: str) -> str:
    """A file name that does not lead to another folder.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\\\sales.csv"), safe_name("..")
    ('passwd', 'sales.csv', 'table')
    """
    basename = re.split(r"[/\\]", name)[-1]
    plain = _ODD.sub("_", basename).encode("utf-8", "replace").decode().strip(" .~-")
    while len(plain.encode()) > _LONGEST_NAME:
        plain = plain[len(plain) // 10 + 1 :]  # keep the extension
    return plain or "table"


def documented(
    as_json: type[BaseModel],
    as_form: type[BaseModel] | None = None,
    required: bool = True,
) -> dict[str, Any]:
    """The OpenAPI description of a request's body."""
    content: dict[str, Any] = {JSON: {"schema": _schema(as_json)}}
    if as_form is not None:
        form = _schema(as_form)
        files = {"type": "array", "items": {"type": "string", "format": "binary"}}
        form["properties"] = {FILE: files, **form["properties"]}
        form["required"] = [FILE, *form.get("required", [])]
        content[FORM] = {"schema": form}
    return {"requestBody": {"required": required, "content": content}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(mode="validation")
