"""Prints the path of an S3-compatible server for the tests, building one where Go is; progress goes to stderr.

Looked for: WATERFLOW_VERSITYGW_BINARY, PATH, the cache (`waterflow/versitygw` below the user's), `go install`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v1.8.0"
MODULE = "github.com/versity/versitygw/cmd/versitygw"


def find() -> Path | None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waterflow" / "versitygw" / VERSION
    named = os.environ.get("WATERFLOW_VERSITYGW_BINARY") or shutil.which("versitygw")
    if named:
        return Path(named)
    if not (cache / "versitygw").exists() and not build(cache):
        return None
    return cache / "versitygw"


def build(cache: Path) -> bool:
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        print(f"There is no versitygw and no Go to build it: go install {MODULE}@{VERSION}", file=sys.stderr)
        return False
    print(f"Building {MODULE} {VERSION}, which takes a minute or two", file=sys.stderr, flush=True)
    made = cache.with_name(f"{cache.name}.{os.getpid()}")
    environ = {**os.environ, "GOBIN": str(made), "GOFLAGS": "-modcacherw", "CGO_ENABLED": "0"}
    done = subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=environ, stdout=sys.stderr, check=False)
    if done.returncode == 0:
        cache.mkdir(parents=True, exist_ok=True)
        os.replace(made / "versitygw", cache / "versitygw")
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
