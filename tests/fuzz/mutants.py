"""Files that went wrong: bytes of a good one flipped, cut, doubled, moved, replaced by what parsers stumble over."""

import random

WORDS = [
    b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"-1e-999", b"9" * 40, b"-", b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf",
    b"'", b'"', b",", b";", b"\t", b"\r", b"\n\n", b"#", b"=", b"{", b"[]", b"null", b"1_000", b"0x10", b"1,5", b"1j",
    b"\xc3\x28", "\u202e\u0661".encode(), b"../../etc/passwd", b"<script>", b"%s%n", b"-2147483649", b"4294967296",
    b"1e308", b"0", b"-1",
]  # fmt: skip


def mutant(seeds: list[bytes], draw: random.Random) -> bytes:
    """One to six faults, few more often than many."""
    content = draw.choice(seeds)
    for _ in range(min(1 + int(draw.expovariate(0.7)), 6)):
        content = fault(content, seeds, draw)
    return content


def fault(content: bytes, seeds: list[bytes], draw: random.Random) -> bytes:
    a, b = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    b = min(b, a + 1 + int(draw.expovariate(1 / 40)))  # most spans are short
    word = draw.choice(WORDS)
    match draw.randrange(9):
        case 0:
            return content[:a]
        case 1:
            return content[:a] + content[b:]
        case 2:
            return content[:b] + content[a:]
        case 3:
            return content[:a] + word + content[b:]
        case 4:
            return content[:a] + bytes(draw.randrange(256) for _ in range(b - a)) + content[b:]
        case 5:
            other = draw.choice(seeds)
            return content[:a] + other[draw.randrange(len(other) + 1) :]
        case 6:
            return field_replaced(content, word, draw)
        case 7:
            lines = content.split(b"\n")
            draw.shuffle(lines) if len(lines) < 12 else lines.insert(draw.randrange(len(lines)), draw.choice(lines))
            return b"\n".join(lines)
        case _:
            flipped = bytearray(content)
            if flipped:
                flipped[min(a, len(flipped) - 1)] ^= 1 << draw.randrange(8)
            return bytes(flipped)


def field_replaced(content: bytes, word: bytes, draw: random.Random) -> bytes:
    """A whole word of a line, as a slip of a program that writes such files would."""
    lines = content.split(b"\n")
    at = draw.randrange(len(lines))
    separator = b"," if b"," in lines[at] else b" "
    words = lines[at].split(separator)
    words[draw.randrange(len(words))] = word
    lines[at] = separator.join(words)
    return b"\n".join(lines)
