"""The commands `list` and `show`: they change nothing."""

from contextlib import aclosing

from poller.commands.context import CommandContext, write_json
from poller.commands.rendering import print_letter, print_list
from poller.settle.dead_letter_report import DeadLetterReport


async def list_letters(context: CommandContext, *, all_: bool, json: bool) -> int:
    """Print the first page of letters, or all of them."""
    stats = await context.stats()
    letters: list[DeadLetterReport] = []
    if stats.count and not all_:
        letters = [context.report_on(letter, stats) for letter in await context.queue.peek()]
    elif stats.count:
        with context.progress("reading", stats.count) as advance:
            async with aclosing(context.pages(stats)) as pages:
                async for page in pages:
                    for letter in page:
                        letters.append(context.report_on(letter, stats))
                        advance()
    total = stats.count
    if json:
        document = {
            "queue": context.settings.poison_queue,
            "total": total,
            "complete": len(letters) >= total and not context.stopping.is_set(),
            "letters": letters,
        }
        write_json(document)
        return 0
    print_list(context.console, letters)
    if not context.stopping.is_set():
        context.stdout(context.count_line(stats, len(letters), all_=all_))
    return 0


async def show_letter(context: CommandContext, letter_id: str, *, json: bool) -> int:
    """Print one letter with its whole text."""
    stats = await context.stats()
    letter = None
    async with aclosing(context.pages(stats)) as pages:
        async for page in pages:
            letter = next((one for one in page if one.id == letter_id), None)
            if letter is not None:
                break
    if letter is None:
        context.stderr(context.not_found_line([letter_id]))
        return 1
    report = context.report_on(letter, stats)
    if json:
        write_json(report)
    else:
        print_letter(context.console, report, context.settings.poison_queue)
    return 0
