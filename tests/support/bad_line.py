"""A relay between a gateway and a real redis-server that spoils the line when told to: late, half-closed, or with bytes of its own."""

import queue
import socket
import time

from support.fake_redis import Acceptor
from support.http_wire import connect
from support.waiting import DEADLINE, wait_until

RUBBISH = b"\x16\x03?!\r\n\r\n"
MOST_CHUNKS = 10_000  # of replies that wait for their time


class BadLine(Acceptor):
    """Relays faithfully at first. Each fault holds for present and later connections until `heal()`."""

    def __init__(self, real):
        self._real = real
        self._pairs = []       # (the gateway's socket, the server's) of connections that live
        self._delay = 0.0      # seconds by which replies are late
        self._rubbish = False  # in front of each piece of a reply
        self._shut = None      # "to gateway", "to redis": this direction of each connection is closed, the other is not
        super().__init__()

    def delay(self, seconds):
        self._delay = seconds

    def inject(self):
        self._rubbish = True

    def half_close(self, direction):
        self._shut = direction
        for pair in list(self._pairs):
            self._shut_one(*pair)

    def heal(self):
        self._delay, self._rubbish = 0.0, False
        if self._shut:
            self._shut = None
            for pair in list(self._pairs):  # nothing opens a direction again
                self._end(*pair)

    def _shut_one(self, gateway, real):
        try:
            (gateway if self._shut == "to gateway" else real).shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def _end(*sockets):
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve(self, sock):
        try:
            real = connect(self._real, None)
        except OSError:
            return  # the gateway sees an end
        with real:
            pair = (sock, real)
            self._pairs.append(pair)
            late = queue.Queue(MOST_CHUNKS)
            self._spawn(self._read_replies, sock, real, late)
            self._spawn(self._write_replies, sock, late)
            if self._shut:
                self._shut_one(*pair)
            try:
                while data := sock.recv(65536):
                    self._pass_on(real, data)
            finally:
                self._pairs.remove(pair)
                self._end(real)

    def _pass_on(self, real, data):
        try:
            real.sendall(data)
        except OSError:
            if not self._shut:
                raise  # a direction that is closed swallows

    def _read_replies(self, sock, real, late):
        try:
            while data := real.recv(65536):
                late.put((time.monotonic(), data), timeout=DEADLINE)
        except OSError:
            pass
        finally:
            late.put(None)
            if not self._shut:
                self._end(sock)

    def _write_replies(self, sock, late):
        while item := late.get():
            came, data = item
            wait_until(lambda: time.monotonic() >= came + self._delay or self.released.is_set(), 4 * DEADLINE, "the delay")
            try:
                sock.sendall(RUBBISH + data if self._rubbish else data)
            except OSError:
                pass  # what follows is of no use to anybody
