"""The form where a person says the token once; a cookie remembers that it was the right one."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from holotype.app.gate import LOGIN
from holotype.app.token_check import COOKIE, WAIT, WAIT_HEADERS, TokenCheck, Verdict
from holotype.page.colours import colours

DAYS = 30
_LOOK = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 var(--sans)}form{display:grid;gap:.7rem;width:min(20rem,90vw)}h1{margin:0}"
    "input,button{font:inherit;padding:.6rem .7rem;border-radius:6px;border:1px solid var(--grey);"
    "background:var(--paper);color:var(--ink)}button{background:var(--link);color:var(--paper)}"
    ".bad{color:var(--bad);margin:0}"
)
_DARK = "@media (prefers-color-scheme: dark) {{ :root {} }}"


def login_router(check: TokenCheck | None) -> APIRouter:
    """Returns the routes of the form; without a token to check they lead to the first page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(LOGIN)
    async def form() -> Response:
        return HTMLResponse(_page("")) if check is not None else RedirectResponse("/")

    @routes.post(LOGIN)
    async def said(
        request: Request, token: Annotated[str, Form(max_length=1_000)] = ""
    ) -> Response:
        if check is None:
            return RedirectResponse("/", status_code=303)
        client = request.client.host if request.client is not None else ""
        verdict = check.verdict(token.encode(), client)
        if verdict is Verdict.WAIT:
            told = _page(f"{WAIT.capitalize()}. Wait a minute.")
            return HTMLResponse(told, status_code=429, headers=WAIT_HEADERS)
        if verdict is Verdict.WRONG:
            return HTMLResponse(_page("That is not the token."), status_code=401)
        found = RedirectResponse("/", status_code=303)
        found.set_cookie(
            COOKIE,
            check.cookie,
            max_age=DAYS * 86_400,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
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
