"""Who may come in: names, sites and tokens; what every answer says to a browser."""

import asyncio
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from holotype.app.gate import Gate
from holotype.app.login import login_router
from holotype.app.server import server_config
from holotype.app.settings import ServeSettings
from holotype.app.token_check import COOKIE, WRONG_A_MINUTE, TokenCheck

TOKEN, KEY = "a token of eight", "secret of a workspace"


def app_of(settings):
    app = FastAPI()
    check = None if settings.token is None else TokenCheck(settings.token, KEY)
    app.include_router(login_router(check))

    @app.api_route("/api/v1/taxa", methods=["GET", "POST"])
    def taxa():
        return {}

    @app.get("/api/v1/health")
    def health():
        return {}

    @app.get("/")
    def first():
        return {}

    @app.websocket("/socket")
    async def socket(connection):
        await connection.accept()
        await connection.close()

    app.add_middleware(Gate, settings=settings, check=check)
    return app


def client(**said):
    app = app_of(ServeSettings(**said))
    return TestClient(app, base_url="http://127.0.0.1:8080", follow_redirects=False)


def bearer(token):
    return {"authorization": f"Bearer {token}".encode()}


def cookie(said):
    return {"cookie": f"{COOKIE}={said}"}


def test_strangers_need_a_token():
    with pytest.raises(ValueError, match="Set a token"):
        ServeSettings(host="0.0.0.0")
    assert ServeSettings(host="0.0.0.0", token=TOKEN).token == TOKEN


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("", 421),
    ],
)
def test_a_loopback_server_is_asked_for_by_its_own_names(host, status):
    answer = client().get("/", headers={"host": host})
    assert answer.status_code == status


@pytest.mark.parametrize("name", ["otter.lab", "Otter.Lab", "OTTER.LAB:8080"])
def test_a_name_that_was_given_is_let_in(name):
    asked = client(hosts=(name,))
    assert asked.get("/", headers={"host": "otter.lab:80"}).status_code == 200
    assert asked.get("/", headers={"host": "evil.lab"}).status_code == 421


@pytest.mark.parametrize(
    ("setting", "written"),
    [
        ("hosts", "https://otter.lab"),
        ("hosts", "otter.lab/pages"),
        ("hosts", ""),
        ("cors_origins", "site.example"),
        ("cors_origins", "https://site.example/page"),
        ("cors_origins", "*"),
        ("proxies", "*"),
        ("proxies", "proxy.lab"),
    ],
)
def test_a_name_that_could_never_match_is_refused_at_the_start(setting, written):
    with pytest.raises(ValueError, match="is no "):
        ServeSettings(**{setting: (written,)})


@pytest.mark.parametrize(
    ("method", "path", "origin", "status"),
    [
        ("POST", "/api/v1/taxa", None, 200),
        ("POST", "/api/v1/taxa", "http://127.0.0.1:8080", 200),
        ("POST", "/api/v1/taxa", "https://allowed.example", 200),
        ("POST", "/api/v1/taxa", "https://evil.example", 403),
        ("POST", "/api/v1/taxa", "null", 403),
        ("GET", "/api/v1/taxa", "https://evil.example", 200),
        ("POST", "/login", "https://allowed.example", 403),
    ],
)
def test_pages_of_other_sites_change_nothing(method, path, origin, status):
    asked = client(cors_origins=("https://Allowed.example:443/",))
    headers = {} if origin is None else {"origin": origin}
    assert asked.request(method, path, headers=headers).status_code == status


def test_sockets_are_for_pages_of_this_server():
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client().websocket_connect("/socket", headers={"origin": "https://evil.example"}),
    ):
        pass
    assert closed.value.code == 1008


