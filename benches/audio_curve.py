"""Size against speed of one long recording: the program's effort levels beside other lossless codecs (see audio_curve.sh).

Every figure is of whole processes that read and write files. Speeds are seconds of sound a second of processor time (user and
system, all threads): what a core does, also where other work goes on beside. What is decoded is compared with the recording.
"""

import argparse
import json
import pathlib
import resource
import shutil
import subprocess
import tempfile

from pictures import SURPRISAL, run, table
from plot import curves

FLAC = ["--no-padding", "--no-seektable", "-s", "-f"]
# Levels 1 and 2, 3 to 6, and 7 to 9 make the same of sound.
EFFORTS = ("1", "5", "9")
# Bytes at the end of a recording that have to come back.
MANY = 1 << 20
# Family, point, command to code IN to OUT, command to decode OUT to BACK.
PEERS = [
    *(("FLAC", level, ["flac", level, *FLAC, "-o", "OUT", "IN"], ["flac", "-d", "-s", "-f", "-o", "BACK", "OUT"])
      for level in ("-0", "-5", "-8p")),
    ("TTA", "", ["ffmpeg", "-v", "quiet", "-i", "IN", "-c:a", "tta", "OUT.tta"],
     ["ffmpeg", "-v", "quiet", "-bitexact", "-i", "OUT.tta", "BACK"]),
    *(("WavPack", " ".join(level), ["wavpack", *level, "-q", "-y", "IN", "-o", "OUT.wv"], ["wvunpack", "-q", "-y", "OUT.wv", "-o", "BACK"])
      for level in ([], ["-hh"], ["-hhx6"])),
]


def timed(command, names):
    """Seconds of processor time of a command; a word that begins with a name stands for its path."""
    def word(text):
        name = next((name for name in names if text.startswith(name)), "")
        return f"{names[name]}{text[len(name):]}" if name else text

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([word(text) for text in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peers(recording, scratch):
    """(family, point, bytes, seconds to code, seconds to decode) of each program that is there."""
    for family, point, encode, decode in PEERS:
        if shutil.which(encode[0]) is None or shutil.which(decode[0]) is None:
            continue
        names = {"IN": recording, "OUT": scratch / "peer", "BACK": scratch / "back.wav"}
        coding, decoding = timed(encode, names), timed(decode, names)
        made = next(path for path in (scratch / "peer", scratch / "peer.wv", scratch / "peer.tta") if path.exists())
        back = scratch / "back.wav"
        # A program may write another header, but not other samples.
        assert back.read_bytes()[-MANY:] == recording.read_bytes()[-MANY:], family
        yield family, point, made.stat().st_size, coding, decoding
        made.unlink()
        back.unlink()


def own(recording, scratch):
    """The same of each effort level that differs in what it makes of sound."""
    for level in EFFORTS:
        stream, back = scratch / "own.srp", scratch / "own.wav"
        options = ["-q", "-f", "-e", level, "--no-verify"]
        coding = timed([SURPRISAL, "compress", *options, "-o", "OUT", "IN"], {"OUT": stream, "IN": recording})
        size = stream.stat().st_size
        decoding = timed([SURPRISAL, "decompress", "-q", "-f", "-o", "OUT", "IN"], {"OUT": back, "IN": stream})
        assert back.read_bytes() == recording.read_bytes()
        yield "Surprisal", f"-e {level}", size, coding, decoding


def main():
    parser = argparse.ArgumentParser(prog="benches/audio_curve.sh")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("audio_curve.svg"), help="the figure")
    parser.add_argument("--seconds", type=int, default=180, help="where the recording is cut")
    parser.add_argument("--segments", default="1,2,5,10,30,60,120", metavar="N,N...", help="lengths of segments, in seconds")
    parser.add_argument("inputs", nargs="+", metavar="IN")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        recording = scratch / "in.wav"
        run("dataset", "join", "-q", "--seconds", arguments.seconds, "-o", recording, *arguments.inputs)
        # The header that `join` writes: bytes a second, then, 8 bytes later, those of the samples.
        head = recording.read_bytes()[:44]
        seconds = int.from_bytes(head[40:44], "little") / int.from_bytes(head[28:32], "little")
        points = [*own(recording, scratch), *peers(recording, scratch)]
        base = next((p[2] for p in points if p[:2] == ("FLAC", "-8p")), points[0][2])
        print(f"{seconds:.0f} seconds, {recording.stat().st_size} bytes; speeds on one core\n")
        table(["codec", "level", "bytes", "over FLAC -8p", "times real time, compress", "decompress"], [
            [family, point, str(size), f"{size / base:.4f}", f"{seconds / coding:.1f}", f"{seconds / decoding:.1f}"]
            for family, point, size, coding, decoding in points
        ])
        rows = []
        for length in arguments.segments.split(","):
            lines, _ = run("measure", "-q", "--json", "--segment", length, recording)
            size = json.loads(lines.splitlines()[-1])["coded_bytes"]
            rows.append((length, size))
        thirty = dict(rows).get("30", rows[-1][1])
        table(["seconds of a segment", "bytes", "over those of 30"], [[n, str(s), f"{s / thirty:.4f}"] for n, s in rows])
        shares = [(family, point, size / base, seconds / coding, seconds / decoding) for family, point, size, coding, decoding in points]
        curves(shares, arguments.output, "times real time to {}, on one core", "size over FLAC -8p")
    print(f"figure: {arguments.output}, {arguments.output.stat().st_size} bytes")


main()
