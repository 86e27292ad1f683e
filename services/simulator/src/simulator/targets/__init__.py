"""Targets: where messages are sent. Each module wraps one library.

A target accepts message bodies in the queue's form. It reports the errors of its library as
`Unavailable`, with a sentence that names the setting to check.
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
    """Return a context manager for a target; entering it raises SettingsError.

    `pillows` are those with a connection of their own, which only the MQTT target has.
    """
    # Only the chosen target is imported, because loading Azure's libraries takes longer than all
    # the rest of the start.
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
