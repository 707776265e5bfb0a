"""Who may come in: names, sites and tokens; what every answer says to a browser."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from holotype.app.gate import COOKIE, WRONG_A_MINUTE, Gate, cookie_of
from holotype.app.login import login_router
from holotype.app.settings import ServeSettings

TOKEN = "a token of eight"


def client(**said):
    settings = ServeSettings(**said)
    app = FastAPI()
    app.include_router(login_router(settings))

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

    app.add_middleware(Gate, settings=settings)
    return TestClient(app, base_url="http://127.0.0.1:8080", follow_redirects=False)


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


def test_a_name_that_was_given_is_let_in():
    assert (
        client(hosts=("otter.lab",)).get("/", headers={"host": "otter.lab:80"}).status_code == 200
    )


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
    asked = client(cors_origins=("https://allowed.example",))
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


def test_a_person_says_the_token_once(monkeypatch):
    monkeypatch.setattr("holotype.app.login.SECONDS_AFTER_A_WRONG_ONE", 0.0)
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
    assert TOKEN not in said
    assert asked.get("/", headers={"cookie": f"{COOKIE}={cookie_of(TOKEN)}"}).status_code == 200
    assert (
        asked.get("/", headers={"cookie": f"{COOKIE}={cookie_of('another one')}"}).status_code
        == 303
    )


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
    # nor is the right one told from wrong ones meanwhile
    right = {"authorization": f"Bearer {TOKEN}"}
    assert asked.get("/api/v1/taxa", headers=right).status_code == 429


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
