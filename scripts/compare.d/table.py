"""Markdown tables."""

from collections.abc import Iterable, Sequence


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the columns whose heads end in a colon are set to the right."""
    rule = ["---:" if cell.endswith(":") else "---" for cell in head]
    lines = [[cell.removesuffix(":") for cell in head], rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
