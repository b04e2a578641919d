"""Writes a pack from its templates: each is a file beside this one whose ``$words`` are replaced."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from string import Template

from .._errors import CliError
from .._exit_codes import ExitCode

LANGUAGES = ("python", "executable")

_NAME = re.compile(r"[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*){1,3}")

# Template → path in the pack. The names of the files are the node's own, so the path is a template too.
_FILES = {
    "python": {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "init.py": "src/$package/__init__.py",
        "node.py": "src/$package/_$module.py",
        "test.py": "tests/test_$module.py",
    },
    "executable": {"node.yaml": "node.yaml", "run": "run", "test.py": "tests/test_run.py", "README.md": "README.md"},
}


def write_pack(name: str, folder: Path | None, language: str) -> list[Path]:
    """Write a pack with the node ``name``; its files, in the order in which they are best read.

    ``folder`` None = a new one in the working directory, named as the pack. Raises CliError for a name that is none,
    and for a folder that has something in it: nothing is ever overwritten.
    """
    if _NAME.fullmatch(name) is None:
        raise CliError(
            f"{name!r} cannot be a node's name: lower case words with / between them",
            "the first word is your pack's, such as slack/notify",
        )
    words = _words(name)
    target = folder or Path(words["distribution"] if language == "python" else words["folder"])
    files = {target / Template(path).substitute(words): text for path, text in _texts(language, words)}
    try:
        if target.exists() and any(target.iterdir()):
            raise CliError(f"{target} is not empty", "name another folder with --folder")
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755 if path.name == "run" else 0o644)
    except OSError as error:
        raise CliError(
            f"{error.filename or target} cannot be written: {error.strerror}", code=ExitCode.USAGE
        ) from error
    return list(files)


def _texts(language: str, words: dict[str, str]) -> list[tuple[str, str]]:
    folder = resources.files("waterflow_cli.node_pack").joinpath(language)
    return [
        (path, Template(folder.joinpath(f"{template}.txt").read_text("utf-8")).substitute(words))
        for template, path in _FILES[language].items()
    ]


def _words(name: str) -> dict[str, str]:
    pack, _, rest = name.partition("/")
    return {
        "name": name,
        "pack": pack,
        "folder": name.replace("/", "-"),
        "distribution": f"waterflow-{pack}",
        "package": f"waterflow_{pack.replace('-', '_')}",
        "module": re.sub("[/-]", "_", rest),
        "class_name": "".join(word.capitalize() for word in re.split("[/-]", rest)),
    }
