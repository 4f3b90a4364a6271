"""The range decoder of FORMAT.md, "The range code"."""

from wire import Refused

FULL = (1 << 64) - 1


class Decoder:
    def __init__(self, code):
        self.code, self.at = code, 8
        self.low, self.range = 0, FULL
        self.point = int.from_bytes(code[:8].ljust(8, b"\0"), "big")

    def quantile(self, bits):
        """Where the next symbol's interval lies among 2^bits counts."""
        self.scale = self.range >> bits
        value = ((self.point - self.low) & FULL) // self.scale
        if value >> bits:
            raise Refused("the code is no code of symbols")
        return value

    def take(self, left, width):
        """Goes past the symbol with these counts."""
        self.low = (self.low + self.scale * left) & FULL
        self.range = self.scale * width
        if self.range < 1 << 32:
            word = int.from_bytes(self.code[self.at : self.at + 4].ljust(4, b"\0"), "big")
            self.at += 4
            self.low, self.range = self.low << 32 & FULL, self.range << 32
            self.point = (self.point << 32 & FULL) | word

    def bit(self, zero):
        """A binary decision with `zero` counts of 2^16 for 0."""
        bit = int(self.quantile(16) >= zero)
        self.take(zero * bit, 65536 - zero if bit else zero)
        return bit

    def flat(self, bits):
        """A number of bits that are equally likely, highest first."""
        value = 0
        for _ in range(bits):
            value = 2 * value + self.bit(1 << 15)
        return value
