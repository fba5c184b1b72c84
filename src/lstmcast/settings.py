"""Settings: frozen dataclasses whose fields are checked when they are made, with errors in our own words."""

from __future__ import annotations

from dataclasses import field
from functools import wraps
from typing import Any, TypeVar, dataclass_transform

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from lstmcast.errors import UsageError

Made = TypeVar("Made", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field, Field))
def settings(cls: Made) -> Made:
    """A frozen dataclass that is checked when it is made: UsageError names each setting that makes no sense."""
    made: Any = dataclass(frozen=True, config=ConfigDict(extra="forbid"))(cls)
    checked = made.__init__

    @wraps(checked)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            checked(self, *args, **kwargs)
        except ValidationError as error:
            raise UsageError(what_is_wrong(cls.__name__, error)) from None

    made.__init__ = init
    return made


def what_is_wrong(name: str, error: ValidationError) -> str:
    """One line for each setting of the class `name` that is wrong; our own sentences as they are."""
    lines = []
    for found in error.errors(include_url=False):
        own = found.get("ctx", {}).get("error")
        where = ".".join(str(part) for part in found["loc"] if not str(part).startswith("function-"))
        given = f"{name}({where}={found['input']!r})" if where else name
        lines.append(str(own) if isinstance(own, UsageError) else f"{given}: {found['msg']}.")
    return "\n".join(lines)
