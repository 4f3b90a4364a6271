"""Start-up, size of the program, many small pictures, and time and memory as pictures grow (see limits.sh).

The large pictures are photographs side by side, each copy mirrored or not and with noise of its own, so that no copy says
much about another.
"""

import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy
import PIL.Image

SURPRISAL = os.environ.get("SURPRISAL", "surprisal")
BASE = 150e6

# Runs a command and prints its seconds, those of processor time, and its peak memory in bytes. A process of its own, since a
# child's peak counts the memory of the process that started it.
MEASURE = """
import os, sys, time
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
seconds = time.perf_counter() - start
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(*arguments):
    """Seconds, those of processor time, and peak bytes of a run of the program."""
    command = [sys.executable, "-S", "-c", MEASURE, SURPRISAL, *map(str, arguments)]
    seconds, work, peak = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.split()
    return float(seconds), float(work), int(peak)


def start_up(*arguments):
    """Milliseconds of twenty runs of the program on next to nothing, as a cell of the table."""
    seconds, work = map(statistics.median, list(zip(*(run(*arguments) for _ in range(20))))[:2])
    return f"{seconds * 1e3:.1f} ms, {work * 1e3:.1f} ms of processor time"


def write_ppm(path, pixels):
    with open(path, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]))
        pixels.tofile(file)


def large(photographs, side):
    random = numpy.random.default_rng(side)
    picture = numpy.empty((side, side, 3), numpy.uint8)
    for y in range(0, side, min(p.shape[0] for p in photographs)):
        for x in range(0, side, min(p.shape[1] for p in photographs)):
            copy = photographs[random.integers(len(photographs))]
            copy = copy[:: random.choice([-1, 1]), :: random.choice([-1, 1])]
            place = picture[y : y + copy.shape[0], x : x + copy.shape[1]]
            copy = copy[: place.shape[0], : place.shape[1]]
            place[:] = numpy.clip(copy + random.integers(-1, 2, copy.shape, numpy.int16), 0, 255)
    return picture


def many(folder, photographs, across=100, down=40, side=32):
    """Processor seconds of an archive of small pictures over those of one picture of the same pixels, to write and to test."""
    mosaic = large(photographs, max(across, down) * side)[: down * side, : across * side]
    (folder / "many").mkdir()
    for number in range(across * down):
        y, x = number // across * side, number % across * side
        write_ppm(folder / "many" / f"{number:05}.ppm", numpy.ascontiguousarray(mosaic[y : y + side, x : x + side]))
    write_ppm(folder / "one.ppm", mosaic)
    ratios = []
    for _ in range(2):
        work = []
        for source in ["-r", folder / "many"], [folder / "one.ppm"]:
            stream = folder / "many.srp"
            written = run("compress", "-q", "-f", "--no-verify", "-e", "1", *source, "-o", stream)
            work.append((written[1], run("test", "-q", stream)[1]))
        ratios.append([small / one for small, one in zip(*work)])
    return across * down, [min(pair) for pair in zip(*ratios)]


def growth(folder, photographs, megapixels):
    side = round(megapixels**0.5 * 1000)
    source, stream, back = folder / "p.ppm", folder / "p.srp", folder / "back.ppm"
    write_ppm(source, large(photographs, side))
    runs = [
        run("compress", "-q", "-f", "--no-verify", source, "-o", stream),
        run("decompress", "-q", "-f", stream, "-o", back),
        run("compress", "-q", "-f", source, "-o", stream),
    ]
    with open(source, "rb") as a, open(back, "rb") as b:
        while piece := a.read(1 << 20):
            assert piece == b.read(1 << 20)
        assert not b.read(1)
    cells = [f"{side} x {side}", f"{stream.stat().st_size * 8 / (side * side * 3):.3f}"]
    for seconds, _, peak in runs:
        cells += [f"{seconds:.2f} s, {side * side / 1e6 / seconds:.2f} MP/s", f"{peak / 1e6:.0f} MB"]
    worst = max(peak for *_, peak in runs)
    return cells + [f"{(worst - BASE) / side**2:.1f}"]


def main():
    folder = pathlib.Path(sys.argv[1])
    sizes = [float(size) for size in sys.argv[2:]] or [1, 4, 16, 64]
    photographs = [numpy.asarray(PIL.Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))]
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        pixel, stream = temporary / "1x1.ppm", temporary / "1x1.srp"
        pixel.write_bytes(b"P6\n1 1\n255\nabc")
        compress = start_up("compress", "-q", "-f", pixel, "-o", stream)
        decompress = start_up("decompress", "-q", "-f", stream, "-o", temporary / "back")
        print(f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}\n")
        print("| what | ask | measured |")
        print("|---|---:|---:|")
        print(f"| compress a picture of one pixel (median of 20 runs) | <= 30 ms | {compress} |")
        print(f"| decompress it | <= 30 ms | {decompress} |")
        print(f"| the program, model included | <= 12 MB | {os.path.getsize(SURPRISAL) / 1e6:.2f} MB |")
        count, ratios = many(temporary, photographs)
        cells = ", ".join(f"{name} {ratio:.2f}" for name, ratio in zip(["compress", "test"], ratios))
        print(f"| {count} pictures of 32 x 32 in an archive, over one of their pixels: processor time, -e 1 | <= 1 | {cells} |\n")
        print("| picture | bits a sub-pixel | compress --no-verify | peak | decompress | peak | compress | peak |", end="")
        print(" bytes a pixel over 150 MB (ask: <= 12) |")
        print("|---|" + "---:|" * 8)
        for size in sizes:
            print("| " + " | ".join(growth(temporary, photographs, size)) + " |", flush=True)


if __name__ == "__main__":
    main()
