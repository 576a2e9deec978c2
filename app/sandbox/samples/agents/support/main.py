"""Support agent: answers questions over HTTP, with nothing but the standard library."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETING = "Hello, how can I help?"


class Support(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"status": "ok"})
        if self.path == "/":
            return self.answer(200, {"agent": "support", "says": GREETING})
        self.answer(404, {"error": "not found"})

    def answer(self, status, body):
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """The platform keeps the access log."""


class Server(ThreadingHTTPServer):
    # The default of 5 drops connections when many callers arrive at once.
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    address = (os.environ.get("HOST", ""), int(os.environ.get("PORT", "5000")))
    Server(address, Support).serve_forever()
