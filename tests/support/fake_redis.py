"""Something at Redis' address that is not well: it hangs, closes, talks rubbish, or delivers a real server's replies late."""

import itertools
import select
import socket
import threading
import time

from support.http_wire import connect
from support.waiting import DEADLINE, wait_until


class Acceptor:
    """Accepts connections and gives each to `serve` on a thread of its own."""

    def __init__(self):
        self.released = threading.Event()
        self.connections = 0
        self._sockets = []
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._spawn(self._accept)

    def _spawn(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(sock)
            self._spawn(self._guarded, sock)

    def _guarded(self, sock):
        try:
            self.serve(sock)
        except OSError:
            pass
        finally:
            sock.close()

    def serve(self, sock):
        raise NotImplementedError

    def close(self):
        self.released.set()
        for sock in [self._listener, *self._sockets]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        for thread in list(self._threads):
            thread.join(DEADLINE)


class SilentRedis(Acceptor):
    """Reads everything, answers nothing."""

    def serve(self, sock):
        while sock.recv(65536):
            pass


class RudeRedis(Acceptor):
    """Answers every read with the same bytes: an error reply, or rubbish; with none, it closes."""

    def __init__(self, answer):
        self.answer = answer
        super().__init__()

    def serve(self, sock):
        while sock.recv(65536):
            if not self.answer:
                return
            sock.sendall(self.answer)


class WordyRedis(Acceptor):
    """Refuses everybody, each connection in other words."""

    def __init__(self):
        self._numbers = itertools.count(1)
        super().__init__()

    def serve(self, sock):
        answer = f"-ERR backend {next(self._numbers)} is away\r\n".encode()
        while sock.recv(65536):
            sock.sendall(answer)


class FickleRedis(Acceptor):
    """Stands before a real server, and closes each connection soon after it was made; `count` of them so far."""

    LIFE = 0.012  # seconds: time for a greeting and a probe

    def __init__(self, real):
        self.real, self.count = real, 0
        super().__init__()

    def serve(self, sock):
        self.count += 1
        with socket.create_connection(self.real) as real:
            for each in (sock, real):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end = time.monotonic() + self.LIFE
            while (left := end - time.monotonic()) > 0:
                for each in select.select([sock, real], [], [], left)[0]:
                    received = each.recv(65536)
                    if not received:
                        return
                    (real if each is sock else sock).sendall(received)


class LateRedis(Acceptor):
    """Stands before a real server; while `hold()` is in force its replies wait, and none is lost."""

    def __init__(self, real):
        self._real = real
        self._flowing = threading.Event()
        self._flowing.set()
        super().__init__()

    def hold(self):
        self._flowing.clear()

    def release(self):
        self._flowing.set()

    def serve(self, sock):
        with connect(self._real, None) as real:
            self._sockets.append(real)
            self._spawn(self._copy_replies, real, sock)
            while data := sock.recv(65536):
                real.sendall(data)

    def _copy_replies(self, real, sock):
        try:
            while data := real.recv(65536):
                wait_until(lambda: self._flowing.is_set() or self.released.is_set(), 4 * DEADLINE, "release()")
                sock.sendall(data)
        except OSError:
            pass
