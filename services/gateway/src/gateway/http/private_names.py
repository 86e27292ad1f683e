"""Short names for the private members of classes, 2 % of the compressed page. Pure.

A private member, `#connection`, is known in its class only, so another name changes nothing for
anybody else. A name is short in every class of a bundle alike, so that it compresses well.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count, product
from string import ascii_letters
from typing import Final

_CLASS: Final = re.compile(r"^(?:export )?(?:default )?(?:return )?class ", re.MULTILINE)
_USE: Final = re.compile(r"(?<=\.)#([A-Za-z]\w*)")
_DECLARATION: Final = re.compile(
    r"^([ \t]*(?:(?:static|async|get|set) |\*)*)#([A-Za-z]\w*)", re.MULTILINE
)


class PrivateNameError(Exception):
    """A private name stands where it cannot be found; the message names the module and the name."""


def shorten_private_names(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the modules of a bundle, by name, with short names of private members.

    A private name may stand behind a dot, and where it is declared, first on its line. Raises
    PrivateNameError if it stands anywhere else.
    """
    classes = {name: source for name, source in sources.items() if _CLASS.search(source)}
    uses = Counter(one for source in classes.values() for one in _names(source))
    by_frequency = sorted(uses, key=lambda one: (-uses[one], one))
    short = dict(zip(by_frequency, _short_names(), strict=False))
    return {
        name: _shorten(name, source, short) if name in classes else source
        for name, source in sources.items()
    }


def _names(source: str) -> Iterator[str]:
    yield from _USE.findall(source)
    yield from (found[2] for found in _DECLARATION.finditer(source))


def _shorten(module: str, source: str, short: Mapping[str, str]) -> str:
    elsewhere = _DECLARATION.sub("", _USE.sub("", source))
    for name in sorted({found[2] for found in _DECLARATION.finditer(source)}):
        if re.search(rf"#{name}\b", elsewhere):
            raise PrivateNameError(f"{module}: #{name} stands neither behind a dot nor first")
    code = _USE.sub(lambda found: f"#{short[found[1]]}", source)
    return _DECLARATION.sub(lambda found: f"{found[1]}#{short[found[2]]}", code)


def _short_names() -> Iterator[str]:
    """Yield a, b, …, aa, ab, …"""
    for length in count(1):
        for letters in product(ascii_letters, repeat=length):
            yield "".join(letters)
