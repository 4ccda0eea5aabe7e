"""What was compared, and on what; how often."""

import argparse
import os
import platform
import subprocess

PROGRAM = os.environ["FLATBED"]


def about(*others: str) -> str:
    """The first lines of a report: Flatbed and ffmpeg beside `others`."""
    version = first_line([PROGRAM, "version"])
    ffmpeg = first_line(["ffmpeg", "-version"]).partition(" Copyright")[0]
    lines = [
        f"{version}, beside {' and '.join([ffmpeg, *others])};",
        f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the start.",
        "Commands interleaved, one uncounted run each; CPU is user + system of all",
        "processes. Medians, the largest peak.",
    ]
    return "\n".join(lines) + "\n"


def first_line(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def rounds_parser(work: str) -> argparse.ArgumentParser:
    """The arguments that every comparison takes."""
    parser = argparse.ArgumentParser(prog=f"scripts/compare {work}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--quick", action="store_true")
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options
