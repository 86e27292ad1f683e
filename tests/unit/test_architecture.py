"""The shape of the code: which module may import which, what is pure, and how large parts may be.

Each test checks every module and lists all offenders, with what to do about them.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Final

from devstack.processes import ROOT
from tests.source_modules import MEMBERS, Function, Module, modules, third_party, tool_modules, top

ALLOWED_MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "contract": frozenset({"contract"}),
    "runtime": frozenset({"contract", "runtime"}),
    "azure_queue": frozenset({"runtime", "azure_queue"}),
    "history": frozenset({"contract", "runtime", "history"}),
    # Outside programs install it alone.
    "pillowcast": frozenset({"pillowcast"}),
    "poller": frozenset({"contract", "runtime", "azure_queue", "poller"}),
    "gateway": frozenset({"contract", "runtime", "history", "gateway"}),
    "notifier": frozenset({"contract", "runtime", "notifier"}),
    "recorder": frozenset({"contract", "runtime", "history", "recorder"}),
    "simulator": frozenset({"contract", "runtime", "azure_queue", "simulator"}),
    # The operator's command uses the services' own functions; no service imports it.
    "ops": frozenset(
        {
            "contract",
            "runtime",
            "azure_queue",
            "history",
            "poller",
            "gateway",
            "notifier",
            "simulator",
            "ops",
        }
    ),
}
"""The members that a member's modules may import."""

# Each service's folders and top-level modules, lowest first: a room imports only rooms before it.
ROOMS: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": (
        "auth",
        "offline_settings",
        "shown_settings",
        "labels_settings",
        "settings",
        "send_times",
        "metrics",
        "watching",
        "state",
        "past",
        "labels",
        "fanout",
        "tracing",
        "transport",
        "http",
        "ops",
        "access_parts",
        "past_parts",
        "listeners",
        "ops_port",
        "transport_parts",
        "garbage",
        "commands",
        "__main__",
    ),
    "poller": (
        "settings",
        "presence_metrics",
        "metrics",
        "background_tasks",
        "queues",
        "intake_limit",
        "queue_age",
        "in_flight",
        "queue_time",
        "azure",
        "settle",
        "journal",
        "publish",
        "presence",
        "consume",
        "tracing",
        "ops",
        "worker",
        "composition",
        "service",
        "commands",
        "__main__",
    ),
    "notifier": (
        "rules",
        "settings",
        "metrics",
        "detect",
        "outbox",
        "deliver",
        "moments",
        "mqtt_consumer",
        "silence_keeper",
        "service",
        "commands",
        "__main__",
    ),
    "recorder": (
        "settings",
        "metrics",
        "intake",
        "batch",
        "retention",
        "tallying",
        "store",
        "migrations",
        "migrate",
        "pruning",
        "database_health",
        "recording",
        "repeated",
        "keeping",
        "tally_keeper",
        "listener",
        "service",
        "commands",
        "__main__",
    ),
    "simulator": (
        "model",
        "scenario",
        "settings",
        "stream",
        "targets",
        "sender",
        "dashboard",
        "terminal",
        "runner",
        "metrics",
        "ops_port",
        "plot",
        "recording",
        "removal",
        "checking",
        "commands",
        "__main__",
    ),
    "ops": (
        "findings",
        "endpoints",
        "service_client",
        "certificates",
        "broker_view",
        "queue_view",
        "rendering",
        "doctor",
        "explain",
        "tail",
        "commands",
        "__main__",
    ),
}

