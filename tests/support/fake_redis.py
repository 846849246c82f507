"""Something at Redis' address that is not well: it hangs, closes, talks rubbish, or delivers a real server's replies late."""

import socket
import threading

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
