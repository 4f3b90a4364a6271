"""BLAKE3, unkeyed, by numpy: all full chunks side by side. (O'Connor et al. 2020, section 2.)"""

import numpy as np

IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
START, END, PARENT, ROOT = 1, 2, 4, 8


def _rotated(x, by):
    return (x >> np.uint32(by)) | (x << np.uint32(32 - by))


def _compress(chain, words, counter, length, flags):
    """`chain` [8, n] and `words` [16, n] of n blocks to their new chaining values [8, n]."""
    n = words.shape[1]
    full = lambda v: np.broadcast_to(np.asarray(v, dtype=np.uint32), (n,)).copy()
    v = [chain[i].copy() for i in range(8)] + [full(IV[i]) for i in range(4)]
    v += [full(counter), full(0), full(length), full(flags)]
    m = list(words)

    def mix(a, b, c, d, x, y):
        for word, (right, left) in ((x, (16, 12)), (y, (8, 7))):
            v[a] = v[a] + v[b] + word
            v[d] = _rotated(v[d] ^ v[a], right)
            v[c] = v[c] + v[d]
            v[b] = _rotated(v[b] ^ v[c], left)

    for _ in range(7):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        m = [m[i] for i in ORDER]
    return np.stack([v[i] ^ v[i + 8] for i in range(8)])


def _start(n):
    return np.repeat(np.array(IV, dtype=np.uint32)[:, None], n, axis=1)


def _blocks(data):
    """Bytes, padded with zeros, as words [blocks, 16]."""
    padded = data + bytes(-len(data) % 64)
    return np.frombuffer(padded, dtype="<u4").reshape(-1, 16)


def _last_chunk(data, number, root):
    """The chaining value of one chunk of at most 1024 bytes."""
    blocks = _blocks(data) if data else np.zeros((1, 16), dtype=np.uint32)
    chain = _start(1)
    for i, block in enumerate(blocks):
        last = i + 1 == len(blocks)
        length = len(data) - 64 * i if last else 64
        flags = (START if i == 0 else 0) | (END | (ROOT if root else 0) if last else 0)
        chain = _compress(chain, block[:, None], number, length, flags)
    return chain


def blake3_128(data):
    """The first 16 bytes of the hash."""
    chunks = max(1, -(-len(data) // 1024))
    values = []
    if chunks > 1:
        whole = np.frombuffer(data[: 1024 * (chunks - 1)], dtype="<u4").reshape(chunks - 1, 16, 16)
        chain = _start(chunks - 1)
        for i in range(16):
            flags = START if i == 0 else END if i == 15 else 0
            chain = _compress(chain, np.ascontiguousarray(whole[:, i].T), np.arange(chunks - 1), 64, flags)
        values = [chain[:, i : i + 1] for i in range(chunks - 1)]
    values.append(_last_chunk(data[1024 * (chunks - 1) :], chunks - 1, chunks == 1))
    while len(values) > 1:
        # Pairs from the left; one that is left over moves up. The same tree as that of the paper.
        pairs = len(values) // 2
        flags = PARENT | (ROOT if len(values) == 2 else 0)
        words = np.concatenate(
            [np.concatenate([values[2 * i], values[2 * i + 1]]) for i in range(pairs)], axis=1
        )
        joined = _compress(_start(pairs), words, 0, 64, flags)
        values = [joined[:, i : i + 1] for i in range(pairs)] + values[2 * pairs :]
    return values[0][:, 0].astype("<u4").tobytes()[:16]
