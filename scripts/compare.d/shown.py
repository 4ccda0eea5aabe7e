"""How many frames a player shows of a file."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

# Deblocking changes no frame's presence, and takes a third of the time.
FFPROBE = [
    *("ffprobe", "-v", "error", "-threads", "0", "-skip_loop_filter", "all"),
    *("-count_frames", "-select_streams", "v:0"),
    *("-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"),
]


@dataclass(frozen=True)
class Shown:
    frames: int
    complaints: int
    """Lines that the decoder wrote about errors."""


def count(path: Path) -> Shown:
    """Decodes all of it, with the edit lists honoured."""
    done = subprocess.run([*FFPROBE, str(path)], capture_output=True, text=True, check=False)
    frames = done.stdout.strip().strip(",")  # nothing, or N/A, where nothing was decoded
    complaints = [line for line in done.stderr.splitlines() if line.strip()]
    return Shown(int(frames) if frames.isdigit() else 0, len(complaints))
