"""Targets: where messages go. Only the modules in here do I/O, each with one library.

Each takes bodies in the queue's form and turns its library's faults into `Unavailable`, whose
sentence names the setting to look at.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from simulator.settings import SimulatorSettings, TargetName
from simulator.targets.target import Target


def open_target(
    name: TargetName,
    settings: SimulatorSettings,
    *,
    pillows: Sequence[str] = (),
) -> AbstractAsyncContextManager[Target]:
    """Return a target, to be entered; entering raises SettingsError for what can never work.

    `pillows` are those that have a connection of their own, where the target knows connections.
    """
    # Only the one that is used is imported: loading Azure's libraries takes longer than a start.
    match name:
        case "queue":
            from simulator.targets.azure_queue import queue_target

            return queue_target(settings)
        case "mqtt":
            from simulator.targets.mqtt import mqtt_target

            return mqtt_target(settings, pillows)
        case "stdout":
            from simulator.targets.stdout import stdout_target

            return stdout_target()
