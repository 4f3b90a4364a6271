"""Whether the strangest block of a picture with a fault in it is where the fault is.

    place.py SURPRISAL CALIBRATION PICTURES... [--seed N]

PICTURES are folders of pictures without faults, or IDX files. Into each picture `faults.py` puts a scratch, a blob and a crop of the next
picture, of 1 % of the area each, at random places; CALIBRATION is what `surprisal calibrate` wrote for pictures of the same kind. A picture that
the fault leaves as it was (a dark disc on black) is left out. Printed is in how many of them the block that `surprisal score` names ("strangest
at ..."), around which heat maps have a frame, touches the fault; beside it how many would by chance: the share of places of such a block that
touch it.

Needs numpy and Pillow.
"""

import os
import re
import sys
import tempfile

import numpy as np
from faults import picture
from outliers import pictures, rows
from PIL import Image

PLACE = re.compile(r"strangest at x (\d+) y (\d+) \((\d+) x (\d+)\)")


def images(path, most=200):
    if os.path.isdir(path):
        names = sorted(n for n in os.listdir(path) if n.lower().endswith((".png", ".ppm", ".webp", ".bmp", ".pgm")))
        opened = [Image.open(os.path.join(path, name)) for name in names[:most]]
        return [image.convert("L" if image.mode in ("L", "1") else "RGB") for image in opened]
    return [Image.fromarray(np.uint8(np.round(x * 255))) for x in pictures(path)[:most]]


def touch(a, b):
    return all(a[i] < b[i] + b[i + 2] and b[i] < a[i] + a[i + 2] for i in (0, 1))


def chance(box, block, size):
    """Share of the places of a block that touch the box."""
    share = 1
    for i in (0, 1):
        room = size[i] - block[i + 2] + 1
        low, high = max(0, box[i] - block[i + 2] + 1), min(room - 1, box[i] + box[i + 2] - 1)
        share *= max(0, high - low + 1) / room
    return share


def main():
    arguments, seed = sys.argv[1:], 0
    if "--seed" in arguments:
        at = arguments.index("--seed")
        seed = int(arguments[at + 1])
        del arguments[at : at + 2]
    program, calibration, *inputs = arguments
    print(f"{'':<24}{'':>10}{'pictures':>10}{'touched':>10}{'by chance':>10}")
    for path in inputs:
        whole = images(path)
        for kind in ["scratch", "blob", "foreign"]:
            rng = np.random.default_rng(seed)
            with tempfile.TemporaryDirectory() as folder:
                boxes = {}
                for i, image in enumerate(whole):
                    made, box = picture(kind, image.copy(), whole[(i + 1) % len(whole)], rng)
                    if made.tobytes() == image.tobytes():
                        continue
                    name = f"{i:04}.png"
                    made.save(os.path.join(folder, name))
                    boxes[name] = box, image.size
                found, expected = [], []
                for row in rows([program, "score", "-q", "--calibrate", calibration, folder]):
                    box, size = boxes[os.path.basename(row["path"])]
                    block = tuple(map(int, PLACE.search(row["reason"]).groups()))
                    found.append(touch(box, block))
                    expected.append(chance(box, block, size))
            print(f"{os.path.basename(os.path.normpath(path)):<24}{kind:>10}{len(found):>10}{np.mean(found):>10.2f}{np.mean(expected):>10.2f}")


if __name__ == "__main__":
    main()
