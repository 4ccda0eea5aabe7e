"""A piece of work that several tools do, and what Flatbed's goals in it are."""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from about import parse, rounds_parser
from measure import Command, Cost, Failed, interleave, summary

FLATBED = "Flatbed"
HEAD = ["work", "tool", "CPU s:", "wall s:", "peak MiB:", "Flatbed / it:", "goal:", "reached"]


@dataclass(frozen=True)
class Contest:
    work: str
    rounds: Sequence[Sequence[Command]]
    """The commands of each round, Flatbed's first. The same in all rounds,
    unless each round is another case."""
    frames: int
    """How many frames the cut asks for."""
    ratios: dict[str, float] = field(default_factory=dict)
    """By peer: the largest share of its CPU time that Flatbed may take."""
    peak: float | None = None
    """The most memory that Flatbed may take, MiB."""
    of: Callable = statistics.median
    """How the rounds become one figure."""

    def rows(self) -> list[list[str]]:
        """Runs it; a row for each tool, under HEAD."""
        costs = {who: summary(runs, self.of) for who, runs in interleave(self.rounds).items()}
        ours = costs[FLATBED]
        return [self._row(who, cost, ours) for who, cost in costs.items()]

    def _row(self, who: str, cost: Cost, ours: Cost) -> list[str]:
        figures = [f"{cost.cpu:.2f}", f"{cost.wall:.2f}", f"{cost.peak:.0f}"]
        if who == FLATBED:
            goal, met = "", ""
            if self.peak is not None:
                goal, met = f"peak ≤ {self.peak:g} MiB", verdict(cost.peak <= self.peak)
            return [self.work, who, *figures, "", goal, met]
        ratio = ours.cpu / cost.cpu
        goal, met = "", ""
        if who in self.ratios:
            goal, met = f"≤ {self.ratios[who]:g}", verdict(ratio <= self.ratios[who])
        return ["", who, *figures, f"{ratio:.3f}", goal, met]


def run(contests: Sequence[Contest]) -> tuple[list[list[str]], list[str]]:
    """Runs them; their rows, and what could not be run."""
    rows, failures = [], []
    for contest in contests:
        print(f"compare: {contest.work}", file=sys.stderr)
        try:
            rows += contest.rows()
        except Failed as failure:
            rows.append([contest.work, "failed", *[""] * (len(HEAD) - 2)])
            failures.append(f"{contest.work}: {failure}")
    return rows, failures


def told(failures: list[str]) -> int:
    """Says what could not be run; the exit status."""
    for failure in failures:
        print(f"compare: {failure}", file=sys.stderr)
    return 1 if failures else 0


def arguments(work: str) -> argparse.Namespace:
    """Of a comparison whose results can be kept."""
    parser = rounds_parser(work)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    return parse(parser)


def verdict(met: bool) -> str:
    return "yes" if met else "**no**"
