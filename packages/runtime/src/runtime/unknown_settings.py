"""Which variables look like settings and are none, and which setting was meant. Pure."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from runtime.variables import is_service_link

PREFIXES: Final = (
    "GATEWAY_", "HISTORY_", "NOTIFIER_", "POLLER_", "RECORDER_", "SIMULATOR_", "MQTT_",
    "AZURE_STORAGE_",
)  # fmt: skip
"""The prefixes of settings; a service looks at those that settings of its own have."""

_OTHERS: Final = frozenset(
    {
        # docker compose reads them, here and in .env, which may be exported.
        "MQTT_TLS_FOLDER",
        "MQTT_TLS_PUBLISHED_ADDRESS",
        "MQTT_TLS_PUBLISHED_PORT",
        "MQTT_PUBLISHED_PORT",
        "GATEWAY_PUBLISHED_PORT",
        "NOTIFIER_RULES_FOLDER",
        # The Azure CLI reads them.
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_STORAGE_AUTH_MODE",
        "AZURE_STORAGE_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SERVICE_ENDPOINT",
    }
)

# Kubernetes sets them for a Service, and Docker for a link to a container.
_SET_BY_ORCHESTRATOR: Final = re.compile(
    r".+_SERVICE_(HOST|PORT(_.+)?)|.+_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|.+_ENV_.+"
)
_MIN_SIMILARITY: Final = 0.75


def unknown_settings(
    variables: Mapping[str, str], known: Collection[str]
) -> list[tuple[str, str | None]]:
    """Return each variable that has the prefix of a setting and is none, with the one meant."""
    prefixes = tuple(
        prefix for prefix in PREFIXES if any(name.startswith(prefix) for name in known)
    )
    return [
        (name, _meant(name, known))
        for name, value in sorted(variables.items())
        if name.upper().startswith(prefixes)
        and name.upper() not in known
        and name.upper() not in _OTHERS
        and not _is_set_by_orchestrator(name, value)
    ]


def _is_set_by_orchestrator(name: str, value: str) -> bool:
    return (
        _SET_BY_ORCHESTRATOR.fullmatch(name) is not None
        or is_service_link(name, value)
        or (name.endswith("_NAME") and value.startswith("/"))
    )


def _meant(name: str, known: Collection[str]) -> str | None:
    """Return the setting that resembles a name; also one whose prefix was too much."""
    name = name.upper()
    for prefix in PREFIXES:
        if name.removeprefix(prefix) in known:
            return name.removeprefix(prefix)
    near = get_close_matches(name, sorted(known), n=1, cutoff=_MIN_SIMILARITY)
    return near[0] if near else None
