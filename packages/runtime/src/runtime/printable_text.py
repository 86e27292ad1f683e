"""Text for people: without characters that are invisible or control a terminal. Pure."""


def printable(text: str, keep: str = "") -> str:
    """Escape the characters that are invisible or control a terminal: `\\x1b`, `\\u202e`.

    Those in `keep` stay. A backslash is not escaped, so the result is for people only.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else repr(one)[1:-1] for one in text)


def on_one_line(text: str) -> str:
    """Return the text with single blanks between words, and `?` for what is not printable."""
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))
