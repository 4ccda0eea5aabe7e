"""Join and cut: Flatbed beside the ffmpeg command line and smartcut."""

import os
import random
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path

import media
import shown
from about import PROGRAM, about, first_line
from contest import FLATBED, HEAD, Contest, arguments, run, told, verdict
from measure import Command, interleave, summary
from table import markdown

RATE = 25
CACHE = Path(os.environ["FLATBED_CACHE"])
SMARTCUT = str(CACHE / "compare-venv" / "bin" / "smartcut")
# The tools, as the table names them.
ONE, PAIR = "ffmpeg, one command", "ffmpeg, merge then cut"
COPY = "ffmpeg -c copy"
SMART = "smartcut"

COPY_CUT = ["--start", "31", "--duration", "538", "--mode", "copy"]


def main() -> int:
    options = arguments("cut")
    cases = 1 if options.quick else 5
    recordings = media.make(CACHE)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        work = Workloads(recordings, folder.resolve(), options.rounds)
        contests = [work.join(), work.copy(), work.exact(), work.anywhere(cases), work.clip()]
        print(about(first_line([SMARTCUT, "--version"])))
        failures = compare(contests, 1 if options.quick else 40)
        check(contests)
    print(f"\n{time.monotonic() - started:.0f} s in all.")
    return told(failures)


class Workloads:
    """The commands. Times lie between two frames, so that none is in doubt."""

    def __init__(self, recordings: media.Media, folder: Path, rounds: int):
        self.recordings = recordings
        self.folder = folder
        self.rounds = rounds

    def join(self) -> Contest:
        segments = [str(path) for path in self.recordings.segments]
        playlist = self.folder / "segments.txt"
        playlist.write_text("".join(f"file '{path}'\n" for path in segments))
        ours, one = self.folder / "join-flatbed.mp4", self.folder / "join-ffmpeg.mp4"
        merged, cut = self.folder / "join-merged.mp4", self.folder / "join-merged-cut.mp4"
        joined = ["-f", "concat", "-safe", "0", "-i", str(playlist)]
        merge = ffmpeg(*joined, "-c", "copy", str(merged))
        then_cut = ffmpeg("-ss", "31", "-i", str(merged), "-t", "538", "-c", "copy", str(cut))
        pair = f"{shlex.join(merge)} && {shlex.join(then_cut)} && rm {shlex.quote(str(merged))}"
        commands = [
            flatbed(*segments, *COPY_CUT, to=ours),
            Command(ONE, ffmpeg("-ss", "31", *joined, "-t", "538", "-c", "copy", str(one)), one),
            Command(PAIR, ["sh", "-c", pair], cut),
        ]
        return Contest(
            "join 10 TS segments of 60 s, copy-cut 538 s",
            [commands] * self.rounds,
            frames=538 * RATE,
            ratios={ONE: 0.5, PAIR: 0.38},
            peak=40,
        )

    def copy(self) -> Contest:
        source = str(self.recordings.ten_minutes)
        ours, theirs = self.folder / "copy-flatbed.mp4", self.folder / "copy-ffmpeg.mp4"
        cut = ffmpeg("-ss", "31", "-i", source, "-t", "538", "-c", "copy", str(theirs))
        commands = [
            flatbed(source, *COPY_CUT, to=ours),
            Command(COPY, cut, theirs),
        ]
        return Contest(
            "copy-cut 538 s of one MP4",
            [commands] * self.rounds,
            frames=538 * RATE,
            ratios={COPY: 0.75},
        )

    def exact(self) -> Contest:
        commands = self._exact("exact", self.recordings.ten_minutes, 31.1, 569.1)
        return Contest(
            "exact cut of 538 s from 600 s (31.1 to 569.1)",
            [commands] * self.rounds,
            frames=538 * RATE,
            ratios={SMART: 0.08},
            peak=150,
        )

    def anywhere(self, cases: int) -> Contest:
        """Where a cut falls in its GOP decides what it costs: the mean of some."""
        draw = random.Random(1)
        rounds = []
        for case in range(cases):
            start = (draw.randrange(2 * RATE, 60 * RATE) + 0.5) / RATE
            name = f"exact-random-{case}"
            rounds.append(self._exact(name, self.recordings.ten_minutes, start, start + 538))
        return Contest(
            f"the same at {cases} random places, mean",
            rounds,
            frames=538 * RATE,
            ratios={SMART: 0.08},
            peak=150,
            of=statistics.fmean,
        )

    def clip(self) -> Contest:
        commands = self._exact("clip", self.recordings.half_hour, 901.1, 911.1)
        return Contest(
            "exact cut of 10 s from 30 min",
            [commands] * self.rounds,
            frames=10 * RATE,
            ratios={SMART: 0.25},
        )

    def _exact(self, name: str, source: Path, start: float, end: float) -> list[Command]:
        ours, theirs = self.folder / f"{name}-flatbed.mp4", self.folder / f"{name}-smartcut.mp4"
        keep = f"{start:.2f},{end:.2f}"
        return [
            flatbed(str(source), "--start", f"{start:.2f}", "--end", f"{end:.2f}", to=ours),
            Command(SMART, [SMARTCUT, str(source), str(theirs), "-k", keep], theirs),
        ]


def flatbed(*arguments: str, to: Path) -> Command:
    return Command(FLATBED, [PROGRAM, "cut", *arguments, "--quiet", "-o", str(to)], to)


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]


def compare(contests: list[Contest], starts: int) -> list[str]:
    """Prints the table; what could not be run."""
    rows, failures = run(contests)
    rows.append(start_up(starts))
    print(markdown(HEAD, rows), flush=True)
    return failures


def start_up(runs: int) -> list[str]:
    command = Command(FLATBED, [PROGRAM, "version"])
    cost = summary(interleave([[command]] * runs)[FLATBED])
    met = verdict(cost.wall <= 0.010)
    figures = [f"{cost.cpu:.4f}", f"{cost.wall:.4f}", f"{cost.peak:.0f}"]
    return ["`flatbed version`", FLATBED, *figures, "", "wall ≤ 10 ms", met]


def check(contests: list[Contest]) -> None:
    """Prints what the results show, so that a fast wrong answer is seen."""
    print("\nFrames shown by each result, edit lists honoured: both ends decoded, the packets")
    print("between them counted. A copy cut begins at a keyframe and may show more than was")
    print("asked for.\n")
    rows = []
    for contest in contests:
        for command in contest.rounds[0]:
            if command.output is None or not command.output.exists():
                continue
            print(f"compare: checking {command.output.name}", file=sys.stderr)
            seen = shown.count(command.output)
            off = seen.frames - contest.frames
            size = command.output.stat().st_size / 2**20
            numbers = [contest.frames, seen.frames, off, seen.complaints, round(size)]
            rows.append([contest.work, command.who, *map(str, numbers)])
    head = ["work", "tool", "asked:", "shown:", "off by:", "decoder errors:", "MiB:"]
    print(markdown(head, rows))


if __name__ == "__main__":
    sys.exit(main())
