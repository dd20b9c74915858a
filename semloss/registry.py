"""One registry for every kind of plug-in: sources, channels, codecs, tasks.

A plug-in is a frozen pydantic model of its own options with the methods of its kind. It is
registered under the name that an experiment file gives as ``kind``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from semloss.errors import SemlossError
from semloss.text import meant


def listed(value: object) -> object:
    """One value, or texts between commas, as a list: what `--set` and an experiment may give."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, Sequence) else [value]


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]


class Options(BaseModel):
    """Options of a plug-in or of a section: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, told: ValidationInfo) -> Any:  # noqa: ANN401
        """Refuse true and false where a number belongs, which else are read as 1 and 0."""
        values = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(one, bool) for one in values):
            kinds = {*_kinds(cls.model_fields[str(told.field_name)].annotation)}
            if bool not in kinds and kinds & {int, float}:
                raise ValueError("write a number, not true or false")
        return value


def _kinds(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - a type, or what stands in one
    """The plain types that an annotation is made of."""
    inner = get_args(annotation)
    for one in inner:
        yield from _kinds(one)
    if not inner:
        yield annotation if isinstance(annotation, type) else None


P = TypeVar("P", bound=Options)
C = TypeVar("C", bound=type[Options])


class Registry(Generic[P]):
    """Plug-ins of one kind by name.

    Parameters
    ----------
    noun
        What the plug-ins are, as errors should call them ("channel").
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._plugins: dict[str, type[P]] = {}

    def register(self, kind: str) -> Callable[[C], C]:
        """Class decorator that files a plug-in under `kind`."""

        def file(plugin: C) -> C:
            self._plugins[kind] = plugin  # type: ignore[assignment]
            return plugin

        return file

    def kinds(self) -> list[str]:
        """Names of the registered plug-ins, sorted."""
        return sorted(self._plugins)

    def options_of(self, kind: object) -> type[P] | None:
        """Options of the plug-in of a name; None where there is none."""
        return self._plugins.get(str(kind))

    def kind_of(self, plugin: P) -> str:
        """Name under which the plug-in's class is registered."""
        return next(kind for kind, cls in self._plugins.items() if cls is type(plugin))

    def label(self, plugin: P) -> str:
        """Kind and the options that differ from their defaults: "deepjscc-width64"."""
        changed = plugin.model_dump(exclude_defaults=True)
        return "-".join([self.kind_of(plugin), *(_changed(*one) for one in changed.items())])

    def dump(self, plugin: P) -> dict[str, Any]:
        """Options as plain data, `kind` first; `parse` reads them back."""
        # TOML has no null: an option that is not given is left out
        return {"kind": self.kind_of(plugin), **plugin.model_dump(mode="json", exclude_none=True)}

    def parse(self, table: Mapping[str, Any], where: str) -> P:
        """Make the plug-in that a table of options describes.

        Parameters
        ----------
        table
            Options with the plug-in's name under ``kind``.
        where
            Dotted key of the table, for errors.

        Raises
        ------
        SemlossError
            When the kind or a key is unknown or a value is not allowed.
        """
        options = dict(table)
        kind = options.pop("kind", None)
        if kind not in self._plugins:
            raise SemlossError(
                f"{where}.kind = {kind!r}: no such {self.noun}; there are {', '.join(self.kinds())}"
            )
        return validate(self._plugins[kind], options, where)

    def parse_within(self, table: Mapping[str, Any], where: str) -> P:
        """`parse` for a validator of other options, which tells a ValueError under its own key."""
        try:
            return self.parse(table, where)
        except SemlossError as error:
            raise ValueError(str(error)) from None


def _changed(key: str, value: object) -> str:
    """A changed option as part of a label: "width64", "permuted", "taskswide+vgg"."""
    if value is True:
        return key
    if isinstance(value, list | tuple):
        value = "+".join(map(str, value))
    return f"{key}{value}"


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], table: Mapping[str, Any], where: str) -> M:
    """Make a pydantic model, turning its first complaint into one line that names key and mend."""
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        raise SemlossError(_first_complaint(error, model, where)) from None


def _first_complaint(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """One line for the first thing that is wrong: `key = value: reason`."""
    complaints = error.errors(include_url=False)
    # a misspelt key explains the missing one
    first = next((one for one in complaints if one["type"] == "extra_forbidden"), complaints[0])
    key = where
    for part in first["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    if first["type"] == "extra_forbidden":
        for part in first["loc"][:-1]:
            inner = model.model_fields[str(part)].annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                model = inner
        return unknown_key(key, str(first["loc"][-1]), model.model_fields)
    if first["type"] == "missing":
        return f"{key}: this key is required"
    reason = first["msg"].removeprefix("Value error, ")
    if first["loc"]:
        return f"{key} = {as_toml(first['input'])}: {reason}"
    return f"{key}: {reason}" if key else reason


def as_toml(value: object) -> str:
    """A value as an experiment file would have it, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    return repr(value)


def unknown_key(key: str, name: str, known: Iterable[str]) -> str:
    """One line for a misspelt key, with the nearest known one."""
    names = sorted(known)
    return f"{key}: unknown key; " + meant(name, names, f"known keys: {', '.join(names)}")
