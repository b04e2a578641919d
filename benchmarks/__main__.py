"""Runs benchmarks, each in a process of its own: `python -m benchmarks [NAME …]`. Without names: all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ._report import BAR_MISSED


def available() -> list[str]:
    return sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in available()]:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(available())}.", file=sys.stderr)
        return 2
    codes = {name: subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode for name in names}
    for name, code in codes.items():
        if code:
            print(f"{name}: {'missed a bar' if code == BAR_MISSED else f'failed with exit code {code}'}")
    return max(codes.values(), key=abs, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or available()))
