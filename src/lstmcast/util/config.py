"""Settings: frozen dataclasses whose fields are checked at construction, with our own messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, wraps
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    TypeVar,
    dataclass_transform,
    get_args,
    get_type_hints,
)
from warnings import warn

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs

from lstmcast.errors import UsageError
from lstmcast.util.spelling import did_you_mean

# What pydantic says of a value, and how all other messages say it.
_REQUIREMENTS = (
    (r"^Value error, ", ""),
    (r"^Field required", "is missing"),
    (r"^Input should be a valid integer.*", "must be a whole number"),
    (r"^Input should be a valid number.*", "must be a number"),
    (r"^Input should be a valid string.*", "must be text"),
    (r"^Input should be a valid boolean.*", "must be true or false"),
    (r"^Input should be a valid (list|tuple).*", "must be a list"),
    (r"^Input should be (a valid dictionary|an object).*", "must be an object"),
    (r"^Input should be greater than or equal to", "must be at least"),
    (r"^Input should be less than or equal to", "must be at most"),
    (r"^Input should be greater than", "must be above"),
    (r"^Input should be less than", "must be below"),
    (r"^(Input|String|List) should", "must"),
    (r" after validation, not (\d+)", r", got \1"),
)
# The kinds of problems of pydantic where something else stands than an object.
_NO_OBJECT = ("model_attributes_type", "dataclass_type")
# The attribute that classes of settings have.
_MARK = "__pydantic_config__"
Made = TypeVar("Made", bound=type)

Held = TypeVar("Held")
Name = TypeVar("Name")

if TYPE_CHECKING:

    class OrName(Generic[Held, Name]):
        """A setting that may be given as an object or by its name, and is read as an object.

        This descriptor is for type checkers, which need it to accept both; pydantic uses a
        validator.
        """

        def __get__(self, owner: Any, kind: Any = None) -> Held: ...
        def __set__(self, owner: Any, value: Held | Name) -> None: ...


def usual(make: Callable[[], Any]) -> Any:
    """A setting that is made by default, when it is needed; type checkers accept it for an
    `OrName` too."""
    return field(default_factory=make)


@dataclass_transform(frozen_default=True, field_specifiers=(field, Field))
def settings(cls: Made) -> Made:
    """A frozen dataclass that is checked at construction: UsageError names each invalid setting."""
    settings_class: Any = dataclass(frozen=True)(cls)
    settings_class.__pydantic_config__ = ConfigDict(extra="forbid")

    @wraps(settings_class.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            arguments = ArgsKwargs(args, kwargs)
            validator = adapter(settings_class).validator
            validator.validate_python(arguments, self_instance=self)
        except ValidationError as error:
            names = [setting.name for setting in fields(settings_class) if setting.init]
            objects = _objects_of(settings_class)
            reason = what_is_wrong(cls.__name__, error, names, objects)
            raise UsageError(reason) from None

    settings_class.__init__ = init
    return settings_class


@cache
def adapter(settings_class: type) -> TypeAdapter[Any]:
    """What checks settings of a class, and reads and writes them as JSON values.

    It is made when the first of them are: that takes longer than all else in the module of a class,
    and most processes use few classes. It is kept, as a saved model needs it several times.
    """
    return TypeAdapter(settings_class)


def _objects_of(settings_class: type) -> dict[str, list[str]]:
    """The settings that hold settings themselves, with calls that make these: 'Windows(…)'."""
    hints = get_type_hints(settings_class)
    return {
        name: [f"{cls.__name__}(…)" for cls in _settings_in(hint)]
        for name, hint in hints.items()
    }


def _settings_in(hint: Any) -> list[type]:
    """The classes of settings that a type is made of."""
    if isinstance(hint, type) and hasattr(hint, _MARK):
        return [hint]
    return [cls for inner in get_args(hint) for cls in _settings_in(inner)]


def with_new_names(cls: type, arguments: Any, names: Mapping[str, str]) -> Any:
    """The arguments of a class, with old names of settings replaced by new ones.

    For validators that run before pydantic's own. Callers that use an old name are warned, files
    that were saved with it are not.
    """
    kwargs = arguments.kwargs if isinstance(arguments, ArgsKwargs) else arguments
    old_names = [
        name for name in names if isinstance(kwargs, Mapping) and name in kwargs
    ]
    if not old_names or kwargs is None:
        return arguments
    renamed = {names.get(name, name): value for name, value in kwargs.items()}
    if not isinstance(arguments, ArgsKwargs):
        return renamed
    for name in old_names:
        message = f"{cls.__name__}({name}=…) is now called {names[name]}=."
        warn(message, DeprecationWarning, stacklevel=4)
    return ArgsKwargs(arguments.args, renamed)


def is_whole(value: Any, minimum: int) -> bool:
    """Whether a value is a whole number of at least `minimum`; True and False are not."""
    return (
        isinstance(value, (int, np.integer))
        and not isinstance(value, bool)
        and bool(value >= minimum)
    )


def checked_seed(seed: Any) -> int:
    """The seed; UsageError if it is not a whole number of at least 0."""
    if not is_whole(seed, 0):
        raise UsageError(f"seed must be a whole number of at least 0, got {seed!r}.")
    return int(seed)


def refuse_unused(
    config: Any, choice: str, uses: Mapping[str, Collection[str]]
) -> None:
    """Raise UsageError for a changed setting that the choice does not use; `uses`: the choices that
    use each setting."""
    defaults = {setting.name: setting.default for setting in fields(config)}
    for name, users in uses.items():
        if choice not in users and getattr(config, name) != defaults[name]:
            raise UsageError(
                f"{type(config).__name__}({choice!r}, {name}={getattr(config, name)!r}): {name} "
                f"is of {' and '.join(map(repr, users))} only. Leave it out."
            )


def requirement(message: str) -> str:
    """What is expected of a value, from the message of pydantic.

    >>> requirement("Input should be greater than or equal to 1"), requirement("Field required")
    ('must be at least 1', 'is missing')
    """
    for pattern, words in _REQUIREMENTS:
        message = re.sub(pattern, words, message)
    return message


def what_is_wrong(
    name: str,
    error: ValidationError,
    names: Sequence[str] = (),
    objects: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """One line for each invalid setting of the class `name`; our own sentences are unchanged.

    `names`: names of the settings, in the order of positional arguments; `objects`: how objects
    that settings may hold are made.
    """
    lines = []
    for problem in error.errors(include_url=False):
        cause = problem.get("ctx", {}).get("error")
        place = list(problem["loc"])
        if place and isinstance(place[0], int) and place[0] < len(names):
            place[0] = names[place[0]]
        where = ".".join(
            str(label) for label in place if not str(label).startswith("function-")
        )
        setting = f"{name}({where}={problem['input']!r})" if where else name
        sentence = requirement(problem["msg"])
        if problem["type"] in ("missing", "missing_argument"):
            # the input is that of the whole class
            setting, sentence = name, f"{where} is missing"
        if problem["type"] == "tuple_type" and is_whole(problem["input"], 0):
            sentence += f", such as [{problem['input']}]"
        if problem["type"] in _NO_OBJECT and (choices := objects.get(str(place[0]))):
            sentence = f"must be {' or '.join(choices)}"
        if problem["type"] == "unexpected_keyword_argument":
            meant = did_you_mean(where, names)
            sentence = f"there is no setting {where!r}.{meant}".rstrip(".")
        own_message = isinstance(cause, UsageError)
        stop = "" if sentence.endswith("?") else "."
        line = str(cause) if own_message else f"{setting}: {sentence}{stop}"
        lines.append(line)
    return "\n".join(lines)