# Modules that decide: values in, values out. They are tested by properties, without a clock.
DECIDERS: Final = (
    "contract.*",
    "runtime.backoff",
    "runtime.log_levels",
    "runtime.networks",
    "runtime.note",
    "runtime.outage",
    "runtime.unknown_settings",
    "runtime.variables",
    "runtime.web_origin",
    "runtime.web_host",
    "runtime.mqtt.retained_set",
    "runtime.mqtt.silence",
    "azure_queue.service",
    "azure_queue.development_account",
    "azure_queue.connection_string",
    "azure_queue.errors",
    "azure_queue.queue_clock",
    "azure_queue.xml_codec",
    "pillowcast.backoff",
    "pillowcast.errors",
    "pillowcast.frame_checks",
    "pillowcast.frames",
    "pillowcast.freshness",
    "pillowcast.gateway_url",
    "pillowcast.pillow_state",
    "pillowcast.retry_policy",
    "pillowcast.server_clock",
    "pillowcast.store",
    "pillowcast.subscription",
    "pillowcast.tokens",
    "pillowcast.update_queue",
    "poller.consume.election",
    "history.episodes",
    "history.listening",
    "history.pages",
    "history.quarters",
    "history.slots",
    "history.spans",
    "history.tallies",
    "history.steps",
    "history.hugs",
    "history.summary",
    "recorder.batch",
    "recorder.intake",
    "recorder.retention",
    "poller.consume.page_size",
    "poller.consume.polling",
    "poller.consume.viewers",
    "poller.consume.classify",
    "poller.journal.save_marks",
    "poller.publish.last_writes",
    "poller.publish.page_order",
    "poller.presence.availability",
    "poller.presence.discovery",
    "poller.presence.words_above_limit",
    "poller.intake_limit",
    "poller.queue_age",
    "poller.queues",
    "poller.settle.queue_outage",
    "poller.ops.pillow_report",
    "poller.settle.dead_letter_report",
    "poller.settle.recent_dead_letter",
    "poller.commands.terminal_text",
    "notifier.rules.literals",
    "notifier.rules.schema",
    "notifier.rules.rule_table",
    "notifier.rules.parsing",
    "notifier.detect.*",
    "notifier.outbox.delivery",
    "notifier.outbox.lanes",
    "notifier.deliver.signature",
    "notifier.deliver.formats",
    "notifier.deliver.retry_policy",
    "gateway.auth.authenticator",
    "gateway.auth.grants",
    "gateway.auth.keys",
    "gateway.auth.permission",
    "gateway.auth.revocations",
    "gateway.auth.scope",
    "gateway.auth.shares",
    "gateway.auth.verifier",
    "gateway.state.ordered_log",
    "gateway.state.state_store",
    "runtime.expiry_schedule",
    "gateway.state.history",
    "runtime.queue_time",
    "gateway.state.pillow_presence",
    "gateway.watching.schedule",
    "gateway.state.presence",
    "runtime.reachable_time",
    "gateway.state.state_age",
    "gateway.ops.pillow_report",
    "gateway.ops.why_grey",
    "gateway.labels.parsing",
    "gateway.http.bundler",
    "gateway.http.private_names",
    "gateway.http.csp",
    "gateway.http.negotiation",
    "gateway.fanout.flush_planner",
    "gateway.fanout.catch_up_queue",
    "gateway.fanout.writes",
    "gateway.fanout.group_map",
    "gateway.fanout.subscriptions",
    "gateway.fanout.coalescing",
    "gateway.fanout.catch_up",
    "gateway.fanout.motion",
    "gateway.fanout.positions",
    "gateway.fanout.walking",
    "gateway.fanout.batching",
    "gateway.transport.subscribe_budget",
    "gateway.transport.traffic_limits",
    "gateway.transport.timing_wheel",
    "gateway.fanout.encoding",
    "gateway.transport.address_limits",
    "gateway.transport.admission",
    "gateway.transport.host_policy",
    "gateway.transport.client_address",
    "gateway.transport.origin_policy",
    "gateway.transport.forwarded",
    "gateway.transport.connection_limits",
    "runtime.security_headers",
    "gateway.transport.cpu_budget",
    "gateway.transport.frame_scanner",
    "gateway.transport.request_limits",
    "ops.findings",
    "ops.explain.ages",
    "ops.explain.facts",
    "ops.explain.lines",
    "ops.explain.rules",
    "ops.explain.verdict",
    "ops.tail.sightings",
    "simulator.model.*",
    "simulator.scenario.literals",
    "simulator.scenario.schema",
    "simulator.scenario.schema_types",
    "simulator.scenario.rules",
    "simulator.scenario.parsing",
    "simulator.scenario.plan",
    "simulator.stream.*",
    "simulator.checking.observations",
    "simulator.checking.assertions",
    "simulator.recording.recording_file",
    "simulator.recording.playback",
    "simulator.plot",
)
# What a decider may import besides other deciders. importlib.resources reads states.json, once.
PURE: Final = frozenset(
    {
        "unicodedata",
        "ast", "base64", "binascii", "bisect", "calendar", "collections", "collections.abc",
        "dataclasses", "datetime", "difflib", "email.utils", "enum", "functools", "hashlib", "hmac",
        "heapq", "importlib.resources", "inspect", "ipaddress", "itertools", "json", "math",
        "msgspec", "operator", "posixpath", "re", "string", "tomllib", "types", "typing",
        "urllib.parse", "xml.etree", "xml.sax.saxutils",
        # Pure functions and classes: bytes in, bytes out.
        "jwt", "jwt.algorithms",
        "websockets.extensions.permessage_deflate", "websockets.frames",
    }
)  # fmt: skip
CLOCK_METHODS: Final = frozenset({"now", "utcnow", "today"})

