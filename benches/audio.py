"""Recordings against FLAC and WavPack: bytes and speed (see audio.sh).

Every figure of ours is of whole processes that got all recordings of a folder as WAV: what a user waits for. Compressing is without
its own check, and streams are decompressed and compared with what went in. Seconds of sound over seconds is the speed.
"""

import argparse
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

from pictures import run, table

PEERS = {
    "FLAC -8p": (["flac", "-8p", "--no-padding", "--no-seektable", "-s", "-f", "-o"], True),
    "WavPack -hhx6": (["wavpack", "-hhx6", "-q", "-y"], False),
}


def recordings(folder, into):
    """The recordings of a folder as WAV files."""
    files = []
    for path in sorted(folder.iterdir()):
        wav = into / f"{path.stem}.wav"
        if path.suffix.lower() == ".wav":
            shutil.copyfile(path, wav)
        elif path.suffix.lower() == ".flac":
            subprocess.run(["flac", "-d", "-s", "-f", "-o", wav, path], check=True)
        else:
            continue
        files.append(wav)
    if not files:
        raise SystemExit(f"{folder}: there is no WAV or FLAC file in it")
    return files


def seconds(path):
    """Length of a plain WAV file, of any format of samples (Python's own reader refuses some)."""
    data = path.read_bytes()
    at, rate = 12, 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"fmt ":
            rate = struct.unpack_from("<I", data, at + 16)[0]
        if name == b"data":
            return size / rate
        at += 8 + size + size % 2
    raise SystemExit(f"{path}: is no plain WAV file")


def peer(name, files, scratch):
    """Bytes of each file under another program, and the seconds that it took; None where it is not installed."""
    command, output_first = PEERS[name]
    if shutil.which(command[0]) is None:
        return None
    sizes, start = [], time.perf_counter()
    for path in files:
        out = scratch / "peer"
        arguments = [out, path] if output_first else [path, "-o", out]
        subprocess.run([*command, *arguments], check=True, stderr=subprocess.DEVNULL)
        made = out if out.exists() else scratch / "peer.wv"
        sizes.append(made.stat().st_size)
        made.unlink()
    return sizes, time.perf_counter() - start


def ours(effort, files, scratch, threads):
    """Bytes of each stream, in the order of the files, and the seconds to make them and to read them."""
    streams, back = scratch / "streams", scratch / "back"
    for folder in (streams, back):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    _, coding = run("compress", "-q", "-T", threads, "-e", effort, "--no-verify", "-o", streams, *files)
    made = sorted(streams.iterdir())
    _, decoding = run("decompress", "-q", "-T", threads, "-o", back, *made)
    for path in files:
        assert (back / path.name).read_bytes() == path.read_bytes(), path
    return [(streams / f"{path.name}.srp").stat().st_size for path in files], coding, decoding


def main():
    parser = argparse.ArgumentParser(prog="benches/audio.sh")
    parser.add_argument("-e", metavar="N,N...", default="1,5,9", help="effort levels")
    parser.add_argument("-T", metavar="N,N...", default="1,2", help="numbers of threads")
    parser.add_argument("folders", nargs="+", type=pathlib.Path, metavar="DIR")
    args = parser.parse_args()
    efforts, threads = args.e.split(","), args.T.split(",")
    head = ["folder", "files", "seconds", *PEERS, *(f"-e {e}" for e in efforts)]
    head += [f"-e {e} over FLAC" for e in efforts]
    speeds = [f"-e {e} -T {t}, {way}" for e in efforts for t in threads for way in ("compress", "decompress")]
    sizes, times, worst = [], [], []
    for folder in args.folders:
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            (scratch / "wav").mkdir()
            files = recordings(folder, scratch / "wav")
            length = sum(map(seconds, files))
            peers = [peer(name, files, scratch) for name in PEERS]
            runs = {(e, t): ours(e, files, scratch, t) for e in efforts for t in threads}
        assert all(len({tuple(runs[e, t][0]) for t in threads}) == 1 for e in efforts), "streams depend on the threads"
        totals = [sum(runs[e, threads[0]][0]) for e in efforts]
        row = [folder.name, str(len(files)), f"{length:.0f}", *(str(sum(p[0])) if p else "-" for p in peers)]
        sizes.append(row + [str(total) for total in totals] + [f"{total / sum(peers[0][0]):.4f}" for total in totals])
        for effort in efforts:
            beyond = zip(runs[effort, threads[0]][0], peers[0][0], files, strict=True)
            worst.append((effort, *max((own - flac, f"{folder.name}/{path.stem}") for own, flac, path in beyond)))
        rate = [f"{length / s:.1f}" for e in efforts for t in threads for s in runs[e, t][1:]]
        times.append([folder.name, *(f"{length / p[1]:.1f}" if p else "-" for p in peers), *rate])
    print("Bytes:\n")
    table(head, sizes)
    for effort in efforts:
        bytes_more, name = max(row[1:] for row in worst if row[0] == effort)
        print(f"-e {effort}: the worst file takes {bytes_more} bytes more than FLAC's: {name}")
    print("\nSeconds of sound a second:\n")
    table(["folder", *PEERS, *speeds], times)


main()
