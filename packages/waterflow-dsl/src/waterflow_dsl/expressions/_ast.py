"""The syntax tree of an expression: immutable, every node with its place."""

from typing import Literal as LiteralType

import msgspec

Dialect = LiteralType["waterflow", "github"]
"""Whose functions exist: GitHub's and ours (`waterflow`), or nothing but GitHub's (`github`)."""

Comparator = LiteralType["==", "!=", "<", "<=", ">", ">="]
Connective = LiteralType["&&", "||"]


class Span(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the expression: 1-based position of its first character, and of the one after its last."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The stretch of `text` that this span covers."""
        return text[self.start - 1 : self.end - 1]


class _Node(msgspec.Struct, frozen=True, kw_only=True):
    span: Span


class Literal(_Node, frozen=True, kw_only=True):
    """A value written down; a property after a dot is one, too."""

    value: float | str | bool | None


class Context(_Node, frozen=True, kw_only=True):
    """A context by its name, as written (GitHub calls it a named-value)."""

    name: str


class Wildcard(_Node, frozen=True, kw_only=True):
    """The `*` of `.*` and `[*]`."""


class Index(_Node, frozen=True, kw_only=True):
    """`target.key`, `target[key]`, `target.*` or `target[*]`."""

    target: "Node"
    key: "Node | Wildcard"


class Call(_Node, frozen=True, kw_only=True):
    """A function with its arguments; `name` as written."""

    name: str
    name_span: Span
    arguments: tuple["Node", ...]


class Not(_Node, frozen=True, kw_only=True):
    """`!operand`."""

    operand: "Node"


class Comparison(_Node, frozen=True, kw_only=True):
    """Two values compared."""

    operator: Comparator
    left: "Node"
    right: "Node"


class Logical(_Node, frozen=True, kw_only=True):
    """Two or more operands, of which the deciding one is the value."""

    operator: Connective
    operands: tuple["Node", ...]


Node = Literal | Context | Index | Call | Not | Comparison | Logical


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed expression; `root` is None when the text is blank, which evaluates to null."""

    text: str
    dialect: Dialect
    root: Node | None


def children(node: Node | Wildcard) -> tuple["Node | Wildcard", ...]:
    """The nodes directly below a node, in source order."""
    match node:
        case Index():
            return (node.target, node.key)
        case Call():
            return node.arguments
        case Not():
            return (node.operand,)
        case Comparison():
            return (node.left, node.right)
        case Logical():
            return node.operands
        case _:
            return ()
