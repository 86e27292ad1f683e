"""What programs of devices find in place of hardware: an ADXL345 that replays gestures.

Written as modules into a folder, for a Python or a MicroPython of its own.
"""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from simulator.model.motion_trace import motion_trace

HZ: Final = 50

SMBUS2: Final = """
import time
import readings

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(seconds / {speed})

class SMBus:
    def __init__(self, number): pass
    def __enter__(self): return self
    def __exit__(self, *error): pass
    def write_byte_data(self, address, register, value): pass
    def read_i2c_block_data(self, address, register, length): return list(readings.following())
"""

MICROPYTHON: Final = {
    "machine": """
import readings

class I2C:
    def __init__(self, number): pass
    def writeto_mem(self, address, register, value): pass
    def readfrom_mem(self, address, register, length): return bytes(readings.following())
""",
    "network": """
STA_IF = 0

class WLAN:
    def __init__(self, interface): self._joined = False
    def active(self, on): pass
    def isconnected(self): return self._joined
    def connect(self, name, password): self._joined = True
""",
    "ntptime": "def settime(): pass\n",
}

READINGS: Final = """
import json, os

with open("readings.json") as file:
    _readings = json.load(file)
_at = 0

def following():
    global _at
    reading = _readings[min(_at, len(_readings) - 1)]
    if _at or "move" in os.listdir():
        _at += 1
    return reading
"""
"""The pillow rests until there is a file `move`."""


def trace(gestures: Iterable[str]) -> list[list[int]]:
    """Return the register bytes of an ADXL345 during these gestures, one after the other."""
    samples = [
        sample
        for gesture in gestures
        for sample in motion_trace(gesture, seed=7, hz=HZ, duration_s=1.5)[0]
    ]
    return [
        list(struct.pack("<hhh", *(round(axis * 256) for axis in sample))) for sample in samples
    ]


def write_modules(folder: Path, modules: dict[str, str], gestures: Iterable[str]) -> None:
    """Write the stand-ins and their readings."""
    for name, text in {**modules, "readings": READINGS}.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "readings.json").write_text(json.dumps(trace(gestures)))


def without_repeats(states: Iterable[str]) -> list[str]:
    """Return the states without immediate repetitions."""
    listed = list(states)
    return [now for before, now in zip([None, *listed], listed, strict=False) if now != before]
