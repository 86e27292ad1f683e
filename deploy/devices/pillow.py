"""A pillow: a Raspberry Pi with an ADXL345. What cannot be sent waits on disk, and is sent later.

PILLOW=cloud-1 QUEUE_URL='https://ACCOUNT.queue.core.windows.net/pillow-state?SAS' python pillow.py
"""

import json, os, sqlite3, struct, threading, time, urllib.request
from collections import deque
from datetime import datetime, timezone
from math import hypot

from smbus2 import SMBus

ADDRESS, HZ, REPORT_S, KEPT, FILE = 0x53, 50, 15, 10_000, "pillow.db"
QUEUE, SAS = os.environ["QUEUE_URL"].split("?", 1)
BODY = "<QueueMessage><MessageText>%s</MessageText></QueueMessage>"


def classify(window):
    sizes = [hypot(*force) for force in window]
    mean = hypot(*(sum(axis) / len(window) for axis in zip(*window)))
    moved = max(0, sum(size * size for size in sizes) / len(sizes) - mean * mean) ** 0.5
    if "f" * (HZ // 5) in "".join("f" if size < 0.35 else " " for size in sizes):
        return "throwing"
    if max(sizes) > 1.8:
        return "punching" if mean > 1.25 else "shaking"
    return "spinning" if moved > 0.65 and mean < 0.8 else "hugging" if moved > 0.012 else "neutral"


def send():
    buffer, pause = sqlite3.connect(FILE, isolation_level=None), 1
    while True:
        row = buffer.execute("SELECT id, text FROM waiting ORDER BY id LIMIT 1").fetchone()
        try:
            if row:
                body = (BODY % row[1]).encode()
                urllib.request.urlopen(f"{QUEUE}/messages?{SAS}", body, timeout=10).close()
                buffer.execute("DELETE FROM waiting WHERE id = ?", row[:1])
            pause = time.sleep(0 if row else 0.05) or 1
        except OSError as error:  # refused, unreachable or silent: it is sent again
            print(f"not sent, again in {pause} s: {error}", flush=True)
            time.sleep(pause)
            pause = min(30, 2 * pause)


buffer = sqlite3.connect(FILE, isolation_level=None)
buffer.execute("CREATE TABLE IF NOT EXISTS waiting (id INTEGER PRIMARY KEY AUTOINCREMENT, text)")
threading.Thread(target=send, daemon=True).start()
window, reported, reported_s = deque(maxlen=64), None, 0.0
with SMBus(1) as bus:
    bus.write_byte_data(ADDRESS, 0x31, 0x0B)  # DATA_FORMAT: full resolution, 16 g
    bus.write_byte_data(ADDRESS, 0x2D, 0x08)  # POWER_CTL: measure
    while time.sleep(1 / HZ) is None:
        axes = struct.unpack("<hhh", bytes(bus.read_i2c_block_data(ADDRESS, 0x32, 6)))
        window.append([axis / 256 for axis in axes])
        state, now_s = classify(window), time.monotonic()
        if len(window) == 64 and (state != reported or now_s > reported_s + REPORT_S):
            reported, reported_s = state, now_s
            at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            text = json.dumps({"pillow": os.environ["PILLOW"], "state": state, "at": at})
            last = buffer.execute("INSERT INTO waiting (text) VALUES (?)", (text,)).lastrowid
            if buffer.execute("DELETE FROM waiting WHERE id <= ?", (last - KEPT,)).rowcount:
                print("the buffer is full: the oldest state is dropped", flush=True)
