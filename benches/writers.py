"""PNG files of every writer at hand, at its levels: is their deflate data made again, and for how many bytes? (See writers.sh.)

A file counts as made again if all that is kept beside its pixels (recipe: chunks, filters, what its deflate data needs) takes less
than 1 % of what its pixels take.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

import oxipng
import PIL.Image

from pictures import run, table

PICTURES = pathlib.Path(__file__).parent.parent / "corpora" / "calibration"
CONVERT = next((path for path in ("/usr/bin/convert-im6", "/usr/bin/magick", "/usr/bin/convert") if shutil.which(path)), None)


def pillow(level):
    options = {"optimize": True} if level == "optimize" else {"compress_level": level}
    return lambda source, to: PIL.Image.open(source).save(to, "PNG", **options)


def command(*words):
    """A command line; IN and OUT stand for the files."""
    def write(source, to):
        line = [{"IN": str(source), "OUT": str(to)}.get(word, word) for word in words]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return write


def pnmtopng(*options):
    def write(source, to):
        ppm = to.with_suffix(".ppm")
        PIL.Image.open(source).save(ppm)
        with open(to, "wb") as out:
            subprocess.run(["pnmtopng", *options, ppm], check=True, stdout=out, stderr=subprocess.DEVNULL)
        ppm.unlink()
    return write


def imagemagick(level, filtering, strategy):
    define = lambda key, value: ["-define", f"png:{key}={value}"]
    # Its dates and colour chunks would be most of what is kept.
    options = define("exclude-chunks", "date,tIME,gAMA,cHRM") + define("compression-level", level) + define("compression-filter", filtering) + define("compression-strategy", strategy)
    return command(CONVERT, "IN", *options, "OUT")


def screenshot(source, to):
    with tempfile.TemporaryDirectory() as profile:
        width, height = PIL.Image.open(source).size
        page = pathlib.Path(profile) / "page.html"
        page.write_text(f'<body style="margin:0"><img src="file://{source.resolve()}">')
        command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
                f"--window-size={width},{height}", f"--screenshot={to}", f"file://{page}")(source, to)


def writers():
    """(writer, setting, how a file is written) for those that are there."""
    for level in [*range(10), "optimize"]:
        yield "Pillow (zlib or zlib-ng)", level, pillow(level)
    if shutil.which("pnmtopng"):
        for level in [1, 3, 6, 9]:
            yield "pnmtopng (libpng)", level, pnmtopng("-compression", str(level))
        for name in ["nofilter", "sub", "up", "avg", "paeth"]:
            yield "pnmtopng (libpng)", name, pnmtopng(f"-{name}")
        for name in ["huffman_only", "filtered"]:
            yield "pnmtopng (libpng)", name, pnmtopng("-comp_strategy", name)
    if CONVERT:
        for level in [1, 3, 6, 9]:
            yield "ImageMagick", f"level {level}", imagemagick(level, 5, 0)
        for filtering, strategy in [(0, 0), (1, 1), (4, 2), (5, 3), (2, 1)]:
            yield "ImageMagick", f"filter {filtering}, strategy {strategy}", imagemagick(6, filtering, strategy)
    if shutil.which("optipng"):
        for level in [1, 2, 5]:
            yield "optipng", f"-o{level}", command("optipng", "-quiet", "-force", f"-o{level}", "-out", "OUT", "IN")
    for level in [2, 4]:
        yield "oxipng", level, lambda source, to, level=level: oxipng.optimize(source, to, level=level, force=True)
    if shutil.which("zopflipng"):
        yield "zopflipng", "", command("zopflipng", "-y", "IN", "OUT")
    if shutil.which("chromium"):
        yield "Chromium, screenshots", "", screenshot


def kept(info):
    """Share that what stands beside the pixels takes of them; None for a file that is not taken apart."""
    if info["medium"] is None:
        return None
    parts = lambda key: sum(chunk["coded_bytes"] for chunk in info[key])
    return parts("recipe_chunks") / (parts("content_chunks") + parts("beside_chunks"))


def main():
    parser = argparse.ArgumentParser(description="Share of PNG files whose deflate data is made again for under 1 %")
    parser.add_argument("--each", action="store_true", help="a line a setting")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=PICTURES, help="PNG files of the pictures")
    arguments = parser.parse_args()
    sources = sorted(arguments.folder.glob("*.png"))[:12]
    shares = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for number, (writer, setting, write) in enumerate(writers()):
            files, streams = folder / f"{number}", folder / f"{number}.srp.d"
            files.mkdir()
            streams.mkdir()
            for source in sources:
                write(source, files / source.name)
            run("compress", "-q", "--no-verify", "-e", 1, "-r", files, "-o", streams)
            found = [kept(json.loads(run("info", "--json", stream)[0])) for stream in sorted(streams.iterdir())]
            assert len(found) == len(sources)
            shares.setdefault(writer, []).extend(found)
            if arguments.each:
                print(writer, setting, *("bytes" if share is None else f"{100 * share:.2f} %" for share in found))
    rows = []
    for writer, found in shares.items():
        apart = [share for share in found if share is not None]
        right = sum(share < 0.01 for share in apart)
        mean = f"{100 * sum(apart) / len(apart):.2f} %" if apart else ""
        rows.append([writer, str(len(found)), f"{100 * right / len(found):.1f} %", mean, str(len(found) - len(apart))])
    head = ["writer", "files", "under 1 %", "mean", "coded as bytes"]
    table(head, rows)


main()
