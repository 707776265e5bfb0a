"""Who may ask, how much, how often and how long; and that no reply tells more than it should."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from api_asking import Asking, api, problem

from holotype.app.api.guard import JSON_BYTES
from holotype.app.api.problems import hiding, told
from holotype.app.api.rates import Rates
from holotype.app.settings import ServeSettings
from holotype.app.upload_limits import UploadLimits
from holotype.app.upload_stream import TooMuchError, received
from holotype.app.workbench import Workbench
from holotype.cli.serving import serve
from holotype.errors import SourceError

BARCODES = {"barcodes": [{"id": "a", "sequence": "ACGTTGCAACGT" * 40}]}


@pytest.fixture
def asking(tiny_run, tmp_path):
    """Opens an API with settings, and closes it at the end."""
    opened = []

    def make(address="http://127.0.0.1", headers=None, **settings):
        chosen = ServeSettings(**{"requests_per_minute": 100_000, **settings})
        workbench = Workbench.open(str(tiny_run), settings=chosen, workspace=tmp_path)
        opened.append(workbench)
        return Asking(api(workbench), address, **(headers or {}))

    yield make
    for workbench in opened:
        workbench.close()


@contextmanager
def listening(app):
    """Serves an application at a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", port=0, lifespan="off"))
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield place.getsockname()[1]
    server.should_exit = True
    thread.join(10)


def test_a_token_is_asked_for_but_for_health(asking):
    ask = asking(token="correct horse")
    assert ask("GET", "/health").status_code == 200
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "é"},
    ):
        reply = ask("GET", "/taxa", headers={k: v.encode() for k, v in headers.items()})
        assert reply.status_code == 401
        assert problem(reply)
    reply = ask("GET", "/taxa", headers={"Authorization": "Bearer correct horse"})
    assert reply.status_code == 200


def test_another_name_for_this_machine_is_not_answered(asking):
    assert asking(address="http://evil.example")("GET", "/taxa").status_code == 421


def test_too_many_requests_are_told_when_to_come_back(asking):
    ask = asking(requests_per_minute=3)
    assert [ask("GET", "/taxa").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    reply = ask("GET", "/taxa")
    assert 1 <= int(reply.headers["retry-after"]) <= 21
    assert "3 requests a minute" in problem(reply)["what"]
    assert ask("GET", "/health").status_code == 200
    assert ask("GET", "/metrics").status_code == 200


def test_buckets_fill_again_and_are_bounded():
    now = [0.0]
    rates = Rates(60, most=3, clock=lambda: now[0])
    assert [rates.wait_s("a") for _ in range(60)] == [0.0] * 60
    assert rates.wait_s("a") == pytest.approx(1)
    assert rates.wait_s("b") == 0
    now[0] = 1.5
    assert rates.wait_s("a") == 0
    assert rates.wait_s("a") == pytest.approx(0.5)
    for client in range(10):
        rates.wait_s(f"192.0.2.{client}")
    assert len(rates) == 3
    assert rates.wait_s("2001:db8::1") == rates.wait_s("2001:db8::2") == 0
    assert len(rates) == 3


def test_clients_of_ipv4_are_told_apart_at_an_address_of_ipv6():
    rates = Rates(1)
    assert rates.wait_s("::ffff:192.0.2.1") == 0
    assert rates.wait_s("::ffff:203.0.113.9") == 0
    assert rates.wait_s("192.0.2.1") > 0
    assert rates.wait_s("2001:db8::1") == rates.wait_s("::1") == 0
    assert rates.wait_s("2001:db8::2") > 0
    assert rates.wait_s("::2") == 0  # of the network of ::1, which is this machine alone


@pytest.mark.parametrize("run", ["run", "models/a", "../b/run"])
def test_places_are_hidden_and_words_are_left(run, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    place = Path(run).resolve()
    collection = SimpleNamespace(path=Path("p"))
    hidden = hiding(
        SimpleNamespace(run=run, index=Path("in"), collection=collection, workspace=tmp_path / "ws")
    )
    for word in (
        "prune.zip: file truncated in the middle of a run. Run it again, in p.",
        "crop.png/run/a.png: not an image (in)",
        "a rerun/b of xmodels/a/c",
    ):
        assert hidden(word) == word
    assert (
        hidden(f"cannot read {place}/bundle.json. Try again.")
        == "cannot read the model. Try again."
    )
    assert (
        hidden(f"{place}: damaged, as is '{tmp_path}/ws5/x'.")
        == "the model: damaged, as is 'the server'."
    )
    assert hidden(f"file://{tmp_path}/ws/reviews") == "file://the server"
    assert (
        hidden(f"{run}/bundle.json: no JSON; in/rows.parquet too")
        == "the model: no JSON; the index too"
    )
    assert str(tmp_path) not in hidden(f"a {tmp_path}/ws.partial b {tmp_path}/here/in-2/c d")


def test_what_is_unpacked_outlives_a_request_that_takes_too_long(asking, monkeypatch, tmp_path):
    ask = asking(request_seconds=0.2)
    seen = []

    def slow(uploads, limits, scratch):
        time.sleep(1)
        seen.append(scratch.is_dir())
        raise SourceError("too late")

    monkeypatch.setattr("holotype.app.api.bringing.specimens_of", slow)
    reply = ask("POST", "/identify/images", files=[("files", ("a.zip", b"PK"))])
    assert reply.status_code == 504
    assert seen == [True]
    assert not list((tmp_path / "uploads").iterdir())


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"max_error": 0}, r"--max-error: .*greater than 0\."),
        ({"token": "short"}, r"--token: .*8 characters\."),
        ({"max_upload_mb": 0}, r"--max-upload-mb: "),
        ({"name": ["https://a.example"]}, r"--name: 'https://a.example' is no name"),
        ({"cors": ["*"], "proxy": ["x"]}, r"--cors: '\*' is no site.* --proxy: 'x' is no address"),
        ({"host": "0.0.0.0"}, r"^host 0.0.0.0: others can reach it. Set a token"),
    ],
)
def test_a_setting_that_is_refused_is_named_as_its_option(said, message):
    with pytest.raises(SourceError, match=message):
        serve(**said)


