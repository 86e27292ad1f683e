"""`list` and `show`: nothing is changed by looking."""

from contextlib import aclosing

from poller.commands.context import Box, letter_pages, write_json
from poller.commands.rendering import print_letter, print_list
from poller.settle.dead_letters import Account


async def list_letters(box: Box, *, all_: bool, json: bool) -> int:
    survey = await box.queue.survey()
    letters: list[Account] = []
    if survey is not None and survey.count and not all_:
        letters = [box.describe(letter, survey) for letter in await box.queue.peek()]
    elif survey is not None and survey.count:
        with box.progress("reading", survey.count) as advance:
            async with aclosing(letter_pages(box, survey)) as pages:
                async for page in pages:
                    for letter in page:
                        letters.append(box.describe(letter, survey))
                        advance()
    total = survey.count if survey is not None else 0
    if json:
        document = {
            "queue": box.settings.poison_queue,
            "total": total,
            "complete": len(letters) >= total and not box.stopping.is_set(),
            "letters": letters,
        }
        write_json(document)
        return 0
    print_list(box.out, letters)
    if not box.stopping.is_set():
        box.say(box.sum_up(survey, len(letters), all_=all_))
    return 0


async def show_letter(box: Box, wanted: str, *, json: bool) -> int:
    survey = await box.queue.survey()
    letter = None
    if survey is not None:
        async with aclosing(letter_pages(box, survey)) as pages:
            async for page in pages:
                letter = next((one for one in page if one.id == wanted), None)
                if letter is not None:
                    break
    if survey is None or letter is None:
        box.note(box.not_found([wanted]))
        return 1
    account = box.describe(letter, survey)
    if json:
        write_json(account)
        return 0
    print_letter(box.out, account, box.settings.poison_queue)
    return 0
