"""Runs commands side by side and says what each cost.

Commands of one workload are interleaved, A B C A B C, so that whatever else
the machine does falls on all of them alike. Each command first runs once
uncounted, which fills the page cache for it.
"""

import os
import shlex
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """One contestant's command line, and the file that it makes."""

    who: str
    argv: Sequence[str]
    output: Path | None = None


@dataclass(frozen=True)
class Cost:
    """What a run took. Processes that the command started are counted in."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    peak: float
    """The largest resident size of one process, MiB. Never below this Python's
    own (15 to 20 MiB), which Linux counts from before the exec."""


class Failed(Exception):
    """A command that did not end with 0, or made nothing."""


def run(command: Command) -> Cost:
    """Runs it once, with its output removed beforehand."""
    if command.output is not None:
        command.output.unlink(missing_ok=True)
    with tempfile.TemporaryFile() as said, open(os.devnull, "rb") as nothing:
        redirect = [
            (os.POSIX_SPAWN_DUP2, nothing.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, said.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, said.fileno(), 2),
        ]
        started = time.perf_counter()
        try:
            pid = os.posix_spawnp(command.argv[0], command.argv, os.environ, file_actions=redirect)
        except OSError as error:
            raise Failed(f"{command.argv[0]}: {error.strerror}") from error
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - started
        _require_success(command, os.waitstatus_to_exitcode(status), said)
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def _require_success(command: Command, code: int, said) -> None:
    made = command.output is None or (command.output.exists() and command.output.stat().st_size)
    if code == 0 and made:
        return
    said.seek(0)
    tail = said.read().decode(errors="replace").strip().splitlines()[-5:]
    reason = f"exit code {code}" if code else "it made no output"
    raise Failed("\n".join([f"{reason}: {shlex.join(command.argv)}", *tail]))


def interleave(rounds: Sequence[Sequence[Command]]) -> dict[str, list[Cost]]:
    """Runs the commands of each round in turn; what the runs of each took."""
    for command in rounds[0]:
        run(command)
    costs: dict[str, list[Cost]] = {command.who: [] for command in rounds[0]}
    for commands in rounds:
        for command in commands:
            costs[command.who].append(run(command))
    return costs


def summary(costs: Sequence[Cost], of: Callable = statistics.median) -> Cost:
    """The median run, measure by measure; the largest peak."""
    return Cost(
        of([cost.cpu for cost in costs]),
        of([cost.wall for cost in costs]),
        max(cost.peak for cost in costs),
    )