def test_a_token_is_asked_of_everyone():
    asked = client(token=TOKEN)
    assert asked.get("/api/v1/taxa").status_code == 401
    assert asked.get("/api/v1/taxa").headers["www-authenticate"] == "Bearer"
    assert asked.get("/api/v1/taxa", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert (
        asked.get("/api/v1/taxa", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    )
    assert asked.get("/api/v1/health").status_code == 200
    assert asked.get("/").headers["location"] == "/login"
    with pytest.raises(WebSocketDisconnect), asked.websocket_connect("/socket"):
        pass


def test_a_person_says_the_token_once():
    asked = client(token=TOKEN)
    assert "Token of this server" in asked.get("/login").text
    wrong = asked.post("/login", data={"token": "<b>wrong"})
    assert wrong.status_code == 401
    assert "<b>" not in wrong.text
    right = asked.post("/login", data={"token": TOKEN})
    assert right.status_code == 303
    said = right.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=strict" in said
    assert "secure" not in said.lower()
    assert TOKEN not in said
    asked.cookies.clear()
    given = said.partition(";")[0].partition("=")[2]
    assert asked.get("/", headers=cookie(given)).status_code == 200
    assert asked.get("/", headers=cookie(given[:-1] + "x")).status_code == 303
    # beside a cookie of another programme of this machine that is none of HTTP's
    beside = {"cookie": f'theme={{"dark":true}}; {COOKIE}={given}; a=b'}
    assert asked.get("/", headers=beside).status_code == 200


def test_no_cookie_can_be_made_of_a_token():
    of_another = TokenCheck(TOKEN, "secret of another workspace").cookie
    asked = client(token=TOKEN)
    assert asked.get("/", headers=cookie(of_another)).status_code == 303
    of_another_token = TokenCheck("another token", KEY).cookie
    assert asked.get("/", headers=cookie(of_another_token)).status_code == 303


def test_an_old_cookie_locks_nobody_out():
    asked = client(token=TOKEN)
    old = cookie(TokenCheck("the token of last year", KEY).cookie)
    said = {asked.get("/", headers=old).status_code for _ in range(3 * WRONG_A_MINUTE)}
    assert said == {303}
    assert asked.post("/login", data={"token": TOKEN}, headers=old).status_code == 303


@pytest.mark.parametrize("token", ["schlüssel-1", "ключ от моря"])
def test_a_token_may_have_letters_of_any_script(token):
    asked = client(token=token)
    assert asked.get("/api/v1/taxa", headers=bearer(token)).status_code == 200
    assert asked.get("/api/v1/taxa", headers=bearer("")).status_code == 401
    assert asked.post("/login", data={"token": token}).status_code == 303


def test_latin_1_is_how_some_programmes_send_a_token():
    said = {"authorization": "Bearer schlüssel-1".encode("latin-1")}
    assert client(token="schlüssel-1").get("/api/v1/taxa", headers=said).status_code == 200


def test_answers_load_nothing_from_elsewhere():
    policy = client().get("/").headers["content-security-policy"]
    assert "http" not in policy
    assert "default-src 'self'" in policy
    assert client().get("/").headers["x-content-type-options"] == "nosniff"


def test_guesses_are_slowed_down():
    asked = client(token=TOKEN)
    said = [
        asked.get("/api/v1/taxa", headers={"authorization": f"Bearer {n}"}).status_code
        for n in range(WRONG_A_MINUTE + 5)
    ]
    assert set(said) == {401, 429}
    assert said[-1] == 429
    # nor is the right one told from wrong ones meanwhile, at either place
    assert asked.get("/api/v1/taxa", headers=bearer(TOKEN)).status_code == 429
    assert asked.post("/login", data={"token": TOKEN}).status_code == 429
    assert asked.get("/api/v1/health", headers=bearer("wrong")).status_code == 200
    # who knew it before goes on
    known = cookie(TokenCheck(TOKEN, KEY).cookie)
    assert asked.get("/", headers=known).status_code == 200


def test_guesses_at_the_form_are_counted_however_many_come_together():
    app = app_of(ServeSettings(token=TOKEN))
    guesses = [f"guess {number}" for number in range(100)]
    guesses.insert(80, TOKEN)

    async def said():
        line = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=line, base_url="http://127.0.0.1") as asked:
            return await asyncio.gather(
                *(asked.post("/login", data={"token": guess}) for guess in guesses)
            )

    counted = Counter(reply.status_code for reply in asyncio.run(said()))
    assert counted == {401: WRONG_A_MINUTE, 429: 101 - WRONG_A_MINUTE}


@contextmanager
def listening(settings):
    """Serves the application as the server does, at a free port."""
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(app_of(settings), settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{place.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    ("proxies", "last"), [((), 429), (("127.0.0.1",), 401), (("192.0.2.0/24",), 429)]
)
def test_only_a_proxy_that_was_named_says_who_asks(proxies, last):
    with listening(ServeSettings(token=TOKEN, proxies=proxies)) as address:
        for number in range(WRONG_A_MINUTE + 1):
            said = {**bearer("wrong"), "X-Forwarded-For": f"198.51.100.{number}"}
            reply = httpx.get(f"{address}/api/v1/taxa", headers=said)
        assert reply.status_code == last


def test_behind_a_proxy_with_https_the_cookie_is_for_https():
    with listening(ServeSettings(token=TOKEN, proxies=("127.0.0.1",))) as address:
        said = {"X-Forwarded-Proto": "https"}
        reply = httpx.post(f"{address}/login", data={"token": TOKEN}, headers=said)
        assert "secure" in reply.headers["set-cookie"].lower()


def test_a_proxy_is_known_at_an_address_of_ipv6_too():
    trusted = server_config(FastAPI(), ServeSettings(proxies=("10.0.0.0/8",))).forwarded_allow_ips
    seen = ip_address("::ffff:10.1.2.3")
    assert any(seen in ip_network(one) for one in trusted)
    assert not any(ip_address("::ffff:11.1.2.3") in ip_network(one) for one in trusted)


def test_no_page_of_another_site_reaches_the_sockets_by_polling():
    headers = {"origin": "https://evil.example"}
    assert client().get("/_nicegui_ws/socket.io/", headers=headers).status_code == 403
    assert client().get("/", headers={"origin": "http://["}).status_code == 200
    assert client().post("/login", headers={"origin": "http://["}).status_code == 403


def test_who_has_no_token_sends_little():
    asked = client(token=TOKEN)
    assert asked.post("/login", data={"token": "x" * 8_000}).status_code == 413
    parts = (b"token=" + b"x" * 1_000 for _ in range(100))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert asked.post("/login", content=parts, headers=kind).status_code == 400


def test_bodies_are_no_larger_than_an_upload():
    asked = client(max_upload_bytes=1_000)
    assert asked.post("/api/v1/taxa", content=b"x" * 1_000).status_code == 200
    assert asked.post("/api/v1/taxa", content=b"x" * (2 << 20)).status_code == 413
