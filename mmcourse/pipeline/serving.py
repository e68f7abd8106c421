"""A model as a web service on this machine, and what an answer costs (notebook 12)."""

import json
import threading
import time
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NamedTuple

import numpy as np

LARGEST = 1_000_000  # bytes of a request


class Cost(NamedTuple):
    """Milliseconds within which half and 95 % of the answers came; the bytes that one takes at most."""

    median: float
    percentile_95: float
    peak_bytes: int


@contextmanager
def serve(answer: Callable[[dict], dict]) -> Iterator[str]:
    """Answer requests at a free port of this machine, and of no other, until the block ends.

    A request is a POST with a JSON object; so is the reply, with status 200. If ``answer`` raises ValueError
    the reply is ``{"error": its message}`` with status 400; so too for what is no JSON object, or too large.
    Nothing is logged: what people send is personal.

    Yields:
        The address, such as ``http://127.0.0.1:50123``.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            try:
                if length > LARGEST:
                    while length > 0:  # read it all, or the sender gets no reply; keep nothing
                        length -= len(self.rfile.read(min(length, LARGEST))) or length
                    raise ValueError(f"a request has at most {LARGEST} bytes, got more")
                request = json.loads(self.rfile.read(length))
                if not isinstance(request, dict):
                    raise ValueError(f"a request is a JSON object, got {type(request).__name__}")
                status, reply = 200, answer(request)
            except ValueError as error:
                status, reply = 400, {"error": str(error)}
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ask(address: str, request: dict) -> dict:
    """Send a request to :func:`serve`'s address; the reply.

    Raises:
        ValueError: the service refused the request; the message is the service's.
    """
    sent = urllib.request.Request(address, json.dumps(request).encode(), method="POST")
    # No proxy: the service is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(sent, timeout=20) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(json.load(error)["error"]) from None


def cost(answer: Callable[[dict], dict], request: dict, rounds: int = 200) -> Cost:
    """Time ``rounds`` answers one by one, then trace the memory of one more.

    Raises:
        ValueError: ``rounds`` is not positive.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be 1 or more, got {rounds}")
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        answer(request)
        seconds.append(time.perf_counter() - started)
    tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    answer(request)
    _, peak = tracemalloc.get_traced_memory()
    if not tracing:
        tracemalloc.stop()
    median, most = np.percentile(seconds, [50, 95]) * 1000
    return Cost(float(median), float(most), max(0, peak - before))
