"""docs/reference/frames.md: every frame between gateway and client, from contract.frames."""

import json
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from contract import frames
from docsite.reference.tables import code, table

INTRODUCTION: Final = """\
# Frames

Each frame is one JSON object: a text message on `/ws`, the data of an event on `/events`.
[The wire format](../../packages/contract/README.md#frames-gateway-to-browser) explains their order.
The gateway serves the same as schemas, at `/asyncapi.json` and `/openapi.json`.
Ignore a type or a field that you do not know, because a newer gateway may send it.
"""


def page(root: Path) -> str:
    """Return the page."""
    examples = json.loads((root / "packages/contract/examples/frames.json").read_text("utf-8"))
    requests = json.loads((root / "packages/contract/examples/requests.json").read_text("utf-8"))
    down, up = get_args(frames.ServerFrame), get_args(frames.BrowserFrame)
    parts = [INTRODUCTION, "## From the gateway\n"]
    parts += [_frame(kind, examples) for kind in down]
    parts.append("## From a client\n")
    parts += [_frame(kind, requests) for kind in up]
    return "\n".join(parts)


def _tag(kind: type[msgspec.Struct]) -> str | None:
    tag = kind.__struct_config__.tag
    return tag if isinstance(tag, str) else None


def _frame(kind: type[msgspec.Struct], examples: object) -> str:
    rows = [
        [code(field.encode_name), _type(field.type), _meaning(field)]
        for field in msgspec.structs.fields(kind)
    ]
    text = " ".join((kind.__doc__ or "").split()).removeprefix("From a browser: ")
    parts = [f"### {_tag(kind)}\n", f"{text[:1].upper()}{text[1:]}\n"]
    example = next((found for found in _frames_in(examples) if found["type"] == _tag(kind)), None)
    if example is not None:
        parts.append(f"```json\n{json.dumps(example, ensure_ascii=False)}\n```\n")
    if rows:
        parts.append(table(["field", "type", ""], rows))
    return "\n".join(parts)


def _meaning(field: msgspec.structs.FieldInfo) -> str:
    """Return the descriptions in a field's type, and whether the field may be absent."""
    parts = [field.type] if get_origin(field.type) is Annotated else get_args(field.type)
    descriptions = [
        one.description
        for part in parts
        if get_origin(part) is Annotated
        for one in get_args(part)[1:]
        if isinstance(one, msgspec.Meta) and one.description
    ]
    absent = "" if field.required or "absent" in " ".join(descriptions) else "May be absent."
    return " ".join(filter(None, [*descriptions, absent]))


def _frames_in(value: object) -> list[dict[str, Any]]:
    """Return the frames of the examples, wherever in their structure they are."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return _frames_in(json.loads(value))
        except ValueError:
            return []
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            return [value]
        return [found for part in value.values() for found in _frames_in(part)]
    return (
        [found for part in value for found in _frames_in(part)] if isinstance(value, list) else []
    )


def _type(kind: Any) -> str:
    """Return a type in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return ", ".join(f'`"{value}"`' for value in arguments)
    if origin in (Union, UnionType):
        known = [part for part in arguments if part not in (NoneType, msgspec.UnsetType)]
        return " or ".join(dict.fromkeys(map(_type, known)))
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is tuple:
        return f"list of {len(arguments)}: {_type(arguments[0])}"
    if origin is dict or kind is dict:
        return "state"
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))
