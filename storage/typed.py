"""Records out of JSON that strangers wrote: every field present, none unknown, each of its type."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from storage.errors import Refused

_T = TypeVar("_T")
_LARGEST = 1 << 63


def parse(data: bytes) -> Any:
    """Return the JSON value of some bytes.

    Raises:
        Refused: no JSON, numbers that are not finite, or nested too deeply.
    """
    try:
        return json.loads(data, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{len(data)} bytes that are no JSON ({type(error).__name__}).") from error


def record(kind: type[_T], value: object) -> _T:
    """Return the record of a parsed JSON object.

    Raises:
        Refused: a field is missing, unknown or of another type; the message names it.
    """
    hints = _hints(cast(Any, kind))
    if not isinstance(value, dict) or set(value) != set(hints):
        names = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise Refused(f"A {kind.__name__} of {str(names)[:200]}. Expected {sorted(hints)}.")
    fitted = {n: _fit(hint, value[n], f"{kind.__name__}.{n}") for n, hint in hints.items()}
    return kind(**fitted)


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _fit(hint: Any, value: Any, place: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (hint,) = (kind for kind in inner if kind is not type(None))
        return _fit(hint, value, place)
    if origin is Literal:
        return value if _is(value, str) and value in inner else _refuse(hint, value, place)
    if origin is tuple:
        return _fit_tuple(hint, inner, value, place)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return record(hint, value)
    if origin is dict:
        if not isinstance(value, dict):
            return _refuse(hint, value, place)
        return {key: _fit(inner[1], item, place) for key, item in value.items()}
    return value if hint is Any or _is(value, hint) else _refuse(hint, value, place)


def _fit_tuple(hint: Any, inner: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        return tuple(_refuse(hint, value, place))
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_fit(inner[0], item, place) for item in value)
    if len(value) != len(inner):
        return tuple(_refuse(hint, value, place))
    return tuple(_fit(kind, item, place) for kind, item in zip(inner, value, strict=True))


def _is(value: Any, hint: Any) -> bool:
    if hint is str:
        return isinstance(value, str) and _is_unicode(value)
    if hint is bool:
        return isinstance(value, bool)
    if hint is int:
        return type(value) is int and -_LARGEST <= value < _LARGEST
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return False


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(hint: Any, value: Any, place: str) -> Any:
    wanted = getattr(hint, "__name__", str(hint))
    raise Refused(f"{place} is {str(value)[:60]!r}. Expected {wanted}.")


def _not_finite(name: str) -> float:
    raise ValueError(name)
