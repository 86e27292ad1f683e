"""Motion requests: a client's message that names the pillows whose motion it wants."""

from contract.frames import BAD_MESSAGE, FORBIDDEN
from gateway.auth.permission import permitted
from gateway.transport.admission import Refusal
from gateway.transport.connection import ClientConnection


def subscribe_motion(client: ClientConnection, pillows: frozenset[str]) -> Refusal | None:
    """Let a client have the motion of these pillows from now on; return why it may not.

    Where the names of all clients take too much memory it gets the motion of none: a cloud that
    rests is better than a client that is sent away.
    """
    if client.has_motion:
        return Refusal(BAD_MESSAGE, "a motion message is for a connection with motion=none")
    if client.grant is not None:
        scope = permitted(pillows, client.grant.scope)
        if isinstance(scope, str):
            return Refusal(FORBIDDEN, scope)
    has_room = client.context.has_room_for_motion(client, pillows)
    client.context.dispatcher.subscribe_motion(client, pillows if has_room else frozenset())
    return None
