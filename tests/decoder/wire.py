"""Numbers and texts of FORMAT.md, "The stream"."""


class Refused(Exception):
    """What the bytes break."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, n):
        if n > len(self.data) - self.at:
            raise Refused("the bytes end too early")
        self.at += n
        return self.data[self.at - n : self.at]

    def u8(self):
        return self.raw(1)[0]

    def uint(self):
        value = 0
        for i in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                if (byte == 0 and i > 0) or value >> 64:
                    raise Refused("a number is not in its shortest form")
                return value
        raise Refused("a number is not in its shortest form")

    def int(self):
        value = self.uint()
        return value >> 1 if value % 2 == 0 else -(value + 1) // 2

    def blob(self):
        return self.raw(self.uint())

    def text(self):
        return self.blob().decode()

    def list(self, read):
        return [read() for _ in range(self.uint())]

    def end(self):
        if self.at != len(self.data):
            raise Refused("bytes are left over")
