"""Secrets that this agent reads for the steps it runs: from its environment, files and Vault, as its settings allow."""

from ._check import SecretCheck
from ._resolver import SecretResolver
from ._settings import secret_sources

__all__ = ["SecretCheck", "SecretResolver", "secret_sources"]
