"""HTTP/1 bytes, read strictly: what a careful peer accepts and nothing more. Used by the client and the fake upstream.

Every deviation raises WireError, an end inside a message raises Truncated; nothing is repaired.
"""

import re
import socket

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]+) (HTTP/1\.[01])")
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[\x21-\xff](?:[\t\x20-\xff]*[\x21-\xff])?)?)[ \t]*")
LENGTH = re.compile(rb"0|[1-9][0-9]*")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


class WireError(AssertionError):
    """The peer sent what HTTP/1.1 does not allow."""


class Truncated(WireError):
    """The connection ended inside a message; `body` holds what had come of its body."""

    def __init__(self, what, body=b""):
        super().__init__(what)
        self.body = body


class Fields(list):
    """Field lines in order, as (name, value) of str; obs-text is kept as latin-1."""

    def all(self, name):
        return [value for key, value in self if key.lower() == name.lower()]

    def get(self, name, default=None):
        """The value of a field that occurs at most once."""
        values = self.all(name)
        if len(values) > 1:
            raise WireError(f"{name} occurs {len(values)} times: {values}")
        return values[0] if values else default

    def tokens(self, name):
        return [part.strip().lower() for value in self.all(name) for part in value.split(",") if part.strip()]


class Reader:
    """Bytes of one socket, kept until a message takes them."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = bytearray()
        self.ended = False

    def fill(self):
        """Takes what has arrived, waiting for at least one byte; False at the end of the stream."""
        if self.ended:
            return False
        data = self.socket.recv(262144)
        if not data:
            self.ended = True
        self.buffer += data
        return bool(data)

    def take(self, count):
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def line(self, limit=262144):
        """One line without its CRLF."""
        start = 0
        while (end := self.buffer.find(b"\n", start)) < 0:
            start = len(self.buffer)
            if start > limit:
                raise WireError("line without end")
            if not self.fill():
                raise Truncated(f"stream ended in a line: {bytes(self.buffer)!r}")
        line = self.take(end + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise WireError(f"line end other than CRLF: {line!r}")
        return line[:-2]

    def pieces(self, count):
        """`count` bytes, in pieces as they arrive."""
        while count:
            if not self.buffer and not self.fill():
                raise Truncated(f"stream ended {count} bytes early")
            piece = self.take(min(count, len(self.buffer)))
            count -= len(piece)
            yield piece

    def field_lines(self):
        """Field lines up to and with the empty line: (fields, their bytes)."""
        fields, raw = Fields(), bytearray()
        while True:
            line = self.line()
            raw += line + b"\r\n"
            if not line:
                return fields, bytes(raw)
            match = FIELD_LINE.fullmatch(line)
            if not match:
                raise WireError(f"field line: {line!r}")
            fields.append((match[1].decode("ascii"), match[2].decode("latin-1")))

    def chunks(self, trailers):
        """The data of a chunked body in pieces; extends `trailers`."""
        while True:
            line = self.line()
            if not CHUNK_SIZE.fullmatch(line):
                raise WireError(f"chunk size line: {line!r}")
            size = int(line, 16)
            if size == 0:
                trailers.extend(self.field_lines()[0])
                return
            yield from self.pieces(size)
            if self.line() != b"":
                raise WireError("chunk data not followed by CRLF")

    def rest(self):
        """Everything until the end of the stream, in pieces."""
        while self.buffer or self.fill():
            yield self.take(len(self.buffer))


def framing_of(fields):
    """('chunked', None), ('length', n) or (None, None); refuses what has two readings."""
    codings, lengths = fields.all("Transfer-Encoding"), fields.all("Content-Length")
    if codings and lengths:
        raise WireError(f"both Transfer-Encoding {codings} and Content-Length {lengths}")
    if codings:
        if [value.lower() for value in codings] != ["chunked"]:
            raise WireError(f"Transfer-Encoding {codings}")
        return "chunked", None
    if lengths:
        if len(lengths) > 1 or not LENGTH.fullmatch(lengths[0].encode("latin-1")):
            raise WireError(f"Content-Length {lengths}")
        return "length", int(lengths[0])
    return None, None


def chunked(*parts, trailers=b""):
    """A chunked body of these parts."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part) + b"0\r\n" + trailers + b"\r\n"


def connect(address, timeout):
    """A stream to (host, port) or to the path of a unix socket."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        return sock
    sock = socket.create_connection(address, timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
