"""The hostile host as a server on this machine, an archive for it to serve, and quick settings."""

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hostile_host import Hostile, Waits, status

from holotype.catalogue.web_settings import WebSettings


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    place = Hostile("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            path = self.path.partition("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            place.asked.append((self.command, path, headers))
            self.close_connection = True
            behaviour = place.behaviours.get(path)
            if behaviour is None:
                status(404)(self)
            else:
                behaviour(self)

        do_GET = do_HEAD = do_POST = handle_one

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    place.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def archive() -> bytes:
    """A zip of some 40 kB that does not compress."""
    noise = np.random.default_rng(5).integers(0, 256, 40_000, dtype=np.uint8).tobytes()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("imgs/Copepoda/1.png", noise[:20_000])
        made.writestr("imgs/Rotifera/2.png", noise[20_000:])
    return content.getvalue()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def quick(waits: Waits) -> WebSettings:
    """Settings under which nothing takes long."""
    return WebSettings(stall_s=0.4, attempts=3, poll_s=0.5, polls=4, sleep=waits)