@pytest.mark.parametrize("streamed", [False, True], ids=["with length", "without length"])
@pytest.mark.parametrize("path", ["/identify/images", "/identify/barcodes", "/search"])
def test_a_body_that_is_too_large_is_not_taken(asking, path, streamed):
    ask = asking(max_upload_bytes=100_000)
    content = b"x" * 300_000
    kind = "application/json" if "images" not in path else "multipart/form-data; boundary=b"

    async def parts():
        for _ in range(30):
            yield content[:10_000]

    reply = ask(
        "POST", path, content=parts() if streamed else content, headers={"Content-Type": kind}
    )
    assert reply.status_code == 413 or (streamed and "images" in path and reply.status_code == 400)
    assert problem(reply)["what"]


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/x", "multipart/form-data; boundary=b"]
)
@pytest.mark.parametrize("path", ["/search", "/identify/barcodes", "/embed/texts"])
def test_json_has_a_limit_of_its_own_whatever_it_is_called(asking, path, kind):
    content = b"[" + b" " * JSON_BYTES + b"]"
    reply = asking()("POST", path, content=content, headers={"Content-Type": kind})
    assert reply.status_code == 413


def test_fields_of_a_form_are_counted_as_what_is_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("holotype.app.upload_stream.ALL_IN_MEMORY", 200_000)

    def form(*parts):
        async def stream():
            for name, content in parts:
                yield f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
                yield b'; filename="a.png"' if name == "image" else b""
                yield b"\r\n\r\n" + content + b"\r\n"
            yield b"--b--\r\n"

        kind = "multipart/form-data; boundary=b"
        return asyncio.run(received(stream(), kind, UploadLimits(), lambda: tmp_path))

    field, small = ("barcode", b"A" * 50_000), ("image", b"x" * 50_000)
    held = form(*[field] * 4, small).files[0][1]
    assert held.content == small[1]
    whole = form(small, *[field] * 4, small, small)
    assert [text for _, text in whole.fields] == ["A" * 50_000] * 4
    assert [one.content is None for _, one in whole.files] == [False, True, True]
    assert whole.files[2][1].read() == small[1]
    with pytest.raises(TooMuchError, match="200,000 bytes in fields"):
        form(*[field] * 5)


