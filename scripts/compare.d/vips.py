"""Photos to WebP by pyvips, so many at a time:
vips.py WIDTH QUALITY EFFORT AT_ONCE OUT FILE..."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# As a server sets it up that has work for all its cores; read when it starts.
os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips  # noqa: E402

width, quality, effort, at_once = map(int, sys.argv[1:5])
out = Path(sys.argv[5])
pyvips.cache_set_max(0)


def work(file: str) -> None:
    image = pyvips.Image.thumbnail(file, width, height=10_000_000, size="down")
    image.webpsave(str(out / f"{Path(file).stem}.webp"), Q=quality, effort=effort, keep="none")


with ThreadPoolExecutor(at_once) as pool:
    list(pool.map(work, sys.argv[6:]))
