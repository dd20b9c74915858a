"""Reading a link description: tables, keys, values with units."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any

from semloss.errors import SemlossError
from semloss.planning.link.keys import Key
from semloss.planning.link.quantities import implausible, read_quantity
from semloss.text import meant
from semloss.units import parse_cr

#: Tables of a link file that `semloss.planning.studies.tolerances` reads.
_ELSEWHERE = ("tolerances",)
#: Keys whose values are text of any kind, and plain numbers that must be whole.
_TEXTS = ("name", "fit", "link")
_COUNTS = ("bands", "subbands", "bit_depth")


def unknown_key(keys: Mapping[str, Key], name: str) -> str:
    """Say that a key is unknown, with the nearest known one."""
    return f"unknown key {name}: {meant(name, keys, 'the template lists every key')}"


def read_tables(keys: Mapping[str, Key], tables: Mapping[str, Any]) -> dict[str, Any]:
    """Turn nested tables, or flat keys, into the values of a link's fields.

    Parameters
    ----------
    keys
        Known keys by name.
    tables
        `{"transmitter": {"power_dbw": 7.0}, …}` as a link file gives, values as numbers in the
        key's unit or as text with a unit; keys may also stand outside of any table.

    Returns
    -------
    dict
        Values by field, with `warnings` about implausible ones.

    Raises
    ------
    SemlossError
        For an unknown key or unit, a key in the wrong table or given twice.
    """
    values: dict[str, Any] = {}
    warnings = []
    for section, name, value in _entries(keys, tables):
        if name not in keys:
            raise SemlossError(unknown_key(keys, name))
        key = keys[name]
        if section is not None and section != key.section:
            where = f"the table [{key.section}]" if key.section else "the top of the file"
            raise SemlossError(f"{name} stands in [{section}]: it belongs into {where}")
        if name in values:
            raise SemlossError(f"{name} is given twice: keep one of them")
        values[name] = _read(name, value, key)
        warnings += implausible(name, value)
    return values | {"warnings": tuple(warnings)}


def read_settings(
    keys: Mapping[str, Key], settings: Iterable[str], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Turn "key=value" texts into values as `read_tables` does; "key=" gives the default.

    Raises
    ------
    SemlossError
        For a text of another form, a key set twice, or one without a default unset.
    """
    given: dict[str, str] = {}
    for text in settings:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign:
            raise SemlossError(f'{name!r}: write a setting as key=value, e.g. "obo_db=3"')
        if name in given:
            raise SemlossError(f"{name} is set twice: keep one of them")
        given[name] = value
    values = read_tables(keys, {name: value for name, value in given.items() if value})
    for name in given.keys() - values.keys():
        if name not in keys:
            raise SemlossError(unknown_key(keys, name))
        if defaults[name] is MISSING:
            raise SemlossError(f"{name} cannot be unset: give {keys[name].allowed}")
        values[name] = defaults[name]
    return values


def _entries(
    keys: Mapping[str, Key], tables: Mapping[str, Any]
) -> Iterator[tuple[str | None, str, Any]]:
    """Walk over (table, key, value); the table is None outside of any."""
    sections = dict.fromkeys(key.section for key in keys.values() if key.section)
    for name, value in tables.items():
        if not isinstance(value, Mapping):
            yield None, name, value
        elif name in _ELSEWHERE:
            continue
        elif name in sections:
            for inner, inner_value in value.items():
                yield name, inner, inner_value
        else:
            raise SemlossError(f"unknown table [{name}]: {meant(name, sections)}")


def _read(name: str, value: Any, key: Key) -> Any:  # noqa: ANN401 - the type of each field
    """Read one value by the kind of its key."""
    if name == "cr":
        return parse_cr(value)
    if key.low is not None:
        whole = key.unit == "px" or name in _COUNTS
        return read_quantity(value, key.unit, name, whole=whole)
    if key.choices or name in _TEXTS:
        if not isinstance(value, str):
            raise SemlossError(f"{name} = {value!r}: give text in quotes")
        return value
    value = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(value, bool):
        raise SemlossError(f"{name} = {value!r}: allowed is true or false")
    return value
