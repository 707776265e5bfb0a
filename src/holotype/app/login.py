"""The form where a person says the token once; a cookie remembers that it was the right one."""

import asyncio
import hmac
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from holotype.app.gate import COOKIE, LOGIN, cookie_of
from holotype.app.settings import ServeSettings
from holotype.page.colours import colours

DAYS = 30
SECONDS_AFTER_A_WRONG_ONE = 1.0
_LOOK = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 var(--sans)}form{display:grid;gap:.7rem;width:min(20rem,90vw)}h1{margin:0}"
    "input,button{font:inherit;padding:.6rem .7rem;border-radius:6px;border:1px solid var(--grey);"
    "background:var(--paper);color:var(--ink)}button{background:var(--link);color:var(--paper)}"
    ".bad{color:var(--bad);margin:0}"
)
_DARK = "@media (prefers-color-scheme: dark) {{ :root {} }}"


def login_router(settings: ServeSettings) -> APIRouter:
    """Returns the routes of the form; without a token they lead to the first page."""
    routes = APIRouter(include_in_schema=False)
    one_at_a_time = asyncio.Lock()

    @routes.get(LOGIN)
    async def form() -> Response:
        return HTMLResponse(_page("")) if settings.token is not None else RedirectResponse("/")

    @routes.post(LOGIN)
    async def said(token: Annotated[str, Form(max_length=1_000)] = "") -> Response:
        if settings.token is None:
            return RedirectResponse("/", status_code=303)
        if not hmac.compare_digest(token.encode(), settings.token.encode()):
            if one_at_a_time.locked():
                return HTMLResponse(_page("Others try as well. Wait a little."), status_code=429)
            async with one_at_a_time:
                await asyncio.sleep(SECONDS_AFTER_A_WRONG_ONE)
            return HTMLResponse(_page("That is not the token."), status_code=401)
        found = RedirectResponse("/", status_code=303)
        found.set_cookie(
            COOKIE,
            cookie_of(settings.token),
            max_age=DAYS * 86_400,
            httponly=True,
            samesite="strict",
        )
        return found

    return routes


def _page(wrong: str) -> str:
    told = f'<p class="bad" role="alert">{wrong}</p>' if wrong else ""
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>Holotype</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{colours(_DARK)}{_LOOK}</style></head><body><main>"
        f'<form method="post" action="{LOGIN}"><h1>Holotype</h1><label for="token">Token of this server'
        "</label>"
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        f"{told}<button>Come in</button></form></main></body></html>"
    )
