"""Prints the path of a real Vault for the tests, building `tools/vault` where Go is; progress goes to stderr.

Looked for: WATERFLOW_VAULT_BINARY, the cache (`waterflow/vault` below the user's), `go build`. What is built is Vault's
own code under the Business Source License 1.1: it is only run by tests and belongs to no distribution.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULE = Path(__file__).with_name("vault")


def find() -> Path | None:
    named = os.environ.get("WATERFLOW_VAULT_BINARY")
    if named:
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waterflow" / "vault" / version()
    if not (cache / "waterflow-vault").exists() and not build(cache):
        return None
    return cache / "waterflow-vault"


def version() -> str:
    """Names what would be built, by the files that it is built of."""
    found = hashlib.sha256()
    for path in sorted(path for path in MODULE.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(MODULE)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def build(cache: Path) -> bool:
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        print("There is no Go to build a Vault with; the tests that need one are skipped", file=sys.stderr)
        return False
    print("Building a Vault for the tests, which takes about three minutes", file=sys.stderr, flush=True)
    made = cache.with_name(f"{cache.name}.{os.getpid()}")
    made.mkdir(parents=True)
    environ = {**os.environ, "GOFLAGS": "-modcacherw", "GOWORK": "off", "CGO_ENABLED": "0"}
    words = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", made / "waterflow-vault", "."]
    done = subprocess.run(words, cwd=MODULE, env=environ, stdout=sys.stderr, check=False)
    if done.returncode == 0:
        cache.mkdir(parents=True, exist_ok=True)
        os.replace(made / "waterflow-vault", cache / "waterflow-vault")
    shutil.rmtree(made, ignore_errors=True)
    return done.returncode == 0


def main() -> int:
    found = find()
    if found is None:
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
