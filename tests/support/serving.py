"""A server under test: `tcrops serve` on a free port, and requests to it."""

import http.client
import json
import signal
import subprocess

import product


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    def json(self, **options):
        return json.loads(self.body, **options)


class Serving:
    """The program, running; a context that ends it. `line` is what it said on stdout."""

    def __init__(self, store, *args, model="quickstart@v1", env=None):
        words = ["serve", *(["--model", model] if model else []), "--listen", "127.0.0.1:0", "--json", *args]
        self.process = subprocess.Popen(product.command(words, store), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=product.environment(env))
        said = self.process.stdout.readline()
        if not said:
            raise AssertionError(f"no server: {self.process.communicate()[1]}")
        self.line = json.loads(said)
        self.host, port = self.line["address"].rsplit(":", 1)
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def connect(self, timeout=30):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, None, headers)

    def post(self, path, body, kind="application/json", **headers):
        body = json.dumps(body) if isinstance(body, (dict, list)) else body
        return self.ask("POST", path, body, {"Content-Type": kind, **headers})

    def stop(self, number=signal.SIGTERM, timeout=30):
        """Ends it as a service manager does; (exit status, stderr)."""
        self.process.send_signal(number)
        stderr = self.process.communicate(timeout=timeout)[1]
        return self.process.returncode, stderr
