"""The exceptions of the client."""


class PillowcastError(Exception):
    """The client cannot do what it is asked to."""


class RefusedError(PillowcastError):
    """The gateway refused the client, and another attempt would be refused as well."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the gateway refused ({code}): {reason or 'it did not say why'}")
        self.code = code
        """The close code: 4400 an invalid request, 4401 a missing or invalid token, 4403 an
        origin or a pillow that is not allowed, 4408 no token in time."""
        self.reason = reason


class FrameError(PillowcastError):
    """A frame is invalid; the message names its type and the field."""
