"""The OpenAPI document: what the services answer over HTTP."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import msgspec

from contract.documents.gateway_paths import gateway_paths
from contract.documents.ops_paths import GATEWAY, ops_paths
from contract.documents.schemas import Node, info, schemas_of
from contract.http_types import (
    Labels,
    PillowActivity,
    PillowHistory,
    PillowList,
    PillowSummary,
    Problem,
    Readiness,
    Today,
)
from contract.state_types import ReceivedState

SERVICE_SCHEMAS: Final[dict[str, Any]] = msgspec.json.decode(
    files("contract.documents").joinpath("service_schemas.json").read_bytes()
)
"""Schemas of responses whose types are those of a service: see devstack.service_schemas."""


def openapi(service_schemas: Mapping[str, Any] = SERVICE_SCHEMAS) -> Node:
    """Return the document."""
    past = (PillowHistory, PillowSummary, PillowActivity, Today)
    types = (ReceivedState, PillowList, *past, Labels, Problem, Readiness)
    return {
        "openapi": "3.1.0",
        "info": info("Pillowcast", "Live state of huggable cloud pillows over HTTP."),
        "servers": [{"url": "/", "description": "The gateway that serves this document."}, GATEWAY],
        "tags": [
            {"name": "gateway", "description": "The public port."},
            {"name": "ops", "description": "What operators and their programs ask."},
        ],
        "paths": {**gateway_paths(), **ops_paths()},
        "security": [{}, {"token": []}],
        "components": {
            "schemas": {**schemas_of(types), **service_schemas},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Where the gateway asks for one.",
                }
            },
        },
    }
