"""An issuer's key set over HTTPS: a certificate of its own authority, an answer that a test may change, and a count."""

import http.server
import os
import ssl
import threading

from support.ports import free_port
from support.token_minter import openssl


def make_authority(folder, names="DNS:localhost,IP:127.0.0.1"):
    """ca.pem, and server.pem with key and certificate for `names`."""
    ca_key, ca, key, request, certificate = (os.path.join(folder, name) for name in (
        "ca-key.pem", "ca.pem", "server-key.pem", "server.csr", "server-certificate.pem"))
    extensions = os.path.join(folder, "extensions")
    with open(extensions, "w", encoding="ascii") as file:
        file.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-subj", "/CN=test authority", "-days", "2")
    openssl("req", "-new", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=issuer")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
            "-extfile", extensions, "-out", certificate)
    return ca, certificate, key


class KeyServer:
    """Serves `body` with `status` and `fields`, after the heads in `interim`, until close(); `hits` counts the requests."""

    def __init__(self, folder, body, names="DNS:localhost,IP:127.0.0.1"):
        self.body, self.status, self.fields, self.hits = body, 200, [], 0
        self.interim = []
        self.ca, certificate, key = make_authority(folder, names)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self.port = free_port()  # kept from close() to open()
        self.open()

    def open(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.hits += 1
                body = outer.body.encode()
                for line in outer.interim:
                    self.wfile.write(f"HTTP/1.1 {line}\r\n\r\n".encode())
                self.send_response(outer.status)
                for name, value in outer.fields:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # a client that refuses our certificate
                pass
        self._server = Server(("127.0.0.1", self.port), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.server_bind()
        self._server.server_activate()
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"https://localhost:{self.port}/keys"

    def close(self):
        if self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._thread = None
