"""Photos to WebP: Flatbed beside sharp and pyvips, at the same quality and effort."""

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
VIPS = "pyvips"
PYTHON = CACHE / "compare-venv" / "bin" / "python"
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
    print("\nWhat came out: SSIM of luma, and SSIMULACRA2, against the photo resized by")
    print("ffmpeg (Lanczos).\n")
    head = ["photos", "width:", "tool", "KiB each:", "SSIM:", "SSIMULACRA2:"]
    print(markdown([*head, "bytes, Flatbed to it:", "goal:", "reached"], looks))
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
        self.scratch = folder
        self.results = {who: folder / who.lower() for who in [FLATBED, SHARP, VIPS]}
        for result in self.results.values():
            result.mkdir()

    def measure(self, rounds: int) -> dict[str, Cost]:
        ours = [PROGRAM, "image", *self.sources, "--max-width", str(self.width), "--force"]
        ours += ["--quality", str(QUALITY), "--effort", str(EFFORT), "--quiet"]
        ours += ["--threads", str(self.at_once), "-o", str(self.results[FLATBED])]
        theirs = ["env", f"UV_THREADPOOL_SIZE={self.at_once}", "node", str(HERE / "sharp.mjs")]
        theirs += [str(SHARP_FOLDER), str(self.width), str(QUALITY), str(EFFORT)]
        theirs += [str(self.at_once), str(self.results[SHARP]), *self.sources]
        vips = [str(PYTHON), str(HERE / "vips.py"), str(self.width), str(QUALITY), str(EFFORT)]
        vips += [str(self.at_once), str(self.results[VIPS]), *self.sources]
        commands = [Command(FLATBED, ours), Command(SHARP, theirs), Command(VIPS, vips)]
        costs = interleave([commands] * rounds)
        return {who: summary(runs) for who, runs in costs.items()}

    def rows(self, shape: Shape, costs: dict[str, Cost], goal: float) -> list[list[str]]:
        ours, sharp = costs[FLATBED], costs[SHARP]
        rows = []
        for who, cost in costs.items():
            rate = len(self.sources) / cost.wall
            each = 1000 * cost.cpu / len(self.sources)
            row = [shape.name, str(self.width), str(self.at_once), who]
            row += [f"{rate:.1f}", f"{each:.1f}", f"{cost.peak:.0f}"]
            if who == FLATBED:
                share = ours.peak / sharp.peak
                row += ["", "peak ≤ 0.4 of sharp's", f"{share:.2f}: {verdict(share <= 0.4)}"]
            else:
                ratio = cost.wall / ours.wall
                # The goals are for 6 MP, and beside sharp.
                wanted = shape is SHAPES[0] and who == SHARP
                row += [f"{ratio:.2f}"]
                row += [f"≥ {goal:g}", verdict(ratio >= goal)] if wanted else ["", ""]
            rows.append(row)
        return rows

    def look(self, shape: Shape) -> list[list[str]]:
        """What came out: bytes and likeness, a row for each tool."""
        references = [self.reference(photo) for photo in self.photos]
        rows, sizes, likes = [], {}, {}
        for who, folder in self.results.items():
            files = [folder / f"0-{photo.stem}.webp" for photo in self.photos]
            sizes[who] = statistics.fmean(path.stat().st_size for path in files)
            pairs = list(zip(files, references))
            seen = statistics.fmean(ssim(path, reference) for path, reference in pairs)
            likes[who] = statistics.fmean(ssimulacra2(path, reference) for path, reference in pairs)
            row = [shape.name, str(self.width), who, f"{sizes[who] / 1024:.1f}"]
            row += [f"{seen:.4f}", f"{likes[who]:.2f}"]
            if who == FLATBED:
                row += ["", "", ""]
            else:
                ratio = sizes[FLATBED] / sizes[who]
                row += [f"{ratio:.3f}"]
                reached = verdict(ratio <= 1.02 and likes[FLATBED] >= likes[who])
                row += ["≤ 1.02, SSIMULACRA2 ≥", reached] if who == SHARP else ["", ""]
            rows.append(row)
        return rows

    def reference(self, photo: Path) -> Path:
        """The photo in the size that the tools give it."""
        result = self.scratch / f"{photo.stem}.png"
        made = self.results[FLATBED] / f"0-{photo.stem}.webp"
        graph = "[0][1]scale2ref=flags=lanczos+accurate_rnd+full_chroma_int[a][b];[b]nullsink"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(photo), "-i", str(made)]
        command += ["-lavfi", graph, "-map", "[a]", "-pix_fmt", "rgb24", str(result)]
        subprocess.run(command, check=True)
        return result


def ssim(result: Path, reference: Path) -> float:
    graph = "[0]format=yuv420p[a];[1]format=yuv420p[b];[a][b]ssim"
    command = ["ffmpeg", "-nostdin", "-i", str(result), "-i", str(reference)]
    command += ["-lavfi", graph, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.search(r"SSIM Y:([0-9.]+)", done.stderr).group(1))


def ssimulacra2(result: Path, reference: Path) -> float:
    """100 is the same, 90 cannot be told apart, 70 is high quality."""
    program = "import sys, ssimulacra2; print(ssimulacra2.compute_ssimulacra2(*sys.argv[1:]))"
    command = [str(PYTHON), "-c", program, str(reference), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


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
    """The versions of sharp and of pyvips."""
    package = SHARP_FOLDER / "node_modules" / "sharp" / "package.json"
    program = "import pyvips; print(pyvips.__version__, *map(pyvips.version, range(3)))"
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    vips, *parts = done.stdout.split()
    version = json.loads(package.read_text())["version"]
    return f"sharp {version}, pyvips {vips} (libvips {'.'.join(parts)})"


if __name__ == "__main__":
    sys.exit(main())
