"""HashiCorp's Vault, a real one, with a certificate of a company's authority; `make vault` builds it."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote

from tls._authority import Authority

from waterflow_server.dev._ports import free_ports

HOW = "Run `make vault`, which needs Go, and set WATERFLOW_VAULT_BINARY to what it prints, or put it on PATH."
POLICY = 'path "secret/data/shop/*" { capabilities = ["read"] }'
"""What tokens and AppRoles that the tests make may do."""


class AppRole(NamedTuple):
    """How a machine gets in; ``secret_id_file`` holds the secret id."""

    role_id: str
    secret_id_file: Path


class Vault:
    """Its address and files are there before it runs, and stay when it is killed."""

    def __init__(self, root: Path) -> None:
        authority = Authority(root / "authority")
        self._root = root
        self._pair = authority.issue("vault")
        (self._port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._key = self._root_token = ""
        self.ca = authority.ca
        self.address = f"https://127.0.0.1:{self._port}"
        self.token_file = root / "token"

    def start(self, binary: Path) -> None:
        """Returns when it answers. It is sealed then, as after every start."""
        data = self._root / "data"
        data.mkdir(exist_ok=True)
        words: list[str | Path] = [binary, "-address", f"127.0.0.1:{self._port}", "-data", data]
        with (self._root / "vault.log").open("ab") as log:
            words += ["-certificate", self._pair.cert, "-key", self._pair.key]
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _until(self._answers, "Vault answers")

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)

    def initialize(self) -> None:
        """Unseals it, and makes a key/value engine at ``secret``, AppRole, and the token of ``token_file``."""
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self._key, self._root_token = made["keys"][0], made["root_token"]
        self.unseal()
        self.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        _until(self._writes, "the key/value engine is ready")
        self.call("POST", "sys/auth/approle", {"type": "approle"})
        self.call("PUT", "sys/policies/acl/shop", {"policy": POLICY})
        self.token_file.write_text(f"{self.token()}\n")

    def unseal(self) -> None:
        """What its administrators do after every start."""
        self.call("PUT", "sys/unseal", {"key": self._key})

    def seal(self) -> None:
        """What its administrators do in an emergency."""
        self.call("PUT", "sys/seal")

    def write(self, path: str, **fields: object) -> None:
        """Writes a secret into the engine at ``secret``."""
        self.call("POST", f"secret/data/{path}", {"data": fields})

    def token(self, **options: object) -> str:
        """A token that may read the shop; options are those of Vault's ``auth/token/create``."""
        made = self.call("POST", "auth/token/create", {"policies": ["shop"], **options})
        return made["auth"]["client_token"]

    def revoke(self, token: str) -> None:
        """Ends a token."""
        self.call("POST", "auth/token/revoke", {"token": token})

    def app_role(self, name: str, **options: object) -> AppRole:
        """An AppRole that may read the shop; options are those of Vault's ``auth/approle/role/:name``."""
        self.call("POST", f"auth/approle/role/{name}", {"token_policies": "shop", **options})
        file = self._root / f"{name}.secret-id"
        file.write_text(self.call("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"] + "\n")
        return AppRole(self.call("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"], file)

    def tokens(self) -> set[str]:
        """Accessors of the tokens that are valid."""
        return set(self.call("LIST", "auth/token/accessors")["data"]["keys"])

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Asks its API as root; None where it has nothing to say."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"X-Vault-Token": self._root_token} if self._root_token else {}
        request = urllib.request.Request(f"{self.address}/v1/{quote(path)}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60, context=self._trust()) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def freeze(self) -> None:
        """Makes it answer no more, without closing anything; ``kill`` ends it all the same."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._root / "vault.log").read_text()
        try:
            self.call("GET", "sys/seal-status")
        except URLError:
            return False
        return True

    def _writes(self) -> bool:
        """The engine refuses for a moment after it was made."""
        try:
            self.write("ready", so="yes")
        except HTTPError:
            return False
        return True

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)


def _until(check: Callable[[], bool], what: str) -> None:
    """The limit only ends what hangs."""
    deadline = time.monotonic() + 120
    while not check():
        assert time.monotonic() < deadline, f"not within 120 s: {what}"
        time.sleep(0.05)
