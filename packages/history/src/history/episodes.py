"""Episodes: reports of one state after the other are one episode, however many they are. Pure."""

from dataclasses import dataclass, replace
from typing import Final

SILENCE_US: Final = 30_000_000
"""A pillow that has reported nothing for so long is asleep, and its episode has ended with its last
report: the default of GATEWAY_EXPIRE_AFTER."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which a pillow was in one state; instants in microseconds since 1970.

    It begins with its first report. It ends with the first report of another state, or with its
    own last report if there was silence then.
    """

    state: str
    began_us: int
    ended_us: int
    reports: int = 1

    def __post_init__(self) -> None:
        assert self.began_us <= self.ended_us, f"an episode from {self.began_us} to {self.ended_us}"


def observe(last: Episode | None, at_us: int, state: str) -> list[Episode]:
    """Return the episodes that a report changes or begins, the pillow's last one at the end.

    `last` is the pillow's last episode so far. An episode that changes keeps its beginning. A
    report that is known, or older than the last episode's end, changes nothing: what the poller
    superseded does not come at all, and a state may come again. So it does not matter how often,
    and by how many recorders, the same reports are observed.
    """
    if last is None:
        return [Episode(state, at_us, at_us)]
    if at_us < last.ended_us or (at_us == last.ended_us and state == last.state):
        return []
    if at_us - last.ended_us > SILENCE_US:
        return [Episode(state, at_us, at_us)]
    if state == last.state:
        return [replace(last, ended_us=at_us, reports=last.reports + 1)]
    if at_us == last.began_us:
        # Two states of one instant: the later one counts, and has the place of the other.
        return [Episode(state, at_us, at_us)]
    return [replace(last, ended_us=at_us), Episode(state, at_us, at_us)]
