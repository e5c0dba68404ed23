"""Messages as JSON bytes and back: `decode` refuses what it does not know, field by field."""

from __future__ import annotations

import dataclasses
import json
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from engine.errors import ProtocolError
from engine.protocol import MAX_MESSAGE_BYTES, Crashed, FromEngine, ToEngine


def encode(message: Any) -> bytes:
    """Return a message as JSON bytes.

    Raises:
        ProtocolError: longer than `MAX_MESSAGE_BYTES`.
    """
    data = json.dumps(dataclasses.asdict(message), separators=(",", ":")).encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError(
            f"A message of {len(data)} bytes. Expected at most {MAX_MESSAGE_BYTES}; "
            "large data travels as blobs."
        )
    return data


def decode_to_engine(data: bytes) -> ToEngine:
    """Return the message the server sent, or raise `ProtocolError`."""
    return _decode(data, get_args(ToEngine))  # type: ignore[no-any-return]


def decode_from_engine(data: bytes) -> FromEngine:
    """Return the message the engine sent, or raise `ProtocolError`."""
    return _decode(data, tuple(c for c in get_args(FromEngine) if c is not Crashed))  # type: ignore[no-any-return]


def from_json(cls: Any, value: Any) -> Any:
    """Return `value` (parsed JSON) as the dataclass `cls`, checked field by field.

    Raises:
        ProtocolError: an unknown, missing or wrongly typed field; the message names it.
    """
    return _build(cls, value, cls.__name__)


def _decode(data: bytes, classes: tuple[Any, ...]) -> Any:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise ProtocolError(
            f"A message that is not JSON ({error}). Expected one object."
        ) from error
    kinds = {get_args(get_type_hints(c)["kind"])[0]: c for c in classes}
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in kinds:
        raise ProtocolError(f"A message of kind {kind!r}. Expected one of {sorted(kinds)}.")
    return _build(kinds[kind], value, str(kind))


def _build(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build_record(hint, value, where)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _build_union(hint, value, where)
    if origin is Literal:
        return _expect(value in get_args(hint), value, hint, where)
    if origin is tuple:
        _expect(isinstance(value, list | tuple), value, hint, where)
        args = get_args(hint)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_build(args[0], v, f"{where}[{i}]") for i, v in enumerate(value))
        _expect(len(value) == len(args), value, hint, where)
        return tuple(_build(a, v, where) for a, v in zip(args, value, strict=True))
    if origin is dict:
        _expect(isinstance(value, dict), value, hint, where)
        key, item = get_args(hint)
        return {_build(key, k, where): _build(item, v, where) for k, v in value.items()}
    if hint is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), value, hint, where)
        return float(value)
    if hint is int:
        return _expect(isinstance(value, int) and not isinstance(value, bool), value, hint, where)
    return _expect(isinstance(value, hint), value, hint, where)


def _build_union(hint: Any, value: Any, where: str) -> Any:
    options = [a for a in get_args(hint) if a is not type(None)]
    if value is None:
        return _expect(len(options) < len(get_args(hint)), value, hint, where)
    if len(options) == 1:
        return _build(options[0], value, where)
    kind = value.get("kind") if isinstance(value, dict) else None
    for option in options:
        if get_args(get_type_hints(option)["kind"])[0] == kind:
            return _build(option, value, where)
    raise ProtocolError(f"{where} has kind {kind!r}. Expected one of {hint}.")


def _build_record(cls: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, cls, where)
    hints = get_type_hints(cls)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise ProtocolError(f"{where} has unknown fields {unknown}. Expected {sorted(hints)}.")
    for f in dataclasses.fields(cls):
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and f.name not in value:
            raise ProtocolError(f"{where} lacks the field {f.name!r}.")
    return cls(**{k: _build(hints[k], v, f"{where}.{k}") for k, v in value.items()})


def _expect(is_right: bool, value: Any, hint: Any, where: str) -> Any:  # noqa: FBT001 - a check
    if not is_right:
        raise ProtocolError(f"{where} is {str(value)[:80]!r}. Expected {hint}.")
    return value
