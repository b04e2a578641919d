#!/bin/sh
# Makes .venv with hatch and uv, from any Python that is new enough: `tools/bootstrap.sh`, called by make.
# PYTHON=/path/to/python chooses the Python; otherwise the newest that is found and complete is taken.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

reason=""

# A Python that is too old, is a shim of a version that is not there, or cannot make environments is of no use.
usable() {
  command -v "$1" >/dev/null 2>&1 || return 1
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || return 1
  "$1" -c 'import ensurepip, ssl, venv' >/dev/null 2>&1 && return 0
  reason="$1 ($("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')) cannot make virtual environments"
  return 1
}

find_python() {
  for candidate in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    if usable "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  if [ -n "$reason" ]; then
    say "$reason: on Debian and Ubuntu install the package python3-venv, then run make again."
  elif [ -n "${PYTHON:-}" ]; then
    say "PYTHON=$PYTHON is not a Python 3.11 or newer."
  else
    say "Waterflow needs Python 3.11 or newer; none is on PATH. Install one, or name it: make PYTHON=/path/to/python"
  fi
  return 1
}

python=$(find_python)
say "Setting up .venv with $python ($("$python" -V))"
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tools/requirements.txt
touch .venv/ready
