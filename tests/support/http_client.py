"""A client that sends exactly the bytes it is told to send and reads responses strictly, one after another."""

import socket
import struct

from support.http_wire import STATUS_LINE, Fields, Reader, Truncated, WireError, connect, framing_of
from support.waiting import DEADLINE


class Response:
    """One final response, with the 1xx responses that came before it."""

    def __init__(self, version, status, reason, fields, head):
        self.version, self.status, self.reason, self.fields, self.head = version, status, reason, fields, head
        self.framing = None     # "length", "chunked", "close" or "none"
        self.body = b""
        self.trailers = Fields()
        self.interim = []

    def __getitem__(self, name):
        return self.fields.get(name)


def request(method="GET", target="/", fields=(), body=None, host="gateway.test", version="HTTP/1.1"):
    """The bytes of a request; a body gets a Content-Length."""
    lines = [f"{method} {target} {version}", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


class Connection:
    """One connection to the gateway. Close it, or use it in a `with`."""

    def __init__(self, address, timeout=DEADLINE):
        self.socket = connect(address, timeout)
        self.reader = Reader(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, method="GET", target="/", fields=(), body=None, **more):
        """Sends one request and reads its response."""
        self.send(request(method, target, fields, body, **more))
        return self.read_response(method)

    def read_head(self):
        """The next head, interim or final, without its body."""
        line = self.reader.line()
        match = STATUS_LINE.fullmatch(line)
        if not match:
            raise WireError(f"status line: {line!r}")
        fields, raw = self.reader.field_lines()
        version, status, reason = match[1].decode(), int(match[2]), match[3].decode("latin-1")
        response = Response(version, status, reason, fields, line + b"\r\n" + raw)
        if status < 200 and (fields.all("Content-Length") or fields.all("Transfer-Encoding")):
            raise WireError(f"framing fields in a {status}")
        if status == 204 and (fields.all("Content-Length") or fields.all("Transfer-Encoding")):
            raise WireError("framing fields in a 204 (RFC 9110 8.6, RFC 9112 6.1)")
        return response

    def read_final_head(self):
        """The next final head, with the interim responses before it."""
        interim = []
        while (response := self.read_head()).status < 200:
            interim.append(response)
        response.interim = interim
        return response

    def body_pieces(self, response, method="GET"):
        """The body that belongs to a head, in pieces as they arrive."""
        kind, length = framing_of(response.fields)
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            response.framing = "none"
        elif kind == "chunked":
            response.framing = "chunked"
            yield from self.reader.chunks(response.trailers)
        elif kind == "length":
            response.framing = "length"
            yield from self.reader.pieces(length)
        else:
            response.framing = "close"
            yield from self.reader.rest()

    def read_response(self, method="GET"):
        """The next final response with its whole body."""
        response = self.read_final_head()
        parts = []
        try:
            for piece in self.body_pieces(response, method):
                parts.append(piece)
        except (Truncated, ConnectionError) as problem:
            raise Truncated(str(problem), b"".join(parts)) from problem
        response.body = b"".join(parts)
        return response

    def read_to_end(self):
        """Every byte until the gateway ends the stream; a reset counts as an end."""
        got = bytearray()
        try:
            for piece in self.reader.rest():
                got += piece
        except ConnectionError:
            pass
        return bytes(got)

    def expect_end(self):
        """Raises unless the gateway ends the stream without another byte."""
        left = self.read_to_end()
        if left:
            raise WireError(f"bytes where the end was expected: {left[:200]!r}")

    def is_quiet(self, seconds=0.1):
        """True if nothing arrives, not even an end, for this long."""
        if self.reader.buffer or self.reader.ended:
            return False
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.reader.fill()
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)


def ask(address, method="GET", target="/", fields=(), body=None, **more):
    """One request on a connection of its own."""
    with Connection(address) as connection:
        return connection.ask(method, target, fields, body, **more)


def exchange(address, data):
    """Sends bytes, then reads every byte until the gateway ends the stream."""
    with Connection(address) as connection:
        try:
            connection.send(data)
        except ConnectionError:
            pass  # the answer may have come, and the end with it, before the last byte was taken
        return connection.read_to_end()
