"""A process that is one crowd, on one epoll loop: `python -m bench.abuse.attacker PORT NAME N S`.

At its end it prints a line of JSON: how many sockets it opened, and how the server ended them.
"""

import contextlib
import json
import os
import select
import socket
import sys
import time
from collections import Counter, deque
from typing import Final

from bench.abuse.crowds import CROWDS, Crowd
from bench.abuse.wire import close_code

HOST: Final = "127.0.0.1"
_KEPT_BYTES: Final = 4096


class Client:
    """One socket of the crowd."""

    def __init__(self, plain: socket.socket, first: bytes) -> None:
        self.socket = plain
        self.unsent = first
        self.received = b""
        self.opened_s = time.monotonic()
        self.is_connected = False


class Attacker:
    """Keeps the sockets of a crowd open, and counts how the server ends them."""

    def __init__(self, port: int, crowd: Crowd, sockets: int) -> None:
        self._port = port
        self._crowd = crowd
        self._wanted = sockets
        self._epoll = select.epoll()
        self._clients: dict[int, Client] = {}
        self._aged: deque[Client] = deque()
        self._again_s = 0.0
        self._leave_s = 0.0
        self._allowance = 0.0
        self.opened = 0
        self.most_open = 0
        self.outcomes: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Attack for so long."""
        last_s = time.monotonic()
        end_s = last_s + seconds
        while (now_s := time.monotonic()) < end_s:
            self._open_more(now_s - last_s)
            last_s = now_s
            for descriptor, events in self._epoll.poll(0.01, 1024):
                client = self._clients.get(descriptor)
                if client is not None:
                    self._handle(client, events)
            self._say_again(now_s)
            self._close_old(now_s)
            self._close_all(now_s)
        self._epoll.close()

    def _open_more(self, passed_s: float) -> None:
        per_second = self._crowd.per_second
        self._allowance = min(self._allowance + passed_s * per_second, per_second / 4 + 1)
        while self._allowance >= 1 and len(self._clients) < self._wanted:
            if not self._crowd.returns and self.opened >= self._wanted:
                return
            self._allowance -= 1
            plain = socket.socket()
            plain.setblocking(False)
            # Otherwise the system joins what is sent again and again, which costs the server less.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._crowd.receive_buffer is not None:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._crowd.receive_buffer)
            plain.connect_ex((HOST, self._port))
            client = Client(plain, self._crowd.first)
            self._clients[plain.fileno()] = client
            self._aged.append(client)
            self._epoll.register(plain.fileno(), select.EPOLLOUT | select.EPOLLRDHUP)
            self.opened += 1
            self.most_open = max(self.most_open, len(self._clients))

    def _handle(self, client: Client, events: int) -> None:
        if events & select.EPOLLIN:
            self._read(client)
        elif events & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
            self._read_rest(client)
        if events & select.EPOLLOUT and client.socket.fileno() >= 0:
            client.is_connected = True
            self._send(client)

    def _send(self, client: Client) -> None:
        with contextlib.suppress(OSError):
            if client.unsent:
                client.unsent = client.unsent[client.socket.send(client.unsent) :]
        events = select.EPOLLRDHUP | (select.EPOLLIN if self._crowd.reads else 0)
        self._epoll.modify(
            client.socket.fileno(), events | (select.EPOLLOUT if client.unsent else 0)
        )

    def _read(self, client: Client) -> None:
        try:
            data = client.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            client.received = (client.received + data)[:_KEPT_BYTES]
        else:
            self._end(client, "closed")

    def _read_rest(self, client: Client) -> None:
        """Read why the server has closed a client that reads nothing else."""
        with contextlib.suppress(OSError):
            client.received += client.socket.recv(1 << 18)
        self._end(client, "closed")

    def _end(self, client: Client, how: str) -> None:
        status = client.received[9:12].decode("latin-1")
        code = close_code(client.received) if status == "101" else None
        if code is not None:
            how = f"{how} {code}"
        elif status and status != "101":
            how = f"HTTP {status}"
        self.outcomes[how] += 1
        self._clients.pop(client.socket.fileno(), None)
        client.socket.close()

    def _say_again(self, now_s: float) -> None:
        if not self._crowd.again or now_s < self._again_s:
            return
        self._again_s = now_s + self._crowd.again_s
        for client in list(self._clients.values()):
            if client.is_connected and not client.unsent:
                with contextlib.suppress(OSError):
                    client.socket.send(self._crowd.again)

    def _close_all(self, now_s: float) -> None:
        if self._crowd.leave_s is not None and now_s >= self._leave_s:
            self._leave_s = now_s + self._crowd.leave_s
            for client in list(self._clients.values()):
                self._end(client, "left")

    def _close_old(self, now_s: float) -> None:
        stays_s = self._crowd.stays_s
        if stays_s is None:
            return
        while self._aged and now_s - self._aged[0].opened_s >= stays_s:
            client = self._aged.popleft()
            if client.socket.fileno() >= 0:
                self._end(client, "left")


def main() -> None:
    """Attack, and print what happened."""
    port, name, sockets, seconds = sys.argv[1:]
    # The good clients share its CPU, and their delays are measured.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(10)
    attacker = Attacker(int(port), CROWDS[name], int(sockets))
    attacker.run(float(seconds))
    print(
        json.dumps(
            {
                "opened": attacker.opened,
                "most_open": attacker.most_open,
                "outcomes": dict(attacker.outcomes.most_common()),
            }
        )
    )


if __name__ == "__main__":
    main()
