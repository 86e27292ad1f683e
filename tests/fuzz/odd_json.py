"""JSON with odd values. A decoder in C shows the fuzzer none of its branches, so they are here."""

from collections.abc import Sequence
from typing import Final

from tests.fuzz.byte_source import ByteSource

NUMBERS: Final = (
    b"0", b"-1", b"1e3", b"1.5", b"true", b"null", b'"7"', b"[]", b"-1" + b"0" * 400, b"1e400",
    b"9007199254740991", b"9007199254740992", b"1763791200123", b"-0", b"99999999999999999999999",
    b"0.9999999999999999", b"1e-400", b"18446744073709551616", b"-9223372036854775809", b"NaN",
)  # fmt: skip
TIMES: Final = (
    b'"0001-01-01T00:00:00Z"', b'"9999-12-31T23:59:59.999999Z"', b'"1970-01-01T00:00:00Z"',
    b'"2025-11-22T06:00:00+23:59"', b'"2025-11-22t06:00:00z"', b'""',
    b'"9999-12-31T23:59:60-23:59"', b'"2025-11-22T06:00:00.1234567891Z"', b'"2025-11-22 06:00:00Z"',
)  # fmt: skip
TEXTS: Final = (
    b'""', b'"cloud-1"', b'"bridge"', b'"HUGGING"', b'"spin"', b'"\\ud800"', b'"\\u0000"', b'"*"',
    b'"ward-*"', b'"' + b"x" * 300 + b'"', b'"a\xc3\xa4"', b'"\xff"', b'"ahead"', b'"all"',
)  # fmt: skip
OTHERS: Final = (
    b"{}", b"[null]", b"[[1,2,3],[-0.5,1e2,0]]", b"[" * 70 + b"]" * 70, b'{"a":{"a":1,"a":2}}',
    b'["cloud-1","a"]', b'[""]', b"[1]", b" 1 ", b"",
)  # fmt: skip


def odd_value(source: ByteSource) -> bytes:
    """Return a value, which may be no JSON."""
    kind = source.byte()
    if kind % 8 == 0:
        return source.piece()
    return source.choice((NUMBERS, TIMES, TEXTS, OTHERS)[kind % 4])


def odd_object(source: ByteSource, usual: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return an object with some of the usual fields, some of them odd; a name may come twice."""
    fields = []
    oddities = source.byte() | source.byte() << 8
    for number, (name, value) in enumerate(usual):
        if oddities >> number & 1:
            value = odd_value(source)
        if value:
            fields.append(b'"%b":%b' % (name, value))
    for _ in range(source.byte() % 4):
        name = usual[source.byte() % len(usual)][0] if source.byte() % 2 else source.piece()
        fields.append(b'"%b":%b' % (name, odd_value(source)))
    return b"{%b}" % b",".join(fields)
