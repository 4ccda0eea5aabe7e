"""Scenes: Flatbed beside PySceneDetect, ffmpeg's scdet, and a bare decode."""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from about import PROGRAM, about, first_line, parse, rounds_parser
from contest import FLATBED, HEAD, Contest
from measure import Command, Failed
from table import markdown

CACHE = Path(os.environ["FLATBED_CACHE"])
SCENEDETECT = str(CACHE / "compare-venv" / "bin" / "scenedetect")
# The tools, as the table names them.
DECODE, DECODE_PICTURES = "ffmpeg, bare decode", "ffmpeg, bare decode without sound"
SCDET = "ffmpeg scdet"
PYSCENEDETECT = "PySceneDetect"
DETECTORS = ["adaptive", "content"]

# 55 s of 720p24 as a trailer has them: parts of 2 to 9 s, each of another kind.
PARTS = [
    ("testsrc2=size=1280x720:rate=24", 7),
    ("mandelbrot=size=1280x720:rate=24", 9),
    ("life=size=1280x720:rate=24:mold=10:ratio=0.1:death_color=#C83232", 4),
    ("gradients=size=1280x720:rate=24:speed=0.02", 6),
    ("cellauto=size=1280x720:rate=24", 5),
    ("smptehdbars=size=1280x720:rate=24", 2),
    ("mandelbrot=size=1280x720:rate=24:start_x=-0.5", 8),
    ("testsrc=size=1280x720:rate=24", 6),
    ("sierpinski=size=1280x720:rate=24", 8),
]


def main() -> int:
    options = arguments()
    files = options.files or [made()]
    print(about(theirs()))
    rows, failures = [], []
    for path in files:
        print(f"compare: {path.name}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
            try:
                rows += contest(path, Path(scratch), options.rounds).rows()
            except Failed as failure:
                failures.append(f"{path.name}: {failure}")
    print(markdown(HEAD, rows), flush=True)
    differ = agreement(files)
    for failure in failures + differ:
        print(f"compare: {failure}", file=sys.stderr)
    return 1 if failures or differ else 0


def arguments() -> argparse.Namespace:
    parser = rounds_parser("scenes")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    return parse(parser)


def contest(path: Path, scratch: Path, rounds: int) -> Contest:
    source = str(path)
    quiet = ["ffmpeg", "-nostdin", "-v", "error", "-i", source]
    commands = [
        Command(FLATBED, [PROGRAM, "scenes", source, "--json"]),
        Command(DECODE, [*quiet, "-f", "null", "-"]),
        Command(DECODE_PICTURES, [*quiet, "-an", "-f", "null", "-"]),
        Command(SCDET, [*quiet, "-an", "-vf", "scdet", "-f", "null", "-"]),
        Command(PYSCENEDETECT, scenedetect(path, "adaptive", scratch)),
    ]
    goals = {DECODE: 1.1, PYSCENEDETECT: 0.5}
    return Contest(f"scenes of {path.name}", [commands] * rounds, frames=0, ratios=goals)


def scenedetect(path: Path, detector: str, folder: Path) -> list[str]:
    return [
        *(SCENEDETECT, "--quiet", "-i", str(path), "-o", str(folder)),
        *(f"detect-{detector}", "list-scenes", "--filename", "scenes"),
    ]


def agreement(files: list[Path]) -> list[str]:
    """Prints where both cut; the files in which they differ by more than a frame."""
    print("\nFirst frames of the scenes that each found:\n")
    rows, differ = [], []
    for path in files:
        for detector in DETECTORS:
            ours, theirs = ours_of(path, detector), theirs_of(path, detector)
            near = len(ours) == len(theirs) and all(
                abs(own - other) <= 1 for own, other in zip(ours, theirs)
            )
            verdict = "the same" if ours == theirs else "within a frame" if near else "**differ**"
            rows.append([path.name, detector, str(len(ours)), str(len(theirs)), verdict])
            if not near:
                differ.append(f"{path.name}, {detector}: {ours}, PySceneDetect {theirs}")
    print(markdown(["video", "detector", "Flatbed:", "PySceneDetect:", "cuts"], rows))
    return differ


def ours_of(path: Path, detector: str) -> list[int]:
    command = [PROGRAM, "scenes", str(path), "--detector", detector, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [scene["first_frame"] for scene in json.loads(done.stdout)["scenes"]]


def theirs_of(path: Path, detector: str) -> list[int]:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as folder:
        command = scenedetect(path, detector, Path(folder))
        subprocess.run(command, capture_output=True, check=True)
        text = (Path(folder) / "scenes.csv").read_text()
    # The first line lists the times of the cuts; frames count from 1.
    table = csv.DictReader(io.StringIO(text.partition("\n")[2]))
    return [int(row["Start Frame"]) - 1 for row in table] or [0]


def made() -> Path:
    """A video of our own, made once."""
    path = CACHE / "compare-media" / "scenes-720p24.mp4"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"compare: making {path}", file=sys.stderr)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    for source, seconds in PARTS:
        command += ["-f", "lavfi", "-t", str(seconds), "-i", source]
    command += ["-f", "lavfi", "-i", f"anoisesrc=color=pink:duration={sum(s for _, s in PARTS)}"]
    parts = "".join(
        f"[{n}:v]format=yuv420p,setsar=1,noise=alls=6:allf=t[p{n}];" for n in range(len(PARTS))
    )
    joined = "".join(f"[p{n}]" for n in range(len(PARTS)))
    graph = f"{parts}{joined}concat=n={len(PARTS)}[v]"
    unfinished = path.with_suffix(".part.mp4")
    command += ["-filter_complex", graph, "-map", "[v]", "-map", f"{len(PARTS)}:a"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "1M", "-bf", "3"]
    command += ["-c:a", "libmp3lame", "-shortest", str(unfinished)]
    subprocess.run(command, check=True)
    unfinished.rename(path)
    return path


def theirs() -> str:
    """PySceneDetect's version."""
    python = Path(SCENEDETECT).with_name("python")
    code = "import scenedetect; print(scenedetect.__version__)"
    return f"PySceneDetect {first_line([str(python), '-c', code])}"


if __name__ == "__main__":
    sys.exit(main())
