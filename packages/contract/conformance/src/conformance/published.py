"""The published documents, which check frames, MQTT messages and responses."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import jsonschema_rs

Node = dict[str, Any]

_HERE: Final = Path(__file__).parent


class MqttMessage(NamedTuple):
    """A message as a subscriber receives it; `retain` is as it was published."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


def _read(name: str) -> Node:
    """Read a document of an installed kit, or of the repository that this file is in."""
    installed = _HERE / "documents" / name
    path = installed if installed.exists() else _HERE.parents[2] / name
    document: Node = json.loads(path.read_text(encoding="utf-8"))
    return document


class Published:
    """The AsyncAPI and the OpenAPI document. Each method returns what is wrong, or nothing.

    With `strict`, a field that no schema names is wrong; a client has to ignore such a field, but
    its own documents name what a gateway sends.
    """

    def __init__(
        self, asyncapi: Node | None = None, openapi: Node | None = None, *, strict: bool = False
    ) -> None:
        self.asyncapi = _read("asyncapi.json") if asyncapi is None else asyncapi
        self.openapi = _read("openapi.json") if openapi is None else openapi
        self._strict = strict
        self._validators = cache(self._validator)

    def schema_errors(self, document: Node, name: str, value: object) -> list[str]:
        """Return the errors of a value by a schema of a document, each with its place."""
        validator = self._validators(document is self.openapi, name)
        errors = [
            f"{'/'.join(map(str, error.instance_path)) or name}: {error.message}"
            for error in validator.iter_errors(value)
        ]
        known = document["components"]["schemas"][name].get("properties", {})
        if self._strict and isinstance(value, dict) and name not in _OPEN:
            errors += [f"{key}: no field of {name}" for key in value if key not in known]
        return errors

    def frame_errors(self, frame: Any, *, channel: str = "stream") -> list[str]:
        """Return what is wrong with a frame of the gateway."""
        operation = f"gateway_sends_{_SENT[channel]}"
        return self._frame_errors(operation, frame, f"the gateway on {channel}")

    def request_errors(self, frame: Any) -> list[str]:
        """Return what is wrong with a frame of a client."""
        return self._frame_errors("gateway_receives_frames", frame, "a client")

    def mqtt_errors(self, message: MqttMessage, prefix: str) -> list[str]:
        """Return what is wrong with an MQTT message below a prefix."""
        name = self.channel_of(message.topic, prefix)
        if name is None:
            return [f"no channel has the topic {message.topic}"]
        binding = self._sent_binding(name)
        errors = []
        if message.qos != binding.get("qos", message.qos):
            errors.append(f"QoS {message.qos}, not {binding['qos']}")
        if message.retain != binding.get("retain", message.retain):
            errors.append(f"retain is {message.retain}, not {binding['retain']}")
        against = [
            self._payload_errors(one, message.payload)
            for one in self.asyncapi["channels"][name]["messages"]
        ]
        return errors + min(against, key=len)

    def channel_of(self, topic: str, prefix: str) -> str | None:
        """Return the name of the channel that a topic belongs to; None if there is none."""
        for name, channel in self.asyncapi["channels"].items():
            if channel["servers"] == [{"$ref": "#/servers/broker"}]:
                address = channel["address"].replace("{prefix}", prefix)
                if _fits(address, topic):
                    return str(name)
        return None

    def response_errors(
        self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """Return what is wrong with a response to a request for a path."""
        item = self._path_item(path.partition("?")[0])
        operation = (item or {}).get(method.lower())
        if operation is None:
            return [f"no path has {method} {path}"]
        responses = operation["responses"]
        response = responses.get(str(status), responses.get("default"))
        if response is None:
            return [f"status {status} is not documented"]
        contents = response.get("content", {})
        media_type = headers.get("content-type", "").partition(";")[0].strip()
        if not contents:
            return []
        if media_type not in contents:
            return [f"{media_type or 'no type'} with status {status}, not {', '.join(contents)}"]
        if not media_type.endswith("json"):
            return []
        return self._body_errors(contents[media_type]["schema"], json.loads(body))

    def _body_errors(self, schema: Node, value: Any) -> list[str]:
        """Check a body with a reference, a list of one, or one of several."""
        if "$ref" in schema:
            return self.schema_errors(self.openapi, schema["$ref"].rpartition("/")[2], value)
        if "items" in schema:
            if not isinstance(value, list):
                return ["the body is no list"]
            return [fault for one in value for fault in self._body_errors(schema["items"], one)]
        against = [self._body_errors(one, value) for one in schema.get("anyOf", ())]
        return min(against, key=len, default=[])

    @property
    def close_codes(self) -> dict[int, Node]:
        """What each close code means."""
        codes = self.asyncapi["channels"]["stream"]["x-close-codes"]
        return {int(code): meaning for code, meaning in codes.items()}

    def frame_types(self, channel: str = "stream") -> Iterable[str]:
        """Return the types of frames that a gateway sends."""
        return self._frame_names(f"gateway_sends_{_SENT[channel]}").keys()

    def _frame_errors(self, operation: str, frame: Any, sender: str) -> list[str]:
        if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
            return ["a frame is a JSON object with a type"]
        name = self._frame_names(operation).get(frame["type"])
        if name is None:
            return [f"type: {frame['type']!r} is no frame of {sender}"]
        return self.schema_errors(self.asyncapi, name, frame)

    def _frame_names(self, operation: str) -> dict[str, str]:
        found = {}
        for message in self.asyncapi["operations"][operation]["messages"]:
            name = message["$ref"].rpartition("/")[2]
            tag = self.asyncapi["components"]["schemas"][name]["properties"]["type"]
            found[tag["enum"][0] if "enum" in tag else tag["const"]] = name
        return found

    def _sent_binding(self, channel: str) -> Node:
        for operation in self.asyncapi["operations"].values():
            is_own = operation["channel"]["$ref"] == f"#/channels/{channel}"
            if is_own and operation["action"] == "send":
                return dict(operation["bindings"]["mqtt"])
        raise LookupError(f"nobody sends on {channel}")

    def _payload_errors(self, message: str, payload: bytes) -> list[str]:
        described = self.asyncapi["components"]["messages"][message]
        value: object
        try:
            if described["contentType"] == "application/json":
                value = json.loads(payload)
            else:
                value = payload.decode()
        except ValueError as error:
            return [f"no {described['contentType']}: {error}"]
        return self.schema_errors(
            self.asyncapi, described["payload"]["$ref"].rpartition("/")[2], value
        )

    def _path_item(self, path: str) -> Node | None:
        paths: Node = self.openapi["paths"]
        if path in paths:
            return dict(paths[path])
        for template, item in paths.items():
            if _fits(template, path):
                return dict(item)
        return None

    def _validator(self, is_openapi: bool, name: str) -> Any:
        document = self.openapi if is_openapi else self.asyncapi
        root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        if is_openapi:
            return jsonschema_rs.Draft202012Validator(root, validate_formats=True)
        return jsonschema_rs.Draft7Validator(root, validate_formats=True)


def _fits(template: str, text: str) -> bool:
    """Return whether a path or topic is a template's, with any level in place of `{name}`."""
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), text) is not None


_SENT: Final = {"stream": "frames", "events": "events"}
_OPEN: Final = frozenset({"State", "ReceivedState", "QueueMessage"})
"""Schemas whose other fields belong to the pillow."""
