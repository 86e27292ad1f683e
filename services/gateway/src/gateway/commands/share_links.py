"""The commands `gateway share`, `shares` and `unshare`."""

import secrets
import sys
import time
from typing import Final

import msgspec

from contract.shares import ShareRecord
from gateway.auth.scope import Scope
from gateway.auth.shares import make_share
from gateway.commands.share_store import ShareStore
from gateway.settings import GatewaySettings
from runtime.command_names import command_name

COMMAND: Final = "gateway"

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH: Final = 16


async def share(
    settings: GatewaySettings, scope: Scope, *, key: str, lasts_s: int | None, note: str
) -> None:
    """Store a new link, and print it: the only time that it is shown."""
    share_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
    link = make_share(share_id, scope, key, now_s=int(time.time()), lasts_s=lasts_s, note=note)
    async with ShareStore(settings).connected() as store:
        await store.add(link.record)
    sys.stdout.write(f"{settings.page_url}#token={link.token}\n")
    sys.stderr.write(
        f"{link.record.id}: {_described(link.record, int(time.time()))}. Whoever has the link can "
        f"look; `{command_name(COMMAND)} unshare {share_id}` ends it.\n"
    )


async def list_shares(settings: GatewaySettings, *, as_json: bool) -> None:
    """Print every link that was made, the newest first; forget those that expired long ago."""
    now_s = int(time.time())
    async with ShareStore(settings).connected() as store:
        records = sorted(store.records.values(), key=lambda one: one.created, reverse=True)
        for record in records:
            if record.expires is not None and record.expires < now_s - _KEEP_EXPIRED_S:
                await store.forget(record.id)
        revoked = {record.id for record in records if record.id in store.revocations}
    for record in records:
        if as_json:
            line = {**msgspec.to_builtins(record), "revoked": record.id in revoked}
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        else:
            end = "revoked" if record.id in revoked else _described(record, now_s)
            sys.stdout.write(f"{record.id}  {end}  {record.note}".rstrip() + "\n")
    if not records and not as_json:
        command = f"{command_name(COMMAND)} share cloud-1 --for 7d"
        sys.stderr.write(f"there are no share links; `{command}` makes one\n")


async def unshare(settings: GatewaySettings, share_id: str) -> bool:
    """Revoke a link; return whether there is one."""
    async with ShareStore(settings).connected() as store:
        if share_id not in store.records:
            return False
        await store.revoke(share_id, int(time.time()))
    sys.stderr.write(f"{share_id} is revoked\n")
    return True


_KEEP_EXPIRED_S: Final = 30 * 86_400
"""How long an expired link stays listed."""

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))


def _described(record: ShareRecord, now_s: int) -> str:
    pillows = " ".join(record.pillows[:5]) + (" …" if len(record.pillows) > 5 else "")
    if record.expires is None:
        return f"{pillows}, for ever"
    left_s = record.expires - now_s
    unit_s, unit = next((one for one in _UNITS if abs(left_s) >= one[0]), (1, "s"))
    amount = f"{abs(left_s) // unit_s} {unit}"
    return f"{pillows}, expired {amount} ago" if left_s <= 0 else f"{pillows}, for another {amount}"
