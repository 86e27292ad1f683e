"""The command `delete`: deletes single dead letters for good."""

from collections.abc import Sequence

import msgspec

from poller.commands.context import CommandContext, write_json
from poller.settle.redrive import discard


class DeletionDocument(msgspec.Struct, frozen=True):
    """The JSON that `delete --json` writes: ids, and for those that failed the reason."""

    deleted: Sequence[str]
    failed: dict[str, str]
    not_found: Sequence[str]


async def delete_letters(context: CommandContext, ids: frozenset[str], *, json: bool) -> int:
    """Delete the letters with these ids."""
    stats = await context.stats()
    async with context.scan(stats) as scan:
        result = await discard(context.queue, scan, context.stopping, ids)
    context.print_unreleased(scan)
    missing = sorted(ids.difference(result.done, result.failed))
    context.print_errors(result, missing)
    if json:
        write_json(DeletionDocument(result.done, result.failed, missing))
    else:
        context.stdout(
            f"{len(result.done)} of {len(ids)} deleted from {context.settings.poison_queue}."
        )
    return 1 if result.failed or missing or result.scan_error is not None else 0
