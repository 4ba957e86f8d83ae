"""Writes recorded_images.hpp: small PNG and JPEG files made by Pillow and what Pillow reads back from them.
Run: /usr/bin/python3 record_images.py > recorded_images.hpp   (Pillow 9.4.0, numpy 1.24.2, libjpeg-turbo 2.1.5)
"""
import io
import struct
import zlib

import numpy
import PIL
from PIL import Image

rng = numpy.random.default_rng(3)


def literal(name, file):
    lines = [", ".join(str(b) for b in file[i:i + 24]) for i in range(0, len(file), 24)]
    print(f"inline const std::vector<std::uint8_t> {name} = {{\n    " + ",\n    ".join(lines) + "};")


def numbers(name, values):
    print(f"inline const std::vector<int> {name}_values = {{" + ", ".join(str(int(v)) for v in values.ravel()) + "};\n")


def png16(pixels):  # Pillow cannot write 16-bit RGBA
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


print(f"// Recorded by record_images.py with Pillow {PIL.__version__}, numpy {numpy.__version__}.")
print("#pragma once\n\n#include <cstdint>\n#include <vector>\n\nnamespace recorded {\n")
for name, shape in [("grey8", (3, 5)), ("grey_alpha8", (3, 5, 2)), ("rgb8", (3, 5, 3)), ("rgba8", (3, 5, 4))]:
    pixels = rng.integers(0, 256, shape, dtype=numpy.uint8)
    literal(name, saved(Image.fromarray(pixels, {2: "L"}.get(len(shape)) or {2: "LA", 3: "RGB", 4: "RGBA"}[shape[2]]), "PNG"))
    numbers(name, pixels if len(shape) == 2 else pixels[..., :shape[2] - (shape[2] % 2 == 0)])
for name, channels in [("grey16", 1), ("rgba16", 4)]:
    pixels = rng.integers(0, 65536, (3, 4, channels))
    literal(name, png16(pixels))
    numbers(name, pixels[..., :3])
indexed = Image.fromarray(rng.integers(0, 3, (4, 6), dtype=numpy.uint8), "P")
indexed.putpalette([10, 20, 30, 200, 100, 0, 255, 255, 255])
literal("palette", saved(indexed, "PNG", transparency=1))
numbers("palette", numpy.asarray(indexed.convert("RGB")))
bits = Image.fromarray(rng.integers(0, 2, (3, 11), dtype=numpy.uint8) * 255).convert("1")
literal("one_bit", saved(bits, "PNG"))
numbers("one_bit", numpy.asarray(bits.convert("L")))
y, x = numpy.mgrid[0:10, 0:9]
grey = (120 + 80 * numpy.sin(x / 2.0) * numpy.cos(y / 3.0)).astype(numpy.uint8)
literal("jpeg_grey", saved(Image.fromarray(grey), "JPEG", quality=90))
numbers("jpeg_grey", numpy.asarray(Image.open(io.BytesIO(saved(Image.fromarray(grey), "JPEG", quality=90)))))
colour = Image.fromarray(numpy.stack([grey, grey[::-1], 255 - grey], -1))
file = saved(colour, "JPEG", quality=85, progressive=True)
literal("jpeg_rgb", file)
numbers("jpeg_rgb", numpy.asarray(Image.open(io.BytesIO(file))))
literal("jpeg_cmyk", saved(colour.convert("CMYK"), "JPEG", quality=50))
print("\n}  // namespace recorded")
