"""Permission: what a client that asks for some pillows gets of them, by the scope of its token."""

from contract.json_limits import abbreviated
from gateway.auth.scope import EVERYTHING, Scope


def permitted(asked: frozenset[str] | None, scope: Scope) -> frozenset[str] | Scope | str | None:
    """Return the pillows that a client gets who asks for some, or for all that it may see (None).

    A sentence says which pillow is not permitted, because a client that got only a part would show
    the others as unknown.
    """
    if asked is None:
        if scope == EVERYTHING:
            return None
        return scope if scope.prefixes else scope.ids
    foreign = sorted(pillow for pillow in asked if pillow not in scope)
    if foreign:
        others = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        return f"the token does not permit {abbreviated(foreign[0])}{others}"
    return asked
