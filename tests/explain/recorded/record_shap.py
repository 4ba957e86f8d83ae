"""Writes shap_fixtures.hpp: what shap's partition explainer says of a polynomial of a grey picture, with all
evaluations that there are (exact Owen values) and with few.
Run: python record_shap.py > shap_fixtures.hpp   (shap 0.51.0, numpy 2)

The polynomial's coefficients are sines of the pixel's number, as in test_shap.cpp.
"""
import numpy
import shap


def answers(pictures):
    flat = pictures.reshape(len(pictures), -1).astype(numpy.float64)
    i = numpy.arange(flat.shape[1])
    columns = []
    for k in range(2):
        pairs = (numpy.cos(0.9 * i + k) * flat * numpy.roll(flat, 3, axis=1)).sum(1)
        columns.append((numpy.sin(1.7 * i + k) * flat).sum(1) + pairs + 0.1 * (numpy.sin(0.3 * i + k) * flat).sum(1) ** 3)
    return numpy.stack(columns, axis=1)


def values(height, width, evaluations):
    shape = (height, width, 1)
    picture = numpy.sin(0.8 * numpy.arange(height * width) + 0.2).reshape(shape)
    masker = shap.maskers.Image(numpy.full(shape, 0.25), shape)
    explainer = shap.Explainer(answers, masker, algorithm="partition")
    # Two evaluations are those of the whole and of the covered picture.
    found = explainer(picture[None], max_evals=evaluations + 2, batch_size=8, outputs=[1], silent=True)
    return found.values.reshape(-1)


print(f"// Partition SHAP: record_shap.py with shap {shap.__version__}. Do not edit by hand.")
print("#pragma once\n\n#include <vector>\n\nnamespace limn::recorded::shap {\n\n// clang-format off")
for name, height, width, evaluations in (("exact_4x3", 4, 3, 100000), ("exact_2x5", 2, 5, 100000), ("few_6x5", 6, 5, 40),
                                         ("few_8x8", 8, 8, 101)):
    print(f"inline const std::vector<double> {name}{{{', '.join(f'{v:.12g}' for v in values(height, width, evaluations))}}};")
print("// clang-format on\n\n}  // namespace limn::recorded::shap")