def test_what_takes_too_long_ends(asking):
    ask = asking(request_seconds=0.2)
    with listening(ask.app) as port:
        for begun, status in ((b"", b"408"), (b'{"barcodes": [', b"408")):
            with socket.create_connection(("127.0.0.1", port), 10) as line:
                line.sendall(
                    b"POST /api/v1/identify/barcodes HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + begun
                )
                started = time.monotonic()
                assert status in line.recv(4_000)
                assert time.monotonic() - started < 5


def test_an_answer_that_takes_too_long_ends(asking, monkeypatch):
    ask = asking(request_seconds=0.2)

    async def slow(*_):
        await asyncio.sleep(10)

    monkeypatch.setattr("holotype.app.identifying.Identifier.identify", slow)
    reply = ask("POST", "/identify/barcodes", json=BARCODES)
    assert reply.status_code == 504
    assert "0.2 s" in problem(reply)["what"]


def test_a_client_that_goes_away_is_not_answered(asking, monkeypatch):
    ask = asking()
    ended = threading.Event()

    async def slow(*_):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.set()
            raise

    monkeypatch.setattr("holotype.app.identifying.Identifier.identify", slow)
    with listening(ask.app) as port:
        content = json.dumps(BARCODES).encode()
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(
                b"POST /api/v1/identify/barcodes HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(content), content)
            )
            time.sleep(0.3)
        assert ended.wait(10)


def test_other_sites_are_not_let_in_unless_named(asking):
    strange = {"Origin": "https://lab.example"}
    reply = asking()("GET", "/taxa", headers=strange)
    assert "access-control-allow-origin" not in reply.headers
    assert asking()("POST", "/identify/barcodes", json=BARCODES, headers=strange).status_code == 403
    ask = asking(cors_origins=("https://lab.example",), token="correct horse")
    question = {
        **strange,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    reply = ask("OPTIONS", "/identify/barcodes", headers=question)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "https://lab.example"
    reply = ask(
        "POST",
        "/identify/barcodes",
        json=BARCODES,
        headers={**strange, "Authorization": "Bearer correct horse"},
    )
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "https://lab.example"
    other = ask("OPTIONS", "/taxa", headers={**question, "Origin": "https://evil.example"})
    assert other.headers.get("access-control-allow-origin") is None


def test_a_full_queue_is_told(asking):
    ask = asking(max_queued=1)
    many = {"barcodes": BARCODES["barcodes"] * 40}
    replies = ask.all([("POST", "/identify/barcodes", {"json": many}) for _ in range(8)])
    counted = {reply.status_code for reply in replies}
    assert counted == {200, 503}
    refused = next(reply for reply in replies if reply.status_code == 503)
    assert int(refused.headers["retry-after"]) > 0
    assert "wait for the model" in problem(refused)["what"]


def test_a_fault_of_ours_says_nothing_but_that(asking, monkeypatch, capsys):
    async def broken(*_):
        raise KeyError("/secret/place")

    ask = asking()
    monkeypatch.setattr("holotype.app.identifying.Identifier.identify", broken)
    reply = ask("POST", "/identify/barcodes", json=BARCODES)
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert problem(reply)
    assert "KeyError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/identify/images", 405),
        ("POST", "/taxa", 405),
        ("PUT", "/", 404),
    ],
)
def test_what_is_not_there_is_told_in_the_same_form(asking, method, path, status):
    reply = asking()(method, path)
    assert reply.status_code == status
    assert problem(reply)
    assert ("allow" in reply.headers) == (status == 405)


def test_replies_are_marked_for_browsers(asking):
    headers = asking()("GET", "/taxa").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_the_remedy_of_a_message_is_told_apart():
    said = json.loads(
        bytes(told(422, "lib.csv: no column 'x'. Name it by --map. Or leave it.").body)
    )
    assert said["error"] == {
        "what": "lib.csv: no column 'x'", "where": "request", "remedy": "Name it by --map. Or leave it.",
    }  # fmt: skip
    said = json.loads(bytes(told(422, "0.5 is too much").body))
    assert said["error"]["what"] == "0.5 is too much"
