"""Writes oracle.hpp beside this file: inputs, and what scikit-learn and scipy make of them.

    pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    python3 tests/metrics/recorded/oracle.py

DeLong's variance and the calibration error have no function in either: they are written here straight from their
definitions (all pairs; a loop over bins).
"""
import pathlib

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn import metrics
from sklearn.linear_model import RidgeClassifier

out = []


def put(name, values, kind="double"):
    flat = [repr(v.item() if hasattr(v, "item") else v) for v in np.asarray(values).ravel()]
    flat = ["NAN" if v == "nan" else v for v in flat]
    out.append(f"inline const std::vector<{kind}> {name}{{{', '.join(flat)}}};")


def calibration(probability, labels, bins=15):
    confidence, hit = probability.max(1), probability.argmax(1) == labels
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(hit[inside].mean() - confidence[inside].mean())
    return total


def delong(score, labels):
    pairs = score[labels == 1][:, None] - score[labels == 0][None, :]
    wins = (pairs > 0) + 0.5 * (pairs == 0)
    m, n = wins.shape
    variance = wins.mean(1).var(ddof=1) / m + wins.mean(0).var(ddof=1) / n
    half = scipy.stats.norm.ppf(0.975) * variance**0.5
    return max(0, wins.mean() - half), min(1, wins.mean() + half)


rng = np.random.default_rng(3)

# Two classes, 40 samples, scores in steps of 1/32 (exact in float), so that there are ties.
labels = (rng.random(40) < 0.45).astype(int)
positive = np.clip(np.round(32 * (0.35 + 0.25 * labels + 0.22 * rng.standard_normal(40))) / 32, 0, 1) + 0.0
both = np.stack([1 - positive, positive], 1)
predicted = both.argmax(1)
confusion = metrics.confusion_matrix(labels, predicted)
put("binary_probability", positive, "float")
put("binary_labels", labels, "limn::Index")
put("binary_scores", [
    metrics.accuracy_score(labels, predicted), metrics.balanced_accuracy_score(labels, predicted),
    metrics.recall_score(labels, predicted), metrics.recall_score(labels, predicted, pos_label=0),
    metrics.precision_score(labels, predicted), metrics.f1_score(labels, predicted),
    metrics.roc_auc_score(labels, positive), *delong(positive, labels), calibration(both, labels),
    *scipy.stats.binomtest(int(confusion.trace()), 40).proportion_ci(method="wilson")])
put("binary_confusion", confusion, "limn::Index")
fpr, tpr, thresholds = metrics.roc_curve(labels, positive, drop_intermediate=False)
put("binary_roc", np.stack([fpr, tpr], 1))
put("binary_roc_thresholds", thresholds[1:])

# Three classes, 30 samples; class 2 is never predicted.
many_labels = rng.integers(0, 3, 30)
logits = rng.standard_normal((30, 3)) + 1.5 * np.eye(3)[many_labels] - [0, 0, 6]
many = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
many = many.astype(np.float32)
guess = many.argmax(1)
table = metrics.confusion_matrix(many_labels, guess)
assert table[:, 2].sum() == 0
rest = [metrics.recall_score(many_labels != k, guess != k) for k in range(3)]
put("many_probability", many, "float")
put("many_labels", many_labels, "limn::Index")
put("many_scores", [
    metrics.accuracy_score(many_labels, guess), metrics.balanced_accuracy_score(many_labels, guess),
    metrics.recall_score(many_labels, guess, average="macro"), np.mean(rest),
    metrics.precision_score(many_labels, guess, average="macro", zero_division=np.nan),
    metrics.f1_score(many_labels, guess, average="macro"),
    np.mean([metrics.roc_auc_score(many_labels == k, many[:, k]) for k in range(3)]),
    calibration(many.astype(float), many_labels)])
put("many_confusion", table, "limn::Index")

# Three 5 x 6 maps with masks for the learned threshold.
maps = np.round(64 * rng.random((3, 5, 6))) / 64
masks = np.zeros((3, 5, 6))
masks[0, 1:3, 2:5] = masks[1, 3:, :2] = masks[2, 0:4, 3] = 1
maps += masks * 0.375
feature = np.concatenate([(m / m.max()).ravel() for m in maps])[:, None]
ridge = RidgeClassifier(alpha=1, class_weight="balanced").fit(feature, masks.ravel())
put("ridge_maps", maps, "float")
put("ridge_masks", masks, "float")
put("ridge_fit", [ridge.coef_.item(), ridge.intercept_.item()])
put("ridge_predicted", ridge.predict(feature), "float")

head = ["// Written by oracle.py: numbers of scikit-learn %s, scipy %s, numpy %s." % (
    sklearn.__version__, scipy.__version__, np.__version__), "#pragma once", "", "#include <cmath>", "#include <vector>",
    "", '#include "limn/core/config.hpp"', "", "// clang-format off", "namespace oracle {", ""]
text = "\n".join(head + out + ["", "}  // namespace oracle", "// clang-format on", ""])
pathlib.Path(__file__).with_name("oracle.hpp").write_text(text)
