"""Reads the rules file, and the files that it names."""

from functools import partial
from pathlib import Path

from notifier.rules.parsing import MAX_FILE_BYTES, InvalidRules, parse_rule_book
from notifier.rules.schema import RuleBook
from runtime.secret_files import read_error
from runtime.variables import cleaned


def load_rule_book(path: Path) -> RuleBook:
    """Return the rules of a file; raises InvalidRules, whose message names the file.

    Relative paths in it are relative to its folder.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidRules(f"= {path}: it has more than {MAX_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise InvalidRules(
            f"= {path}: {error.strerror}; docs/webhooks.md shows how to write the rules"
        ) from None
    try:
        return parse_rule_book(content, partial(_read, path.parent))
    except InvalidRules as error:
        raise InvalidRules(f"= {path} cannot be used:\n{error}") from None


def _read(folder: Path, name: str) -> str:
    path = folder / name
    problem = read_error(str(path))
    if problem is not None:
        raise ValueError(problem)
    return cleaned(path.read_text(encoding="utf-8"))
