"""The six distributions as data: what each is called, and what it may depend on. The source is ARCHITECTURE.md."""

from __future__ import annotations

import dataclasses
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "packages"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Distribution:
    """One of the six.

    - `siblings`: distributions of ours that it depends on, directly
    - `imports`: top-level modules of others that its code may import. Beside what its pyproject.toml names these are
      the companions in whose types such a library speaks: yarl of aiohttp, google.protobuf of temporalio.
    - `lazy`: those of them that `import` of the package alone must not load
    """

    name: str
    siblings: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    lazy: frozenset[str] = frozenset()

    @property
    def package(self) -> str:
        """The import name: `waterflow_nodes_core` for `waterflow-nodes-core`."""
        return self.name.replace("-", "_")

    @property
    def folder(self) -> Path:
        return PACKAGES / self.name

    @property
    def source(self) -> Path:
        return self.folder / "src" / self.package

    @property
    def installed_with(self) -> frozenset[str]:
        """The distributions of ours that are there when this one is installed alone."""
        indirect = (DISTRIBUTIONS[sibling].installed_with for sibling in self.siblings)
        return frozenset({self.name}).union(*indirect)


DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in (
        Distribution(
            name="waterflow-sdk",
            imports=frozenset({"aiohttp", "cryptography", "msgspec", "yarl"}),
            lazy=frozenset({"aiohttp", "cryptography", "yarl"}),
        ),
        Distribution(
            name="waterflow-dsl",
            imports=frozenset({"jsonschema", "msgspec", "yaml"}),
        ),
        Distribution(
            name="waterflow-nodes-core",
            siblings=frozenset({"waterflow-sdk"}),
            imports=frozenset({"aiohttp", "msgspec"}),
            lazy=frozenset({"aiohttp"}),
        ),
        Distribution(
            name="waterflow-agent",
            siblings=frozenset({"waterflow-sdk"}),
            imports=frozenset({"msgspec", "opentelemetry", "temporalio", "yaml"}),
            lazy=frozenset({"opentelemetry", "yaml"}),
        ),
        Distribution(
            name="waterflow-server",
            siblings=frozenset({"waterflow-dsl", "waterflow-sdk"}),
            imports=frozenset({"google", "litestar", "msgspec", "opentelemetry", "temporalio", "uvicorn", "yaml"}),
            lazy=frozenset({"litestar", "uvicorn"}),
        ),
        Distribution(
            name="waterflow-cli",
            siblings=frozenset({"waterflow-dsl", "waterflow-sdk"}),
            imports=frozenset({"click", "msgspec", "rich"}),
        ),
    )
}
"""By name. The table is closed: a folder in packages/ that is not here fails a test."""
