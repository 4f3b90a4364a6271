"""A large picture: the photographs of a folder side by side and below one another, as PPM, made row by row (see large.sh)."""

import argparse
import pathlib

import numpy
import PIL.Image

from pictures import folder_pictures

parser = argparse.ArgumentParser(description="A mosaic of photographs as a PPM file")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("width", type=int)
parser.add_argument("height", type=int)
parser.add_argument("out", type=pathlib.Path)
arguments = parser.parse_args()
pictures = [pixels for _, pixels in folder_pictures(arguments.folder)[0]]
rows = min(len(pixels) for pixels in pictures)
with open(arguments.out, "wb") as out:
    out.write(b"P6\n%d %d\n255\n" % (arguments.width, arguments.height))
    done = number = 0
    while done < arguments.height:
        # Each strip begins with another picture, and is another turn of them.
        strip, width = [], 0
        while width < arguments.width:
            pixels = pictures[number % len(pictures)][:rows]
            pixels = pixels[:: (-1, 1)[number // len(pictures) % 2], :: (-1, 1)[number // len(pictures) // 2 % 2]]
            strip.append(pixels)
            width += pixels.shape[1]
            number += 1
        strip = numpy.concatenate(strip, axis=1)[: arguments.height - done, : arguments.width]
        out.write(numpy.ascontiguousarray(strip).tobytes())
        done += len(strip)
