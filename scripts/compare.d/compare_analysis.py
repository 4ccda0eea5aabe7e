"""What an analysis begins with: proxy, sound, scenes and frames in one pass, beside
the proxy alone, Flatbed's and ffmpeg's."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from about import PROGRAM, about
from contest import FLATBED, HEAD, Contest, arguments, run, told
from measure import Command
from table import markdown

CACHE = Path(os.environ["FLATBED_CACHE"])
# The peers, as the table names them.
PROXY, PROXY_AND_SOUND = "Flatbed, the proxy alone", "Flatbed, proxy and sound"
FFMPEG = "ffmpeg, the same proxy alone"
FRAMES = 50

# A minute of 1080p25 as edited films have it: scenes of 2 to 9 s, each of another kind,
# and of sources that take little time to make.
PARTS = [
    ("testsrc2", 5, ""),
    ("testsrc", 4, "hflip,"),
    ("smptehdbars", 3, ""),
    ("testsrc2", 6, "negate,"),
    ("gradients", 8, ""),
    ("testsrc", 4, ""),
    ("testsrc2", 5, "hue=h=120,"),
    ("testsrc", 9, "negate,vflip,"),
    ("pal100bars", 2, ""),
    ("testsrc2", 7, "vflip,hue=s=0,"),
    ("yuvtestsrc", 3, ""),
    ("testsrc2", 4, "hflip,hue=h=240,"),
]
# Grain, new in each frame, makes the rate that of a camera.
PICTURE = "format=yuv420p,setsar=1,noise=alls=6:allf=t"
CODING = [
    *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high"),
    *("-b:v", "4M", "-maxrate", "6M", "-bufsize", "8M", "-g", "50", "-bf", "3"),
]


def main() -> int:
    options = arguments("analysis")
    source = made()
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        work = contest(str(source), folder.resolve(), options.rounds)
        print(about())
        rows, failures = run([work])
        print(markdown(HEAD, rows), flush=True)
        if not failures:
            judge(str(source), folder.resolve())
    return told(failures)


def contest(source: str, folder: Path, rounds: int) -> Contest:
    everything = ["--scenes", "--frames", str(FRAMES)]
    proxy = folder / "proxy-of-ffmpeg.mp4"
    commands = [
        normalize(FLATBED, source, folder / "all", *everything),
        normalize(PROXY, source, folder / "proxy", "--no-sound"),
        normalize(PROXY_AND_SOUND, source, folder / "sound"),
        Command(
            FFMPEG,
            [
                *("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-an"),
                *("-vf", "scale=1280:720:flags=bicubic", "-c:v", "libx264"),
                *("-preset", "veryfast", "-crf", "23", "-g", "50"),
                *("-movflags", "+faststart", str(proxy)),
            ],
            proxy,
        ),
    ]
    work = f"10 min of 1080p: 720p proxy, sound, scenes, {FRAMES} frames"
    return Contest(work, [commands] * rounds, frames=0, ratios={PROXY: 1.15}, peak=200)


def normalize(who: str, source: str, folder: Path, *options: str) -> Command:
    command = [PROGRAM, "normalize", source, *options, "-o", str(folder), "--force", "--quiet"]
    return Command(who, command, folder / "proxy.mp4")


def judge(source: str, folder: Path) -> None:
    """Prints what was found."""
    command = [
        *(PROGRAM, "normalize", source, "--no-proxy", "--frames", str(FRAMES)),
        *("-o", str(folder / "told"), "--force", "--json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    size = sum(frame["bytes"] for frame in found["frames"])
    print(
        f"\n{len(found['scenes'])} scenes; {len(found['frames'])} frames of "
        f"{found['frames'][0]['width']}x{found['frames'][0]['height']}, {size / 1e6:.1f} MB."
    )


def made() -> Path:
    """A video of our own, made once: a minute ten times over, with sound."""
    path = CACHE / "compare-media" / "analysis-1080p25.mp4"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"compare: making {path}", file=sys.stderr)
    ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    command = list(ffmpeg)
    for source, seconds, _ in PARTS:
        command += ["-f", "lavfi", "-t", str(seconds)]
        command += ["-i", f"{source}=size=1920x1080:rate=25"]
    parts = "".join(f"[{n}:v]{part[2]}{PICTURE}[p{n}];" for n, part in enumerate(PARTS))
    joined = "".join(f"[p{n}]" for n in range(len(PARTS)))
    graph = f"{parts}{joined}concat=n={len(PARTS)}[v]"
    minute = path.with_suffix(".minute.mp4")
    unfinished = path.with_suffix(".part.mp4")
    command += ["-filter_complex", graph, "-map", "[v]", *CODING, str(minute)]
    subprocess.run(command, check=True)
    noise = "anoisesrc=color=pink:amplitude=0.2:sample_rate=48000:seed=1:duration=600"
    subprocess.run(
        [
            *(*ffmpeg, "-stream_loop", "9", "-i", str(minute)),
            *("-f", "lavfi", "-i", f"{noise},aformat=channel_layouts=stereo"),
            *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "128k"),
            str(unfinished),
        ],
        check=True,
    )
    unfinished.rename(path)
    minute.unlink()
    return path


if __name__ == "__main__":
    sys.exit(main())
