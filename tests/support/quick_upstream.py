"""An app that answers every request without a body with the same 200, as fast as one process of Python can: for long runs
that count answers and look at nothing else."""

import asyncio
import multiprocessing
import socket

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _App(asyncio.Protocol):
    def __init__(self):
        self._tail = b""

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        seen = self._tail + data
        self._tail = seen[seen.rfind(b"\r\n\r\n") + 4 if b"\r\n\r\n" in seen else 0:]
        self._transport.write(ANSWER * seen.count(b"\r\n\r\n"))


def _serve(listener):
    async def forever():
        server = await asyncio.get_running_loop().create_server(_App, sock=listener)
        await server.serve_forever()
    asyncio.run(forever())


class QuickUpstream:
    """Runs in a process of its own, until close()."""

    def __init__(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.server = "127.0.0.1:%d" % listener.getsockname()[1]
        self._process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,), daemon=True)
        self._process.start()
        listener.close()

    def close(self):
        self._process.kill()
        self._process.join()
