"""What the benchmarks of pictures share: pictures, other codecs, the program, and tables."""

import json
import os
import subprocess
import time

import imagecodecs
import numpy
import PIL.Image

SURPRISAL = os.environ.get("SURPRISAL", "surprisal")


def load(path):
    """Its samples [height][width][3]; None for a picture of another kind."""
    with PIL.Image.open(path) as picture:
        return numpy.asarray(picture) if picture.mode == "RGB" else None


def folder_pictures(folder):
    """The 8-bit RGB pictures of a folder, (path, samples) each, and the names of the others."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in PIL.Image.registered_extensions()]
    pictures = [(path, load(path)) for path in files]
    skipped = [path.name for path, pixels in pictures if pixels is None]
    pictures = [(path, pixels) for path, pixels in pictures if pixels is not None]
    if not pictures:
        raise SystemExit(f"{folder}: there is no 8-bit RGB picture in it")
    return pictures, skipped


def write_ppm(path, pixels):
    height, width, _ = pixels.shape
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes())
    return path


def jpegxl(pixels):
    """Bytes of JPEG XL, lossless, at its highest common effort."""
    code = imagecodecs.jpegxl_encode(pixels, effort=9, lossless=True, distance=0)
    assert numpy.array_equal(imagecodecs.jpegxl_decode(code), pixels)
    return len(code)


def webp(pixels):
    """Bytes of lossless WebP at its highest effort."""
    code = imagecodecs.webp_encode(pixels, lossless=True, level=100, method=6)
    assert numpy.array_equal(imagecodecs.webp_decode(code)[..., :3], pixels)
    return len(code)


def run(*arguments):
    """Runs the program; its output, and the seconds that the process took."""
    start = time.perf_counter()
    done = subprocess.run([SURPRISAL, *map(str, arguments)], check=True, stdout=subprocess.PIPE)
    return done.stdout, time.perf_counter() - start


def effort_points():
    """The effort levels that differ: [levels that are the same point], lowest first."""
    lines, _ = run("models", "-q", "--json")
    return sorted(point for line in lines.splitlines() for point in json.loads(line)["efforts"])


def effort_name(point):
    return f"-e {point[0]}" if len(point) == 1 else f"-e {point[0]} to {point[-1]}"


def table(head, rows):
    """Prints a table; the first column is text."""
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" if i == 0 else "---:" for i in range(len(head))), "|")
    for row in rows:
        print("|", " | ".join(row), "|")
    print()
