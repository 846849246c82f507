"""An app behind the gateway, in this process: records every request byte by byte and answers as a script tells it.

A script is a function of one Exchange. What arrives and is not strict HTTP/1.1, and what arrives after
`expect_nothing()`, fails the test when the upstream is closed.
"""

import socket
import struct
import threading
import time

from support.http_wire import REQUEST_LINE, Fields, Reader, Truncated, WireError, framing_of
from support.waiting import DEADLINE, wait_until


def reply(status="200 OK", body=b"", fields=(), length=True):
    """The bytes of a response."""
    lines = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def answering(data):
    """A script that reads the whole request and answers these bytes."""
    def script(exchange):
        exchange.read_body()
        exchange.send(data)
    return script


class Request:
    """A request as it arrived."""

    def __init__(self, method, target, version, fields, head, connection):
        self.method, self.target, self.version, self.fields = method, target, version, fields
        self.head = head              # its bytes, up to and with the empty line
        self.connection = connection  # number of the connection that it came on, from 1
        self.framing = framing_of(fields)[0]
        self.body = b""
        self.trailers = Fields()
        self.complete = False         # the whole body has been read
        self.arrived = time.time()    # when its head was complete


class Exchange:
    """One request being answered."""

    def __init__(self, request, reader, released):
        self.request = request
        self.reader = reader
        self.open = True
        self._released = released
        self._pieces = self._body()

    def _body(self):
        kind, length = framing_of(self.request.fields)
        if kind == "chunked":
            yield from self.reader.chunks(self.request.trailers)
        elif kind == "length":
            yield from self.reader.pieces(length)
        self.request.complete = True

    def read_body(self, keep=True):
        """Reads the request's body to its end; returns how many bytes it took."""
        count = 0
        for piece in self._pieces:
            count += len(piece)
            if keep:
                self.request.body += piece
        return count

    def send(self, data):
        self.reader.socket.sendall(data)

    def close(self):
        """Ends the connection after what was sent."""
        self.open = False

    def reset(self):
        """Ends the connection with RST."""
        self.reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False

    def wait_for(self, event):
        """Pauses until the event is set, or the upstream is closed, or the deadline has passed."""
        wait_until(lambda: event.is_set() or self._released.is_set(), 4 * DEADLINE, "the upstream's event")

    def hang(self):
        """Answers nothing until the gateway gives the connection up."""
        try:
            while self.reader.fill():
                pass
        finally:
            self.close()


class FakeUpstream:
    def __init__(self, script=None, unix_path=None):
        self.script = script or answering(reply(body=b"ok"))
        self.requests = []
        self.connections = 0  # accepted so far
        self.ended = 0        # connections that are over
        self.problems = []
        self._refusing = False
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._sockets = set()
        self._threads = []
        if unix_path:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(unix_path)
            self.server = f"unix:{unix_path}"
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.port = self._listener.getsockname()[1]
            self.server = f"127.0.0.1:{self.port}"
        self._listener.listen(512)
        self._spawn(self._accept)

    def expect_nothing(self):
        """From now on a request that arrives fails the test."""
        self._refusing = True

    def allow(self):
        """From now on requests may come again."""
        self._refusing = False

    def count(self, target=None):
        return sum(1 for each in list(self.requests) if target is None or each.target == target)

    @property
    def last(self):
        return self.requests[-1]

    def close(self):
        """Ends everything; raises if something arrived that must not have."""
        self._released.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in list(self._threads):
            thread.join(DEADLINE)
        if self.problems:
            raise AssertionError("at the upstream: " + "; ".join(self.problems[:5]))

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
            with self._lock:
                self.connections += 1
                number = self.connections
                self._sockets.add(sock)
            self._spawn(self._serve, sock, number)

    def _serve(self, sock, number):
        reader = Reader(sock)
        try:
            while self._serve_one(reader, number):
                pass
        except Truncated:
            pass  # the gateway may give up a request whose client has gone
        except WireError as problem:
            self.problems.append(str(problem))
        except OSError:
            pass
        finally:
            with self._lock:
                self._sockets.discard(sock)
                self.ended += 1
            sock.close()

    def _serve_one(self, reader, number):
        if not reader.buffer and not reader.fill():
            return False
        line = reader.line()
        match = REQUEST_LINE.fullmatch(line)
        if not match:
            raise WireError(f"request line: {line!r}")
        fields, raw = reader.field_lines()
        head = line + b"\r\n" + raw
        request = Request(match[1].decode(), match[2].decode(), match[3].decode(), fields, head, number)
        if self._refusing:
            self.problems.append(f"a request arrived that was refused: {line!r}")
        self.requests.append(request)
        exchange = Exchange(request, reader, self._released)
        self.script(exchange)
        if exchange.open:
            exchange.read_body()
        return exchange.open
