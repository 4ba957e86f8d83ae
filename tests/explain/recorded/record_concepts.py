"""Records what scikit-learn and scipy say about the parts of CRAFT, and CRAFT written out with them from the definitions
of its paper and its authors' code (github.com/deel-ai/Craft), as concept_fixtures.hpp:

    python3 -m venv venv
    venv/bin/pip install scikit-learn==1.2.1 scipy==1.10.1 numpy==1.26.4
    venv/bin/python record_concepts.py > concept_fixtures.hpp

Matrices, pictures and weights are sines of the position in the library's order, (n, h, w, c) and (k, kernel_h, kernel_w,
c), so that both sides make them by the same formula. Everything is double.
"""
import numpy
import scipy
import sklearn
from scipy.stats import qmc
from sklearn.decomposition import NMF, non_negative_factorization
from sklearn.decomposition._nmf import _initialize_nmf


def wave(shape, speed, size, shift=0.0):
    t = numpy.arange(int(numpy.prod(shape)), dtype=float)
    return (size * numpy.sin(speed * t + 0.5) + shift).reshape(shape)


def put(name, values):
    numbers = ", ".join(format(v, ".13g") for v in numpy.asarray(values, dtype=float).reshape(-1))
    print(f"inline constexpr double {name}[] = {{{numbers}}};")


def weights_for(x, components):
    """The solution of the least squares of every row."""
    return non_negative_factorization(x, H=components, n_components=len(components), init="custom", update_H=False,
                                      tol=0, max_iter=20000)[0]


print("// Recorded by record_concepts.py with scikit-learn", sklearn.__version__, "scipy", scipy.__version__, "numpy",
      numpy.__version__ + ".")
print("// Do not edit by hand.")
print("#pragma once\n\nnamespace limn::recorded_concepts {\n\n// clang-format off")

for name, shape in ("tall", (12, 7)), ("wide", (5, 9)):
    x = numpy.maximum(wave(shape, 1.7, 1.0, 0.4), 0)
    u, w = _initialize_nmf(x, 3, init="nndsvda", random_state=0)
    put(name + "_start_weights", u)
    put(name + "_start_components", w)
    model = NMF(3, init="custom")
    put(name + "_weights", model.fit_transform(x, W=u.copy(), H=w.copy()))
    put(name + "_components", model.components_)
    put(name + "_end", [model.n_iter_, model.reconstruction_err_])
    y = numpy.maximum(wave((4, shape[1]), 0.9, 1.0, 0.2), 0)
    put(name + "_transformed_rows", numpy.concatenate([model.transform(row[None]) for row in y]))
    put(name + "_transformed", weights_for(y, model.components_))

put("halton", qmc.Halton(23, scramble=False).random(40)[[0, 1, 2, 7, 39]])


def conv(x, weight, bias):
    n, h, w, _ = x.shape
    padded = numpy.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = numpy.zeros((n, h, w, len(weight))) + bias
    for i in range(3):
        for j in range(3):
            y += padded[:, i:i + h, j:j + w] @ weight[:, i, j].T
    return y


def relu(x):
    return numpy.maximum(x, 0)


def front(x):
    x = relu(conv(x, wave((4, 3, 3, 2), 0.7, 0.6), wave((4,), 2.1, 0.2)))
    n, h, w, c = x.shape
    x = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    return relu(conv(x, wave((6, 3, 3, 4), 1.9, 0.5), wave((6,), 1.3, 0.2)))


def rest(x):
    x = relu(conv(x, wave((4, 3, 3, 6), 2.9, 0.5), wave((4,), 0.8, 0.3)))
    return x.mean((1, 2)) @ wave((3, 4), 0.9, 1.0).T + wave((3,), 1.5, 0.1)


def enlarged(x, size):
    """Bilinear, half-pixel centres, along the axes 1 and 2."""
    for axis in 1, 2:
        extent = x.shape[axis]
        at = numpy.clip((numpy.arange(size) + 0.5) * extent / size - 0.5, 0, extent - 1)
        low = at.astype(int)
        high = numpy.minimum(low + 1, extent - 1)
        share = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
        x = numpy.take(x, low, axis) * (1 - share) + numpy.take(x, high, axis) * share
    return x


pictures = wave((5, 14, 14, 2), 1.3, 1.0) * wave((5, 14, 14, 2), 0.071, 1.0, 0.5)
side, patch, rank, points, target = 14, 6, 3, 16, 0
stride = int(patch * 0.80)
starts = range(0, side - patch + 1, stride)
patches = numpy.concatenate([p[None, i:i + patch, j:j + patch] for p in pictures for i in starts for j in starts])
means = front(enlarged(patches, side)).mean((1, 2))
model = NMF(rank, random_state=0, max_iter=2000)
model.fit(means)
components = model.components_ / numpy.linalg.norm(model.components_, axis=1, keepdims=True)

ab = qmc.Halton(2 * rank, scramble=False).random(points)
a, b = ab[:, :rank], ab[:, rank:]
masks = [a] + [numpy.where(numpy.arange(rank) == i, b, a) for i in range(rank)]
importances = []
maps = []
for activation in front(pictures):
    u = weights_for(activation.reshape(-1, activation.shape[-1]), components).reshape(7, 7, rank)
    scores = [rest((u * m[:, None, None, :]) @ components)[:, target] for m in masks]
    importances.append([((scores[0] - c) ** 2).sum() / (2 * points * scores[0].var(ddof=1)) for c in scores[1:]])
    maps.append(u)
importance = numpy.mean(importances, 0)
order = numpy.argsort(-importance)
relevance = numpy.array(maps)[:2] @ importance
put("craft_rounds", [model.n_iter_])
put("craft_components", components[order])
put("craft_importances", importance[order])
put("craft_concepts", numpy.moveaxis(numpy.array(maps)[0][:, :, order], 2, 0))
put("craft_relevance", relevance)
put("craft_above_90", [numpy.where(m > numpy.percentile(m, 90), m, 0) for m in relevance])
print("// clang-format on\n\n}  // namespace limn::recorded_concepts")
