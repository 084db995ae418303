"""An HTTP server on 127.0.0.1 that misbehaves on request; standard library only.

    bad_http_server.py --log FILE [--tls CERTIFICATE KEY]

Prints its port and serves until it is ended. Every request adds one JSON line to the log: method,
path, id, range (the Range header or null). The path chooses what goes wrong, the query the details:

    /ok               all well, Range is honoured
    /norange          Range is ignored: always 200 and the whole body
    /cut              drops the connection after n bytes of the body
    /stall            sends n bytes of the body, then nothing; the connection stays open
    /short            announces more bytes than it sends: the last n are missing
    /long             sends n bytes after the body, and announces them
    /endless          a chunked body that does not end
    /until_close      no length at all; with n drops the rest
    /wrong            right length, other bytes
    /status           answers with the status `code`
    /redirect         302 to `to` (default: itself, so for ever)
    /range_elsewhere  206 for another place than was asked for
    /416              416 to every request with a Range header

cut, stall, until_close and status do so for the first `times` requests with one `id` (default 1; 0
is for ever), and then behave like /ok. `size` sets the length of the body.
"""

import argparse
import collections
import http.server
import json
import random
import re
import ssl
import threading
import time
import urllib.parse

SIZE = 300_000
HANG_SECONDS = 30


def body(size=SIZE):
    return random.Random(7).randbytes(size)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802 (the name is given)
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.content = body(int(self.query.get("size", SIZE)))
        asked = self.headers.get("Range")
        match = re.fullmatch(r"bytes=(\d+)-", asked or "")
        self.start = int(match.group(1)) if match else None
        kind = url.path.rsplit("/", 1)[-1]
        turn = self.server.note(kind, self.query.get("id", ""), asked)
        times = int(self.query.get("times", 1))
        if kind in ("cut", "stall", "until_close", "status") and 0 < times <= turn:
            kind = "ok"
        getattr(self, "serve_" + kind, self.serve_404)()

    def number(self, default=0):
        return int(self.query.get("n", default))

    def send_head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def empty(self, status, headers=None):
        self.send_head(status, {"Content-Length": "0", **(headers or {})})

    def open_body(self):
        """Headers of a good answer; returns the bytes that should follow."""
        if self.start is None:
            self.send_head(200, {"Content-Length": str(len(self.content))})
            return self.content
        if self.start >= len(self.content):
            self.empty(416, {"Content-Range": f"bytes */{len(self.content)}"})
            return b""
        rest = self.content[self.start :]
        total = len(self.content)
        self.send_head(206, {"Content-Length": str(len(rest)),
                             "Content-Range": f"bytes {self.start}-{total - 1}/{total}"})
        return rest

    def serve_ok(self):
        self.wfile.write(self.open_body())

    def serve_norange(self):
        self.start = None
        self.serve_ok()

    def serve_cut(self):
        self.wfile.write(self.open_body()[: self.number()])
        self.close_connection = True

    def serve_stall(self):
        self.wfile.write(self.open_body()[: self.number()])
        self.wfile.flush()
        time.sleep(HANG_SECONDS)
        self.close_connection = True

    def serve_short(self):
        self.wfile.write(self.open_body()[: -self.number(1)])
        self.close_connection = True

    def serve_long(self):
        self.content += b"x" * self.number(1)
        self.serve_ok()

    def serve_endless(self):
        self.send_head(200, {"Transfer-Encoding": "chunked"})
        try:
            while True:
                self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            self.close_connection = True

    def serve_until_close(self):
        self.send_head(200, {"Connection": "close"})
        self.wfile.write(self.content[: len(self.content) - self.number()])
        self.close_connection = True

    def serve_wrong(self):
        self.content = bytes(len(self.content))
        self.serve_ok()

    def serve_status(self):
        self.empty(int(self.query["code"]))

    def serve_redirect(self):
        self.empty(302, {"Location": self.query.get("to", self.path)})

    def serve_range_elsewhere(self):
        if self.start is not None:
            self.start //= 2
        self.serve_ok()

    def serve_416(self):
        if self.start is None:
            self.serve_ok()
        else:
            self.empty(416)

    def serve_404(self):
        self.empty(404)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, log):
        super().__init__(("127.0.0.1", 0), Handler)
        self.log = open(log, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.turns = collections.Counter()

    def note(self, path, name, asked):
        """Logs a request; returns how many of this name came before."""
        with self.lock:
            print(json.dumps({"method": "GET", "path": path, "id": name, "range": asked}),
                  file=self.log, flush=True)
            self.turns[name] += 1
            return self.turns[name] - 1

    def handle_error(self, *_):
        pass  # clients drop connections on purpose


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--tls", nargs=2)
    options = parser.parse_args()
    server = Server(options.log)
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
