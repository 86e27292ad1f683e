"""A pillow: a Pico W or an ESP32 with an ADXL345. What cannot be sent waits, in flash too.

Copy it to the board as main.py, beside settings.py (WIFI, PILLOW, QUEUE_URL with a SAS) and ca.der.
"""

import json, machine, network, ntptime, os, settings, socket, ssl, struct, time
from math import sqrt

ADDRESS, HZ, REPORT_MS, RETRY_MS, KEPT, FILE = 0x53, 50, 15000, 30000, 300, "waiting.json"
_, _, HOST, PATH = settings.QUEUE_URL.replace("?", "/messages?").split("/", 3)
HEAD = "POST /" + PATH + " HTTP/1.0\r\nHost: " + HOST + "\r\nContent-Length: "
BODY = "<QueueMessage><MessageText>%s</MessageText></QueueMessage>"
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.load_verify_locations(cafile="ca.der")
tls.verify_mode = ssl.CERT_REQUIRED  # MicroPython's default verifies nothing


def classify(window):
    sizes = [sqrt(x * x + y * y + z * z) for x, y, z in window]
    mean = sqrt(sum((sum(axis) / len(window)) ** 2 for axis in zip(*window)))
    moved = sqrt(max(0, sum(size * size for size in sizes) / len(sizes) - mean * mean))
    if "f" * (HZ // 5) in "".join("f" if size < 0.35 else " " for size in sizes):
        return "throwing"
    if max(sizes) > 1.8:
        return "punching" if mean > 1.25 else "shaking"
    return "spinning" if moved > 0.65 and mean < 0.8 else "hugging" if moved > 0.012 else "neutral"


def send(body):
    name, _, port = HOST.partition(":")
    plain = socket.socket()
    try:
        plain.settimeout(5)
        plain.connect(socket.getaddrinfo(name, int(port or 443))[0][-1])
        link = tls.wrap_socket(plain, server_hostname=name)
        link.write(HEAD + "%d\r\n\r\n%s" % (len(body), body))
        if (status := link.read(12))[9:] != b"201":
            raise OSError("the queue answers", status)
    finally:
        plain.close()


bus, wifi = machine.I2C(0), network.WLAN(network.STA_IF)
wifi.active(True)
bus.writeto_mem(ADDRESS, 0x31, b"\x0b")  # DATA_FORMAT: full resolution, 16 g
bus.writeto_mem(ADDRESS, 0x2D, b"\x08")  # POWER_CTL: measure
waiting = json.load(open(FILE)) if FILE in os.listdir() else []
window, reported, reported_at, send_at, count = [], None, 0, time.ticks_ms(), 0
while True:
    time.sleep_ms(1000 // HZ)
    axes = struct.unpack("<hhh", bus.readfrom_mem(ADDRESS, 0x32, 6))
    window, now, count = window[-63:] + [[axis / 256 for axis in axes]], time.ticks_ms(), count + 1
    state = classify(window) if count % 5 == 0 else reported
    if count > 63 and (state != reported or time.ticks_diff(now, reported_at) > REPORT_MS):
        reported, reported_at, clock = state, now, time.gmtime()
        report = {"pillow": settings.PILLOW, "state": state, "seq": count}
        if clock[0] > 2024:  # before the clock is set, the queue's time counts
            report["at"] = "%04d-%02d-%02dT%02d:%02d:%02dZ" % clock[:6]
        waiting.append(json.dumps(report))
        len(waiting) > KEPT and print("the buffer is full, dropped:", waiting.pop(0))
    if waiting and time.ticks_diff(now, send_at) >= 0:
        try:
            wifi.isconnected() or wifi.connect(*settings.WIFI)
            time.gmtime()[0] > 2024 or ntptime.settime()
            send(BODY % waiting[0])
            waiting.pop(0)
            FILE in os.listdir() and not waiting and os.remove(FILE)
        except (OSError, ValueError) as error:  # unreachable, refused or untrusted: sent again
            print("not sent, again in %d ms:" % RETRY_MS, error)
            json.dump(waiting, open("new.json", "w"))
            os.rename("new.json", FILE)
            send_at = time.ticks_add(time.ticks_ms(), RETRY_MS)
