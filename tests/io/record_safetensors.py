"""Writes recorded_safetensors.hpp: a file made by the reference implementation.
Run: python3 record_safetensors.py > recorded_safetensors.hpp   (safetensors 0.4.5, numpy 2.4.6)
"""
import numpy
import safetensors

half = numpy.array([1, -2.5, 65504, 6.103515625e-05, 5.960464477539063e-08, numpy.inf, -0.0], dtype=numpy.float16)
single = numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 4
tensors = {
    "half": ("float16", half.shape, half.tobytes()),
    "brain": ("bfloat16", (3,), numpy.array([0x3F80, 0xC020, 0x7F80], dtype=numpy.uint16).tobytes()),  # 1, -2.5, inf
    "single": ("float32", single.shape, single.tobytes()),
    "double": ("float64", (), numpy.array(0.1).tobytes()),
    "long": ("int64", (2,), numpy.array([-(2**40), 7], dtype=numpy.int64).tobytes()),
    "byte": ("uint8", (3,), bytes([1, 2, 255])),
    "none": ("float32", (0, 4), b""),
}
file = safetensors.serialize({k: {"dtype": d, "shape": list(s), "data": b} for k, (d, s, b) in tensors.items()},
                             {"made by": "caf\u00e9"})
print(f"// Recorded by record_safetensors.py with safetensors {safetensors.__version__}.")
print("#pragma once\n\n#include <cstdint>\n#include <vector>\n\nnamespace recorded {\n")
lines = [", ".join(str(b) for b in file[i:i + 24]) for i in range(0, len(file), 24)]
print("inline const std::vector<std::uint8_t> safetensors = {\n    " + ",\n    ".join(lines) + "};")
print("\n}  // namespace recorded")
