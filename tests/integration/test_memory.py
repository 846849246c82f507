"""Bodies of any size pass in constant memory."""

from support.fake_upstream import reply
from support.gateway_case import GatewayCase
from support.http_client import Connection, request
from support.http_wire import chunked

MIB = 1024 * 1024
BLOCK = b"x" * (256 * 1024)


class ConstantMemory(GatewayCase):
    size = 200 * MIB
    growth = 24 * MIB  # what buffers, threads' arenas and a sanitizer's bookkeeping may add

    def setUp(self):
        self.app = self.upstream(self.script)
        self.gate = self.gateway(self.app, "workers: 2")
        self.upload(len(BLOCK))
        self.download("/length", len(BLOCK))
        self.before = self.gate.resident_bytes()
        self.most = 0

    def script(self, exchange):
        size = int(exchange.request.fields.get("X-Size", "0"))
        if exchange.request.method == "POST":
            exchange.send(reply(body=str(exchange.read_body(keep=False)).encode()))
        elif exchange.request.target == "/length":
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(BLOCK)):
                exchange.send(BLOCK)
        else:
            exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(size // len(BLOCK)):
                exchange.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK))
            exchange.send(b"0\r\n\r\n")

    def watch(self):
        self.most = max(getattr(self, "most", 0), self.gate.resident_bytes())

    def upload(self, size, framing="length"):
        with Connection(self.gate.address) as client:
            if framing == "length":
                client.send(request("POST", fields=[("Content-Length", str(size))]))
            else:
                client.send(request("POST", fields=[("Transfer-Encoding", "chunked")]))
            for number in range(size // len(BLOCK)):
                client.send(BLOCK if framing == "length" else chunked(BLOCK)[:-5])
                if number % 64 == 0:
                    self.watch()
            if framing == "chunked":
                client.send(b"0\r\n\r\n")
            self.assertEqual(int(client.read_response().body), size)

    def download(self, target, size):
        with Connection(self.gate.address) as client:
            client.send(request(target=target, fields=[("X-Size", str(size))]))
            response, count, pieces = client.read_final_head(), 0, 0
            for piece in client.body_pieces(response):
                count += len(piece)
                pieces += 1
                if pieces % 256 == 0:
                    self.watch()
            self.assertEqual(count, size)

    def tearDown(self):
        self.assertLess(self.most - self.before, self.growth)

    def test_upload_with_a_length(self):
        self.upload(self.size)

    def test_upload_in_chunks(self):
        self.upload(self.size, "chunked")

    def test_download_with_a_length(self):
        self.download("/length", self.size)

    def test_download_in_chunks(self):
        self.download("/chunked", self.size)
