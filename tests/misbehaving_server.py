"""A server of OpenAI's protocol in this process that answers as a function says: for servers that misbehave."""

import json
import math
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Said:
    """What a server answers: a status, a body (JSON, or bytes as they are) and headers; it may take its time."""

    def __init__(self, status, body, headers=None, drip=0.0):
        self.status, self.headers, self.drip = status, headers or {}, drip
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


def says(text, listed=(), ending="stop", **message):
    """An answer of a model: its words, the probabilities of the first token, how it ended."""
    choice = {"message": {"role": "assistant", "content": text, **message}, "finish_reason": ending}
    if listed:
        top = [{"token": token, "logprob": math.log(chance)} for token, chance in listed]
        choice["logprobs"] = {"content": [top[0] | {"top_logprobs": top}]}
    return Said(200, {"choices": [choice]})


def refuses(status, words, headers=None, **fields):
    """A refusal in a server's own words."""
    return Said(status, {"error": {"message": words, **fields}}, headers)


class Server(ThreadingHTTPServer):
    """Answers requests for a verdict by ``answer(body)``, those for its models by ``models()``, all others with 404."""

    daemon_threads = True

    def __init__(self, answer, models):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.models = answer, models
        self.asked, self.times, self.paths, self.keys = [], [], [], []  # of every request for a verdict
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer waits for the client's acknowledgement of its head

    def do_GET(self):
        self._say(self.server.models() if self.path.partition("?")[0].endswith("/models") else Said(404, {}))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.asked.append(body)
            server.times.append(time.monotonic())
            server.paths.append(self.path)
            server.keys.append(self.headers["Authorization"])
        self._say(server.answer(body))

    def _say(self, said):
        self.send_response(said.status)
        for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for part in (said.body[at : at + 1] for at in range(len(said.body))) if said.drip else (said.body,):
            self.wfile.write(part)
            time.sleep(said.drip)

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_):
        pass


MODELS = {"data": [{"id": "m", "owned_by": "test"}]}


@contextmanager
def serving(answer, models=lambda: Said(200, MODELS)):
    """A server that answers so, as long as the context lasts."""
    server = Server(answer, models)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