# The modules that may import a library, so that a change of the library is a change there.
WRAPPED: Final[Mapping[str, frozenset[str]]] = {
    "paho": frozenset({"runtime.mqtt.paho_loop", "runtime.mqtt.properties"}),
    "aiohttp": frozenset({"notifier.deliver.http_sender", "notifier.deliver.resolver"}),
    "azure": frozenset(
        {
            "azure_queue.account",
            "azure_queue.auth",
            "azure_queue.storage_queue",
        }
    ),
    "httptools": frozenset({"gateway.transport.request_parser", "azure_queue.http_pool"}),
    "uvicorn": frozenset(
        {"runtime.server", "runtime.private_server", "gateway.transport.http_protocol"}
    ),
    "websockets": frozenset(
        {
            "gateway.transport.handshake",
            "gateway.transport.message_reader",
            "gateway.fanout.encoding",
            "ops.tail.feeds",
            "pillowcast.web_socket",
        }
    ),
    "jwt": frozenset(
        {
            "gateway.auth.keys",
            "gateway.auth.shares",
            "gateway.auth.verifier",
            "gateway.commands.cli",
        }
    ),
    "opentelemetry": frozenset(
        {
            "runtime.tracing.export_health",
            "runtime.tracing.provider",
            "runtime.tracing.tracer",
        }
    ),
    "uvloop": frozenset({"runtime.lifecycle"}),
    "pydantic_settings": frozenset({"runtime.settings", "runtime.secret_files"}),
    "rich": frozenset(
        {
            "simulator.dashboard",
            "simulator.terminal",
            "simulator.commands.check",
            "simulator.commands.listing",
            "simulator.commands.poke",
            "poller.commands.rendering",
            "poller.commands.context",
            "ops.rendering",
            "recorder.commands.context",
            "recorder.commands.work",
        }
    ),
    "typer": frozenset(
        {
            "runtime.command_line",
            "simulator.commands.check",
            "simulator.commands.clear",
            "simulator.commands.listing",
            "simulator.commands.options",
            "simulator.commands.poke",
            "simulator.commands.record",
            "simulator.commands.replay",
            "simulator.commands.run",
            "simulator.commands.trace",
            "poller.commands.context",
            "poller.commands.cli",
            "poller.commands.replay",
            "gateway.commands.cli",
            "notifier.commands.cli",
            "ops.commands.adopted",
            "ops.commands.bench",
            "ops.commands.doctor",
            "ops.commands.explain",
            "ops.commands.options",
            "ops.commands.tail",
            "ops.commands.trace_client",
            "recorder.commands.cli",
        }
    ),
}

