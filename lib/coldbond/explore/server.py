"""The web server of the explore page.

Everything needs the token that the address holds, in a header except for the page itself. No cookie holds it, since
cookies are sent to every port of a computer, also to those of other users. A foreign `Host` is refused, so that no page
of another site reaches the server under a name that leads here (DNS rebinding), and so is a foreign `Origin`.
"""

import asyncio
import atexit
import hmac
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tornado import httpserver, netutil, web

from coldbond.bundle import paths
from coldbond.explore import listing

if TYPE_CHECKING:
    from IPython.display import IFrame

    from coldbond.explore.page import Session

HERE = "127.0.0.1"
NAMES = ("localhost", HERE)  # what a browser on this computer may call it
MOST_STATE, MOST_UPLOAD = 1 << 20, 256 << 20  # bytes, of a request and of an uploaded file
FILES = Path(__file__).parent / "static"


@dataclass
class Explorer:
    """One user's page: its token, its session, its uploads, and the one thread that draws."""

    ancestors: str = "'none'"  # who may show the page in a frame, as in Content-Security-Policy
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    uploads: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="coldbond-explore-")))
    port: int = 0

    @cached_property
    def session(self) -> "Session":
        """Imported when it is first used, in the thread: the page is there while the packages load."""
        from coldbond.explore.page import Session

        return Session()

    @property
    def address(self) -> str:
        return f"http://{HERE}:{self.port}/?token={self.token}"

    def listen(self) -> None:
        """Start to answer on a free port of this computer, in the event loop that runs."""
        handlers = [(r"/", Page), (r"/(recordings|draw|save|path)", Answer), (r"/upload", Upload)]
        app = web.Application([(*handler, {"explorer": self}) for handler in handlers], log_function=_log)
        (socket,) = netutil.bind_sockets(0, HERE)
        self.port = socket.getsockname()[1]
        self.server = httpserver.HTTPServer(app, max_body_size=MOST_STATE)
        self.server.add_sockets([socket])
        self.thread.submit(lambda: self.session)  # load the packages while the browser opens

    async def later(self, work: Callable[[], Any]) -> Any:
        """Return what is done in the thread that draws."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def close(self) -> None:
        """Answer no more, and remove what was uploaded."""
        self.server.stop()
        self.thread.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self.uploads, ignore_errors=True)


class _Guarded(web.RequestHandler):
    explorer: Explorer

    def initialize(self, explorer: Explorer) -> None:
        self.explorer = explorer

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def given(self) -> str:
        """Return the token that the request brings."""
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        return token if kind == "token" else ""

    def prepare(self) -> None:
        host = urlsplit(f"//{self.request.host}")
        if host.hostname not in NAMES or host.port not in (None, self.explorer.port):
            raise web.HTTPError(403, reason="Foreign host")
        origin = self.request.headers.get("Origin")
        if origin is not None and origin != f"http://{self.request.host}":
            raise web.HTTPError(403, reason="Foreign origin")
        if not hmac.compare_digest(self.given().encode(), self.explorer.token.encode()):
            raise web.HTTPError(403, reason="Token missing or wrong")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        hint = "open the whole address that `make explore` prints" if status_code == 403 else "load the page anew"
        self.finish(f"{self._reason}: {hint}.\n")


class Page(_Guarded):
    """The page itself, which holds its style and its script."""

    def given(self) -> str:
        return self.get_query_argument("token", "")

    def get(self) -> None:
        once = secrets.token_urlsafe(16)
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'nonce-{once}'; style-src 'nonce-{once}'; img-src data:; "
            f"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {self.explorer.ancestors}",
        )
        parts = {name: (FILES / f"explore.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
        whole = Template((FILES / "explore.html").read_text(encoding="utf-8"))
        self.finish(whole.substitute(parts, once=once, most=MOST_UPLOAD))


class Answer(_Guarded):
    """What the script of the page asks for."""

    async def post(self, what: str) -> None:
        try:
            sent = json.loads(self.request.body or b"{}")
            if not isinstance(sent, dict):
                raise ValueError
        except ValueError:
            raise web.HTTPError(400) from None
        if what == "recordings":
            self.finish(listing.listed(paths.RAW))
        elif what == "save":
            await self._save(sent)
        else:
            answer = await self.explorer.later(lambda: getattr(self.explorer.session, what)(sent))
            self.finish(json.dumps(answer, default=str))

    async def _save(self, sent: dict[str, Any]) -> None:
        form = str(sent.get("form", ""))
        try:
            name, content = await self.explorer.later(lambda: self.explorer.session.save(sent, form))
        except (ValueError, LookupError, OSError) as error:
            self.set_status(409)
            self.finish(" ".join(str(error).split()))
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-Name", quote(name))
        self.finish(content)


@web.stream_request_body
class Upload(_Guarded):
    """A file of the user's own, written to a folder of this server while it arrives.

    Because it is streamed, `prepare` refuses a request without token before its body is read.
    """

    def prepare(self) -> None:
        super().prepare()
        self.request.connection.set_max_body_size(MOST_UPLOAD)  # type: ignore[union-attr]
        # Of the name only its last part, so that no file is written elsewhere.
        name = Path(self.get_query_argument("name", "").replace("\\", "/")).name.lstrip(".")
        self.path = Path(tempfile.mkdtemp(dir=self.explorer.uploads)) / (name or "recording")
        self.file = self.path.open("wb")

    def data_received(self, chunk: bytes) -> None:
        self.file.write(chunk)

    async def post(self) -> None:
        self.file.close()
        self.finish(await self.explorer.later(lambda: self.explorer.session.add(self.path)))

    def on_connection_close(self) -> None:
        """Remove what arrived of a file whose upload was broken off."""
        if hasattr(self, "file") and not self.file.closed:
            self.file.close()
            self.path.unlink(missing_ok=True)


def _log(handler: web.RequestHandler) -> None:
    """Log no addresses: they hold the token."""
    if handler.get_status() >= 500:
        logging.error("explore: %s answers %s", handler.request.path, handler.get_status())


@contextmanager
def _redirect(address: str) -> Iterator[str]:
    """Give the address of a file that only this user reads and that leads to the page.

    The address itself would be seen by every user among the arguments of the browser.
    """
    handle, name = tempfile.mkstemp(prefix="coldbond-explore-", suffix=".html")
    with os.fdopen(handle, "w") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">')
    try:
        yield Path(name).as_uri()
    finally:
        Path(name).unlink(missing_ok=True)


def frame(height: int = 1000) -> "IFrame":
    """Serve the page from a notebook's kernel and return the frame that shows it.

    Parameters
    ----------
    height : int
        px.
    """
    from IPython.display import IFrame

    explorer = Explorer(ancestors="http://localhost:* http://127.0.0.1:*")
    explorer.listen()
    atexit.register(shutil.rmtree, explorer.uploads, ignore_errors=True)
    return IFrame(explorer.address, "100%", height)


async def _serve() -> None:
    explorer, ended = Explorer(), asyncio.Event()
    explorer.listen()
    print(f"The page: {explorer.address}\nIts address holds the token that it needs. Ctrl-C ends it.", flush=True)
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    with _redirect(explorer.address) as file:
        if sys.stdout.isatty():
            await asyncio.get_running_loop().run_in_executor(None, webbrowser.open, file)
        await ended.wait()
    explorer.close()


def main() -> int:
    """Serve the page until Ctrl-C."""
    asyncio.run(_serve())
    return 0
