"""Targets: where states go. Only the modules in here do I/O, each with one library.

Each takes bodies in the queue's normal form and turns its library's faults into `Unavailable`,
whose sentence names the setting to look at.
"""

from contextlib import AbstractAsyncContextManager

from simulator.settings import SimulatorSettings
from simulator.targets.target import Target


def open_target(settings: SimulatorSettings) -> AbstractAsyncContextManager[Target]:
    """Return the target that the settings name, to be entered.

    Entering it raises SettingsError where the settings can never work.
    """
    # Only the one that is used is imported: loading Azure's libraries takes longer than a start.
    match settings.target:
        case "queue":
            from simulator.targets.azure_queue import queue_target

            return queue_target(settings)
        case "mqtt":
            from simulator.targets.mqtt import mqtt_target

            return mqtt_target(settings)
        case "stdout":
            from simulator.targets.stdout import stdout_target

            return stdout_target()
