"""Photos to WebP: Flatbed beside sharp, at the same quality and effort."""

import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from about import PROGRAM, about, parse, rounds_parser
from contest import FLATBED, verdict
from measure import Command, Cost, Failed, interleave, summary
from table import markdown

CACHE = Path(os.environ["FLATBED_CACHE"])
SHARP = "sharp"
SHARP_FOLDER = CACHE / "compare-sharp"
HERE = Path(__file__).parent
QUALITY, EFFORT = 80, 4
# A width, the least of Flatbed's images/s to sharp's.
WIDTHS = {720: 1.25, 1920: 1.1}
IN_FLIGHT = [1, 2]
COPIES = 4
"""How often each photo is worked on in a run: starting up should not count."""

# What a camera gives, without one: detail of all sizes, and a sensor's noise.
SCENES = [
    "mandelbrot=size={size}:rate=1:start_scale=0.4:start_x=-0.74:start_y=0.13",
    "mandelbrot=size={size}:rate=1:start_scale=0.02:start_x=-0.7436:start_y=0.1318",
    "cellauto=size=681x556:rate=1:rule=110,scale={size}:flags=bicubic,boxblur=2",
    "gradients=size={size}:rate=1:n=8:seed=7",
]


@dataclass(frozen=True)
class Shape:
    width: int
    height: int
    name: str


SHAPES = [Shape(2725, 2225, "6 MP"), Shape(4000, 3000, "12 MP")]


def main() -> int:
    options = arguments()
    print(about(theirs()))
    print(f"Quality {QUALITY}, effort {EFFORT}; {COPIES} times all photos, start-up included.\n")
    failures = []
    rows, looks = [], []
    head = ["photos", "width:", "in flight:", "tool", "images/s:", "CPU ms/image:", "peak MiB:"]
    head += ["images/s, Flatbed to it:", "goal:", "reached"]
    for shape in SHAPES[: 1 if options.quick else None]:
        photos = made(options.files, shape)
        for width, goal in WIDTHS.items():
            for at_once in IN_FLIGHT:
                print(f"compare: {shape.name} to {width}, {at_once} in flight", file=sys.stderr)
                with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
                    work = Work(photos, width, at_once, Path(scratch))
                    try:
                        costs = work.measure(options.rounds)
                    except Failed as failure:
                        failures.append(str(failure))
                        continue
                    rows += work.rows(shape, costs, goal)
                    if at_once == 1:
                        looks += work.look(shape)
    print(markdown(head, rows), flush=True)
    print("\nWhat came out: SSIM of luma against the photo, resized by ffmpeg (Lanczos).\n")
    print(markdown(["photos", "width:", "tool", "KiB each:", "SSIM:", "bytes, Flatbed to it:"], looks))
    for failure in failures:
        print(f"compare: {failure}", file=sys.stderr)
    return 1 if failures else 0


def arguments() -> argparse.Namespace:
    parser = rounds_parser("image")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    return parse(parser)


