"""Serves OPA's documented REST API (policies, data, health) from the real OPA, as a library, on a free port.

Started as a file of its own with the folder of the library as its argument; the first line it prints is the
port. A Go runtime does not survive a fork, so it never runs in a test's process.
"""

import json
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

sys.path.insert(0, sys.argv[1])
from opa_bindings import OpaEngine, OpaError, OpaUndefinedError  # type: ignore[import-not-found]  # not of our environment

TOKEN = sys.argv[2] if len(sys.argv) > 2 else ""
JSON = "application/json"


class Store:
    """Modules and data. The library cannot replace either, so a changed store is compiled anew."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._data: dict[str, Any] = {}
        self._engine: OpaEngine | None = None
        self._lock = threading.Lock()

    def put_module(self, name: str, text: str) -> None:
        """Raises `OpaError` for a text that is no module, and keeps what was there."""
        with self._lock:
            changed = {**self._modules, name: text}
            if changed == self._modules and self._engine is not None:
                return
            self._engine = _compiled(changed, self._data)  # as OPA does, before a question waits for it
            self._modules = changed

    def put_data(self, path: list[str], value: Any) -> None:
        with self._lock:
            below = self._data
            for word in path[:-1]:
                below = below.setdefault(word, {})
            below[path[-1]] = value
            self._engine = None

    def forget(self) -> None:
        with self._lock:
            self._modules, self._data, self._engine = {}, {}, None

    def ask(self, path: list[str], asked: Any) -> Any:
        """Raises `OpaUndefinedError`."""
        with self._lock:
            self._engine = self._engine or _compiled(self._modules, self._data)
            return self._engine.eval_document(".".join(path), asked)


def _compiled(modules: dict[str, str], data: dict[str, Any]) -> OpaEngine:
    engine = OpaEngine()
    for name, text in modules.items():
        engine.add_policy(name, text)
    if data:
        engine.add_data(data)
    with suppress(OpaUndefinedError):
        engine.eval_document("nothing_has_this_name")  # compiles
    return engine


STORE = Store()


class Answers(BaseHTTPRequestHandler):
    """Status codes and bodies as in OPA's documentation of its REST API."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_GET(self) -> None:
        if self.path == "/health":
            self._say(HTTPStatus.OK, {})
        elif self._allowed():
            self._evaluate(None)

    def do_DELETE(self) -> None:
        """Not OPA's: all is gone, as after a restart."""
        STORE.forget()
        self._say(HTTPStatus.OK, {})

    def do_PUT(self) -> None:
        body = self._body()
        if not self._allowed():
            return
        kind, path = self._address()
        if kind == "policies":
            try:
                STORE.put_module("/".join(path), body.decode())
            except OpaError as error:
                said = {"code": "invalid_parameter", "message": "error(s) occurred while compiling module(s)"}
                self._say(HTTPStatus.BAD_REQUEST, {**said, "errors": [{"message": str(error)}]})
                return
            self._say(HTTPStatus.OK, {})
        elif kind == "data":
            STORE.put_data(path, json.loads(body))
            self._say(HTTPStatus.NO_CONTENT, None)
        else:
            self._unknown()

    def do_POST(self) -> None:
        body = self._body()
        if not self._allowed():
            return
        self._evaluate(json.loads(body).get("input"))

    def _evaluate(self, asked: Any) -> None:
        kind, path = self._address()
        if kind != "data":
            self._unknown()
            return
        try:
            self._say(HTTPStatus.OK, {"result": STORE.ask(path, asked)})
        except OpaUndefinedError:
            self._say(HTTPStatus.OK, {})
        except OpaError as error:
            said = {"code": "internal_error", "message": "error(s) occurred while evaluating query"}
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, {**said, "errors": [{"message": str(error)}]})

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _address(self) -> tuple[str, list[str]]:
        _, version, kind, *path = [*self.path.split("?")[0].split("/"), ""][:-1]
        return (kind if version == "v1" else "", path)

    def _allowed(self) -> bool:
        if not TOKEN or self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        said = {"code": "unauthorized", "message": "request rejected by administrative policy"}
        self._say(HTTPStatus.UNAUTHORIZED, said)
        return False

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _unknown(self) -> None:
        self._say(HTTPStatus.NOT_FOUND, {"code": "resource_not_found", "message": "no such resource"})

    def _say(self, status: HTTPStatus, said: object) -> None:
        content = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serve() -> None:
    """Until the process is ended."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        print(server.server_port, flush=True)  # noqa: T201 - how its parent learns the port
        server.serve_forever()


serve()
