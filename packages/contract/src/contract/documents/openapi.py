"""The OpenAPI document: what the services answer over HTTP."""

from functools import cache

from contract.documents.gateway_paths import gateway_paths
from contract.documents.ops_paths import GATEWAY, ops_paths
from contract.documents.schemas import Node, info, schemas_of
from contract.http_types import PillowHistory, PillowList, PillowSummary, Problem, Readiness
from contract.state_types import ReceivedState


@cache
def openapi() -> Node:
    """Return the document."""
    types = (ReceivedState, PillowList, PillowHistory, PillowSummary, Problem, Readiness)
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
            "schemas": schemas_of(types),
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
