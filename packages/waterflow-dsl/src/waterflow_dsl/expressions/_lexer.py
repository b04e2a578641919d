"""Expression text to tokens.

Source of the rules: GitHub's "Evaluate expressions in workflows and actions" (literals) and the behaviour of its
expression engine for what the page leaves open (token boundaries, number forms, where a dot starts a number).
"""

import math
from enum import StrEnum

import msgspec

from waterflow_dsl.expressions._coercion import WHITESPACE, parse_number
from waterflow_dsl.expressions._errors import ExpressionError, located

MAX_LENGTH = 21_000
"""Characters of one expression; GitHub's limit."""

_BOUNDARIES = WHITESPACE | frozenset("()[],.!><=&|")
_DIGITS = frozenset("0123456789")
_NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_NAME = _NAME_START | _DIGITS | {"-"}
_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||", "!"})


class TokenKind(StrEnum):
    """What a token is; symbols (punctuation and operators) are told apart by their text."""

    SYMBOL = "symbol"
    LITERAL = "literal"
    NAME = "name"
    END = "end"


class Token(msgspec.Struct, frozen=True, gc=False):
    """A piece of an expression.

    Attributes:
        kind: what it is.
        text: as written.
        position: of its first character, from 1.
        value: of a literal.
        symbol: the text of a symbol, "" for any other token.
    """

    kind: TokenKind
    text: str
    position: int
    value: float | str | bool | None = None
    symbol: str = ""


_KEYWORDS: dict[str, float | bool | None] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": math.nan,
    "Infinity": math.inf,
}


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression, ending with one of kind END.

    Raises:
        ExpressionError: of kind `lexing`, at the first piece that is no token.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError("lexing", f"Exceeded max expression length {MAX_LENGTH}", MAX_LENGTH + 1)
    return _Lexer(text).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tokens: list[Token] = []

    def run(self) -> list[Token]:
        text, end = self._text, len(self._text)
        while self._at < end:
            if text[self._at] in WHITESPACE:
                self._at += 1
            else:
                self._read(text[self._at])
        self._tokens.append(Token(TokenKind.END, "", end + 1))
        return self._tokens

    def _read(self, first: str) -> None:
        if first == "'":
            self._read_string()
        elif first in "()[],*":
            self._add(TokenKind.SYMBOL, self._at + 1)
        elif first in "!<>=&|":
            self._read_operator(first)
        elif first == "." and self._follows_value():
            self._add(TokenKind.SYMBOL, self._at + 1)
        elif first in ".+-" or first in _DIGITS:
            self._read_number()
        else:
            self._read_name()

    def _follows_value(self) -> bool:
        """A dot dereferences after something that can have properties; anywhere else it starts a number."""
        if not self._tokens:
            return False
        last = self._tokens[-1]
        return last.kind is TokenKind.NAME or last.symbol in (")", "]", "*")

    def _read_operator(self, first: str) -> None:
        for length in (2, 1):
            if self._text[self._at : self._at + length] in _OPERATORS:
                self._add(TokenKind.SYMBOL, self._at + length)
                return
        # "=", "&" and "|" mean nothing alone: what follows belongs to the same mistake.
        raise self._unexpected(self._boundary(self._at + len(first)))

    def _read_number(self) -> None:
        end = self._at + 1
        while end < len(self._text) and (self._text[end] == "." or self._text[end] not in _BOUNDARIES):
            end += 1
        value = parse_number(self._text[self._at : end])
        if math.isnan(value):
            raise self._unexpected(end)
        self._add(TokenKind.LITERAL, end, value)

    def _read_string(self) -> None:
        end = self._at + 1
        while True:
            end = self._text.find("'", end) + 1
            if end == 0:
                raise self._unexpected(len(self._text))
            if self._text[end : end + 1] != "'":
                break
            end += 1
        self._add(TokenKind.LITERAL, end, self._text[self._at + 1 : end - 1].replace("''", "'"))

    def _read_name(self) -> None:
        end = self._boundary(self._at + 1)
        name = self._text[self._at : end]
        if name[0] not in _NAME_START or not _NAME.issuperset(name):
            raise self._unexpected(end)
        # After a dot every name is a property: `foo.true` reads the key "true".
        if name in _KEYWORDS and not (self._tokens and self._tokens[-1].symbol == "."):
            self._add(TokenKind.LITERAL, end, _KEYWORDS[name])
        else:
            self._add(TokenKind.NAME, end)

    def _boundary(self, start: int) -> int:
        while start < len(self._text) and self._text[start] not in _BOUNDARIES:
            start += 1
        return start

    def _add(self, kind: TokenKind, end: int, value: float | str | bool | None = None) -> None:
        text = self._text[self._at : end]
        self._tokens.append(Token(kind, text, self._at + 1, value, text if kind is TokenKind.SYMBOL else ""))
        self._at = end

    def _unexpected(self, end: int) -> ExpressionError:
        symbol = self._text[self._at : end]
        return located("lexing", f"Unexpected symbol: '{symbol}'", self._at + 1, self._text)
