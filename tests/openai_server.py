"""A server that speaks OpenAI's protocol, as its model's name tells it to: ``python openai_server.py`` prints its port.

Its answer depends on the pictures it really received: yes where both are the same, else no.
"""

import base64
import io
import json
import re
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

MODELS = ("logprobs", "words", "refuses", "prose", "both", "empty", "null", "nonsense", "html", "twice", "always")
MODELS += ("nearer", "nearer_words", "limited", "hang", "drops", "context", "slow", "spaced", "unlisted", "deep")
KEY = "Bearer open-sesame"


class Server(ThreadingHTTPServer):
    """Counts what it is asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.requests = Counter()  # by model
        self.tries = Counter()  # by body
        self.now, self.most = Counter(), Counter()  # in flight, by model
        self.last = None
        self.versions = Counter()  # asked for, by path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer waits for the client's acknowledgement of its head

    def do_GET(self):
        if self.path == "/counts":
            server = self.server
            counts = {"requests": server.requests, "most": server.most, "last": server.last}
            return self.say(200, counts)
        if self.path == "/locked/v1/models" and self.headers["Authorization"] != KEY:
            return self.say(401, {"error": {"message": "no such key"}})
        if self.path.endswith("/version"):
            return self.say_version(self.path.removesuffix("/version"))
        if self.path == "/bare/v1/models":
            return self.say(404, {})
        if self.path.endswith("/v1/models"):
            return self.say(200, {"data": [{"id": name, "owned_by": "test"} for name in MODELS]})
        return self.say(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        server, model = self.server, asked["model"]
        with server.lock:
            server.requests[model] += 1
            server.tries[body] += 1
            tries = server.tries[body]
            server.last = {k: v for k, v in asked.items() if k != "messages"} | {"shape": shape(asked["messages"])}
            server.now[model] += 1
            server.most[model] = max(server.most[model], server.now[model])
        try:
            return getattr(self, f"as_{model}", self.as_words)(asked, tries)
        finally:
            with server.lock:
                server.now[model] -= 1

    def say_version(self, path):
        """The version; of ``/flaky`` not the second time, and of ``/mute`` only the first."""
        with self.server.lock:
            self.server.versions[path] += 1
            times = self.server.versions[path]
        if (path == "/flaky" and times == 2) or (path == "/mute" and times > 1):
            return self.say(503, {"error": {"message": "busy"}})
        return self.say(200, {"version": "1.2.3"})

    def as_words(self, asked, _):
        self.answer(f" {word(asked)}.")

    def as_logprobs(self, asked, _):
        listed = [("Yes", 0.6), ("yes", 0.1), ("No", 0.2)] if word(asked) == "Yes" else [("No", 0.7), ("Yes", 0.1)]
        self.answer("It" if asked["max_tokens"] == 0 else word(asked), listed)

    def as_spaced(self, asked, _):
        self.answer("Yes", [("\u0120yes", 0.5), ("\u2581No", 0.5 / 3), (" The", 0.1)])

    def as_unlisted(self, asked, _):
        self.answer("No", [("The", 0.5), ("A", 0.5)])

    def as_refuses(self, asked, _):
        if "logprobs" in asked:
            return self.say(400, {"error": {"message": "logprobs are not supported"}})
        return self.as_words(asked, _)

    def as_prose(self, asked, _):
        self.answer("The test image shows the same subject.")

    def as_both(self, asked, _):
        self.answer("no, yes would be wrong")

    def as_empty(self, asked, _):
        self.answer("")

    def as_null(self, asked, _):
        self.answer(None)

    def as_nonsense(self, asked, _):
        self.say(200, {"choices": []})

    def as_html(self, asked, _):
        self.write(200, b"<html>", {})

    def as_deep(self, asked, _):
        self.write(200, b"[" * 100_000, {})

    def as_twice(self, asked, tries):
        if tries <= 2:
            return self.say(500, {"error": "out of order"})
        return self.as_words(asked, tries)

    def as_always(self, asked, _):
        self.say(500, {"error": {"message": "out\nof order"}})

    def as_limited(self, asked, tries):
        if tries == 1:
            return self.write(429, b"{}", {"Retry-After": "0.2"})
        return self.as_words(asked, tries)

    def as_hang(self, asked, _):
        time.sleep(30)

    def as_slow(self, asked, _):
        time.sleep(0.1)
        self.as_words(asked, _)

    def as_drops(self, asked, tries):
        if tries == 1:
            self.close_connection = True
            return None
        return self.as_words(asked, tries)

    def as_context(self, asked, _):
        self.say(400, {"error": {"message": "the prompt is too long"}})

    def as_nearer(self, asked, _):
        words = nearer(asked)
        self.answer(words, [(words, 0.8), (" " + words.lower(), 0.1), ("It", 0.1)])

    def as_nearer_words(self, asked, _):
        self.answer(f"**{nearer(asked)}**")

    def answer(self, text, listed=None):
        choice = {"message": {"role": "assistant", "content": text}}
        if listed:
            top = [{"token": token, "logprob": log(chance)} for token, chance in listed]
            choice["logprobs"] = {"content": [top[0] | {"top_logprobs": top}]}
        self.say(200, {"choices": [choice]})

    def say(self, status, value):
        self.write(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def write(self, status, body, headers):
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def log(chance):
    from math import log as natural

    return natural(chance)


def received(messages):
    """The pictures of a conversation."""
    parts = [part for part in messages[1]["content"] if part["type"] == "image_url"]
    found = [re.fullmatch("data:image/png;base64,(.*)", part["image_url"]["url"])[1] for part in parts]
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def word(asked):
    reference, test = received(asked["messages"])
    return "Yes" if (reference.size, reference.tobytes()) == (test.size, test.tobytes()) else "No"


def nearer(asked):
    """Which of the last two pictures is nearer to the first reference in colour."""
    reference, *_, first, second = (picture.resize((1, 1)).getpixel((0, 0)) for picture in received(asked["messages"]))
    one, two = (sum(abs(a - b) for a, b in zip(reference, colour, strict=True)) for colour in (first, second))
    return "Tie" if one == two else "First" if one < two else "Second"


def shape(messages):
    """Who says what, without the words."""
    return [messages[0]["role"], messages[0]["content"], *(part["type"] for part in messages[1]["content"])]


if __name__ == "__main__":
    server = Server()
    print(server.server_port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()  # until its parent ends
    server.serve_forever()
