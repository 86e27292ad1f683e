"""The contract's README agrees with the code."""

import json
import re
from typing import Any, Final

import msgspec
import pytest

from contract import frames
from contract.dead_letters import EXCERPT_CHARACTERS, DeadLetterAnnouncement
from contract.documents.mqtt_channels import CHANNELS, address_of
from contract.frames import BrowserFrame, ServerFrame, decode_request
from contract.messages import MAX_BODY_BYTES, MAX_STATE_BYTES, ParsedMessage, Reason, decode_message
from contract.motion import Motion
from contract.states import STATES
from contract.updates import EXPIRY_S, Update, decode_state
from contract.watching import MAX_WATCHING
from devstack.processes import ROOT

README: Final = (ROOT / "packages" / "contract" / "README.md").read_text(encoding="utf-8")
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.splitlines()
    if line.startswith("|") and not line.startswith("| ---")
]
BLOCKS: Final = re.findall(r"```json\n(.*?)```", README, re.DOTALL)


NAMES: Final = {"pillow": "id", "gateway": "instance", "share_id": "share-id"}
"""What the README calls a parameter of a topic, where it has another name."""


def code(text: str) -> list[str]:
    """What a cell shows as code."""
    return re.findall(r"`([^`]+)`", text)


def test_every_state_is_listed_with_its_label_and_aliases() -> None:
    """And no other."""
    listed = {row[0]: (row[1], tuple(code(row[2]))) for row in ROWS if row[0].strip("`") in STATES}

    assert listed == {f"`{name}`": (look.label, look.aliases) for name, look in STATES.items()}


def test_every_reason_is_listed() -> None:
    """And no other."""
    section = README.split("## Dead letters")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE)

    assert listed == [reason.value for reason in Reason]


@pytest.mark.parametrize(
    "frame", [*ServerFrame.__args__, *BrowserFrame.__args__], ids=lambda frame: frame.__name__
)
def test_every_frame_is_shown_with_its_fields(frame: type[msgspec.Struct]) -> None:
    """Those of the gateway in a table, those of a browser as examples."""
    tag = str(frame.__struct_config__.tag)
    listed = {row[0].strip("`"): code(row[1]) for row in ROWS if len(row) == 3}
    shown = [json.loads(line) for block in BLOCKS for line in block.splitlines()]
    examples = [[*one][1:] for one in shown if one.get("type") == tag]

    fields = [field.name for field in msgspec.structs.fields(frame)]
    assert listed.get(tag) == fields or fields in examples


def test_every_close_code_is_listed() -> None:
    """And no other."""
    codes = {
        value for name, value in vars(frames).items()
        if name.isupper() and isinstance(value, int) and 1000 < value < 5000
        and not name.startswith("MAX")
    }  # fmt: skip
    listed = {int(row[0]) for row in ROWS if re.fullmatch(r"\d{4}", row[0])}

    assert listed == codes


def test_every_topic_is_listed() -> None:
    """As the code builds it."""
    written = {
        re.sub(
            "{([a-z_]+)}", lambda found: f"<{NAMES.get(found[1], found[1])}>", address_of(name)
        ).replace("<prefix>", "pillow")
        for name in CHANNELS
    }

    assert {row[0].strip("`") for row in ROWS if row[0].startswith("`pillow/")} == written


def test_the_numbers_are_those_of_the_code() -> None:
    """Limits and times."""
    for text in (
        f"first {EXCERPT_CHARACTERS} characters",
        f"at most {MAX_WATCHING}",
        f"more than {MAX_BODY_BYTES} bytes, or its state more than {MAX_STATE_BYTES}",
        f"expiry after {EXPIRY_S // 86400} days",
        f"sent every {frames.HEARTBEAT_S} s",
        f"at most {frames.MAX_SUBSCRIBED} pillows",
        f"at most {frames.MAX_REQUEST_BYTES} bytes",
        f"subprotocol `{frames.SUBPROTOCOL}`",
    ):
        assert text in README


def test_the_examples_decode_as_what_they_are() -> None:
    """A message, a dead letter, a state, requests, and a frame of samples."""
    message, letter, state, requests, report, wish, samples = BLOCKS
    read: Any = decode_message(message, default_pillow="cloud", queued_us=1_763_791_200_000_000)

    assert isinstance(read, ParsedMessage)
    assert msgspec.json.decode(letter, type=DeadLetterAnnouncement).reason == Reason.BAD_ID
    assert isinstance(decode_state("cloud-1", state.strip().encode()), Update)
    lines = [*requests.splitlines(), report, wish]
    assert not any(isinstance(decode_request(line), str) for line in lines)
    assert msgspec.json.decode(samples, type=Motion).pillows


def test_each_line_has_one_sentence() -> None:
    """So that a diff shows the sentence that changed."""
    prose = [
        line for line in re.sub(r"```.*?```", "", README, flags=re.DOTALL).splitlines()
        if not line.startswith(("|", "#"))
    ]  # fmt: skip

    assert [line for line in prose if re.search(r"[.!?] [A-Z]", line)] == []