class Work:
    """All photos to one width by both tools."""

    def __init__(self, photos: Sequence[Path], width: int, at_once: int, folder: Path):
        self.photos = photos
        self.width = width
        self.at_once = at_once
        # Under other names: Flatbed takes no two that become the same file.
        self.sources = []
        for copy in range(COPIES):
            for photo in photos:
                source = folder / f"{copy}-{photo.name}"
                source.symlink_to(photo)
                self.sources.append(str(source))
        self.ours, self.theirs = folder / "flatbed", folder / "sharp"
        self.theirs.mkdir()

    def measure(self, rounds: int) -> dict[str, Cost]:
        ours = [PROGRAM, "image", *self.sources, "--max-width", str(self.width), "--force"]
        ours += ["--quality", str(QUALITY), "--effort", str(EFFORT), "--quiet"]
        ours += ["--threads", str(self.at_once), "-o", str(self.ours)]
        theirs = ["env", f"UV_THREADPOOL_SIZE={self.at_once}", "node", str(HERE / "sharp.mjs")]
        theirs += [str(SHARP_FOLDER), str(self.width), str(QUALITY), str(EFFORT)]
        theirs += [str(self.at_once), str(self.theirs), *self.sources]
        commands = [Command(FLATBED, ours), Command(SHARP, theirs)]
        costs = interleave([commands] * rounds)
        return {who: summary(runs) for who, runs in costs.items()}

    def rows(self, shape: Shape, costs: dict[str, Cost], goal: float) -> list[list[str]]:
        ours, theirs = costs[FLATBED], costs[SHARP]
        rows = []
        for who, cost in costs.items():
            rate = len(self.sources) / cost.wall
            each = 1000 * cost.cpu / len(self.sources)
            row = [shape.name, str(self.width), str(self.at_once), who]
            row += [f"{rate:.1f}", f"{each:.1f}", f"{cost.peak:.0f}"]
            if who == FLATBED:
                share = ours.peak / theirs.peak
                row += ["", "peak ≤ 0.4 of it", f"{share:.2f}: {verdict(share <= 0.4)}"]
            else:
                ratio = theirs.wall / ours.wall
                # The goals are for 6 MP.
                wanted = shape is SHAPES[0]
                row += [f"{ratio:.2f}"]
                row += [f"≥ {goal:g}", verdict(ratio >= goal)] if wanted else ["", ""]
            rows.append(row)
        return rows

    def look(self, shape: Shape) -> list[list[str]]:
        rows, sizes = [], {}
        for who, folder in [(FLATBED, self.ours), (SHARP, self.theirs)]:
            files = [folder / f"0-{photo.stem}.webp" for photo in self.photos]
            sizes[who] = statistics.fmean(path.stat().st_size for path in files)
            seen = statistics.fmean(ssim(path, photo) for path, photo in zip(files, self.photos))
            ratio = "" if who == FLATBED else f"{sizes[FLATBED] / sizes[who]:.3f}"
            row = [shape.name, str(self.width), who, f"{sizes[who] / 1024:.1f}"]
            rows.append([*row, f"{seen:.4f}", ratio])
        return rows


def ssim(result: Path, photo: Path) -> float:
    graph = "[1][0]scale2ref=flags=lanczos+accurate_rnd+full_chroma_int[a][b];"
    graph += "[a]format=yuv420p[c];[b]format=yuv420p[d];[c][d]ssim"
    command = ["ffmpeg", "-nostdin", "-i", str(result), "-i", str(photo)]
    command += ["-lavfi", graph, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.search(r"SSIM Y:([0-9.]+)", done.stderr).group(1))


def made(files: Sequence[Path], shape: Shape) -> list[Path]:
    """Photos of this size: the given ones, enlarged, or scenes of our own; with
    noise on top, as JPEG 4:2:0. Made once."""
    size = f"{shape.width}x{shape.height}"
    if files:
        key = [(str(path.resolve()), path.stat().st_size) for path in files]
        inputs = [["-i", str(path)] for path in files]
    else:
        key = SCENES
        inputs = [["-f", "lavfi", "-i", scene.format(size=size)] for scene in SCENES]
    digest = hashlib.sha256(repr((key, size, 1)).encode()).hexdigest()[:16]
    folder = CACHE / "compare-media" / f"photos-{digest}"
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        fit = f"scale={size}:force_original_aspect_ratio=increase:flags=bicubic,crop={size}"
        fit = fit.replace(f"crop={size}", f"crop={shape.width}:{shape.height}")
        for number, source in enumerate(inputs):
            print(f"compare: making {folder.name}/{number}.jpg", file=sys.stderr)
            command = ["ffmpeg", "-nostdin", "-v", "error", *source, "-frames:v", "1"]
            command += ["-vf", f"{fit},noise=alls=6:allf=u,format=yuvj420p", "-q:v", "3"]
            subprocess.run([*command, str(unfinished / f"{number}.jpg")], check=True)
        unfinished.rename(folder)
    return sorted(folder.glob("*.jpg"))


def theirs() -> str:
    """sharp's version."""
    package = SHARP_FOLDER / "node_modules" / "sharp" / "package.json"
    return f"sharp {json.loads(package.read_text())['version']}"


if __name__ == "__main__":
    sys.exit(main())
