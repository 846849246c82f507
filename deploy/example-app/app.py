"""An app to stand behind a gateway: answers every request on :3000 with what it saw of it, as JSON.

`app.py --check` asks a running one whether it answers: exit 0 or 1.
"""

import json
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 3000


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "example-app"
    wbufsize = -1  # head and body leave together, and neither waits for an acknowledgement of the other

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        received = len(self.rfile.read(length))
        body = json.dumps({"method": self.command, "path": self.path, "headers": dict(self.headers), "received": received})
        encoded = (body + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(encoded)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        """Silent: the gateway writes the access log."""


def main():
    if sys.argv[1:] == ["--check"]:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=1).close()
        except OSError:
            sys.exit(1)
        return
    # Process 1 of a container has no default actions for signals.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", PORT), Echo).serve_forever()


if __name__ == "__main__":
    main()