MAX_MODULE_LINES: Final = 300
MAX_FUNCTION_LINES: Final = 60
MAX_CONSTRUCTOR_PARAMETERS: Final = 5

# Values without behaviour, and a package's list of public names.
WITHOUT_TESTS: Final = frozenset(
    {
        "contract.http_types",
        "contract.wire_types",
        "runtime.mqtt",
        "runtime.mqtt.connection_events",
        "runtime.mqtt.errors",
        "runtime.note",
    }
)


def test_every_member_has_a_rule_about_what_it_imports() -> None:
    """A new member needs a row in ALLOWED_MEMBERS, and a service one in ROOMS."""
    services = {path.name for path in MEMBERS.values() if path.parent.name == "services"}

    assert set(MEMBERS) == set(ALLOWED_MEMBERS)
    assert services == set(ROOMS)


def test_a_module_imports_only_the_members_below_its_own() -> None:
    """The contract imports no member, the runtime no service, a service no other service."""
    offenders = [
        f"{module} imports {name}"
        for module in modules()
        for name in sorted(module.imports)
        if top(name) in MEMBERS and top(name) not in ALLOWED_MEMBERS[module.member]
    ]

    nothing(offenders, "move what is shared to packages/contract or packages/runtime")


def test_the_contract_depends_on_msgspec_only() -> None:
    """A program outside this repository can then use it at little cost."""
    offenders = [
        f"{module} imports {name}"
        for module in modules()
        if module.member == "contract"
        for name in sorted(third_party(module))
        if name != "msgspec"
    ]

    nothing(offenders, "do without the library, or do it in packages/runtime")


def test_a_room_imports_only_rooms_before_it() -> None:
    """Imports within a service go one way; ROOMS is the order, lowest first."""
    offenders = []
    for module in modules():
        order = ROOMS.get(module.member, ())
        for name in sorted(module.imports):
            own, other = module.room.partition(".")[2], name.split(".")[1:2]
            if top(name) != module.member or not {own, *other} <= set(order):
                continue
            if order.index(other[0]) > order.index(own):
                offenders.append(f"{module} imports {name}")

    nothing(offenders, "pass the value in, or move the part that both need to the lower room")


def test_the_order_of_rooms_names_every_room_and_no_other() -> None:
    """A new folder gets its place in ROOMS."""
    for service, order in ROOMS.items():
        rooms = {module.room.partition(".")[2] for module in modules() if module.member == service}

        assert rooms - {""} == set(order), f"ROOMS[{service!r}]"


def test_a_decider_has_no_effect_and_reads_no_clock() -> None:
    """It imports deciders and PURE only: no event loop, socket, randomness, log or clock."""
    deciders = {one.name for one in modules() if is_decider(one)}
    offenders = []
    for module in filter(is_decider, modules()):
        offenders += [
            f"{module} imports {name}"
            for name in sorted(module.imports - PURE)
            if name not in deciders
        ]
        offenders += [
            f"{module}, line {node.lineno}, calls .{node.attr}()"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and node.attr in CLOCK_METHODS
        ]

    nothing(offenders, "take the value as an argument, or move the effect to another module")


def test_the_lists_of_this_module_name_existing_modules() -> None:
    """A name that no module has would guard nothing."""
    names = {module.name for module in modules()}
    listed = {one.removesuffix(".*") for one in DECIDERS}.union(*WRAPPED.values())

    nothing(sorted(listed - names), "no module has this name: rename it in DECIDERS or WRAPPED")


