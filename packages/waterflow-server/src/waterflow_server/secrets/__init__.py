"""Secrets by reference at the server: those that it reads itself, and segments for those that agents read."""

from ._errors import SecretsUnavailable, SecretsUnprotected
from ._references import SecretReferences
from ._settings import secret_references

__all__ = ["SecretReferences", "SecretsUnavailable", "SecretsUnprotected", "secret_references"]