def test_a_wrapped_library_is_imported_only_by_its_wrappers() -> None:
    """A change of the library is then a change in the modules that WRAPPED names."""
    offenders, unused = [], []
    for library, wrappers in WRAPPED.items():
        users = {
            str(module) for module in modules() if library in {top(name) for name in module.imports}
        }
        offenders += [f"{user} imports {library}" for user in sorted(users - wrappers)]
        unused += [f"{name} does not import {library}" for name in sorted(wrappers - users)]

    nothing(offenders, "use the library through one of the modules in WRAPPED")
    nothing(unused, "remove it from WRAPPED")


def test_no_code_is_made_from_text_at_run_time() -> None:
    """`eval`, `exec`, `compile` and `__import__` would run what arrives from outside."""
    offenders = [
        f"{module}, line {node.lineno}, calls {node.func.id}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"eval", "exec", "compile", "__import__"}
    ]

    nothing(offenders, "parse the value: msgspec, ast.literal_eval")


def test_only_the_settings_and_their_secret_files_read_the_environment() -> None:
    """Every setting is then declared, checked and listed in .env.example."""
    readers = {
        str(module)
        for module in modules()
        if re.search(r"\bos\.(environ|getenv)\b", module.source) is not None
    }

    # OpenTelemetry's SDK has no settings but the environment's, so those of files are put there.
    allowed = {"runtime.settings", "runtime.secret_files", "runtime.tracing.provider"}
    nothing(
        sorted(readers - allowed),
        "declare a setting in the service's settings",
    )


def test_a_shared_module_has_a_test_module_of_its_name() -> None:
    """In tests/unit, or in tests/integration where it needs a broker."""
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    offenders = []
    for module in modules():
        if module.member not in ("contract", "runtime", "azure_queue") or "." not in module.name:
            continue
        if module.name in WITHOUT_TESTS:
            continue
        _, *parts = module.name.split(".")
        names = (f"test_{'_'.join(parts)}", f"test_{parts[-1]}")
        if not any(test == name or test.startswith(f"{name}_") for name in names for test in tests):
            offenders.append(str(module))

    nothing(offenders, "add a test module: tests/unit/<package>/test_<module>.py")


def test_no_module_is_longer_than_300_lines() -> None:
    """A longer one has more than one concern."""
    found = [
        f"{module}: {module.lines}"
        for module in (*modules(), *tool_modules())
        if module.lines > MAX_MODULE_LINES
    ]

    nothing(found, "split the module by concern")


def test_no_function_is_longer_than_60_lines() -> None:
    """Its steps are functions of their own."""
    found = [
        f"{module}, {function.name}: {lines}"
        for module in (*modules(), *tool_modules())
        for function in module.functions()
        if (lines := _lines(function)) > MAX_FUNCTION_LINES
    ]

    nothing(found, "split the function")


def test_no_constructor_takes_more_than_five_parameters() -> None:
    """More collaborators mean that the class does the work of several.

    The generated constructors of dataclasses and named tuples of plain values do not count.
    """
    found = [
        f"{module}, {owner.name}: {count}"
        for module in modules()
        for owner in ast.walk(module.tree)
        if isinstance(owner, ast.ClassDef)
        for method in owner.body
        if isinstance(method, Function) and method.name == "__init__"
        if (count := _parameters(method)) > MAX_CONSTRUCTOR_PARAMETERS
    ]

    nothing(found, "split the class, or pass one frozen dataclass of its limits")


def is_decider(module: Module) -> bool:
    """Return whether DECIDERS names the module or its package."""
    return any(
        module.name == one or (one.endswith(".*") and (module.name + ".").startswith(one[:-1]))
        for one in DECIDERS
    )


def nothing(offenders: Iterable[str], remedy: str) -> None:
    """Fail with every offender and what to do about it."""
    lines = "\n".join(f"  {one}" for one in offenders)
    assert not lines, f"\n{lines}\n→ {remedy}"


def _lines(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def _parameters(function: Function) -> int:
    given = function.args
    return len(given.posonlyargs + given.args + given.kwonlyargs) - 1
