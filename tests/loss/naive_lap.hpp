// The losses of LAPs written a second time, straight from the paper, in naive loops on probabilities: what the
// library's losses are compared with. Nothing here is the library's code.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace limn::naive {

/// Values (n, h, w, m) in row-major order.
struct Maps {
  long n = 0, h = 0, w = 0, m = 0;
  std::vector<double> v;
  double at(long i, long y, long x, long c) const { return v[static_cast<std::size_t>(((i * h + y) * w + x) * m + c)]; }
};

/// The logits of a LAP, and of its twin (no values outside training).
struct Lap {
  Maps logits, twin;
  double centre =
      .5;  // half-pixel centres; 0: element i of a map of half the size lies at 2i (windows 2i - 1 to 2i + 1)
};

struct Shares {
  long min_active = 10, max_active = 50, inactive = 10;  // percent, so that K is worked out in whole numbers
  bool own = false;
};

inline double importance(double logit) { return 1 / (1 + std::exp(-logit)); }

/// Clamped at the edge. With a centre of .5 torch's bilinear interpolation without aligned corners.
inline double bilinear(const Maps& map, long i, long c, double y, double x, long h, long w, double centre = .5) {
  const auto place = [=](double p, long to, long from) {
    const double at = (p + centre) * static_cast<double>(from) / static_cast<double>(to) - centre;
    return std::clamp(at, 0.0, static_cast<double>(from - 1));
  };
  const double fy = place(y, h, map.h), fx = place(x, w, map.w);
  const long y0 = static_cast<long>(fy), x0 = static_cast<long>(fx), y1 = std::min(y0 + 1, map.h - 1),
             x1 = std::min(x0 + 1, map.w - 1);
  const double ty = fy - static_cast<double>(y0), tx = fx - static_cast<double>(x0);
  return (1 - ty) * ((1 - tx) * map.at(i, y0, x0, c) + tx * map.at(i, y0, x1, c)) +
         ty * ((1 - tx) * map.at(i, y1, x0, c) + tx * map.at(i, y1, x1, c));
}

/// The ranking values of a LAP: the sum of its own and its twin's importance (appendix C.5).
inline Maps ranking(const Lap& lap) {
  Maps out = lap.logits;
  for (std::size_t i = 0; i < out.v.size(); ++i)
    out.v[i] = importance(lap.logits.v[i]) + (lap.twin.v.empty() ? 0 : importance(lap.twin.v[i]));
  return out;
}

/// Eq. 4 and 5, Algorithm 2 and appendix C.5. sides[m][y] is +1, -1 or 0.
inline double supervision(const std::vector<Lap>& laps, const std::vector<std::vector<int>>& sides,
                          const std::vector<long>& labels, const Shares& shares) {
  double total = 0;
  for (std::size_t l = 0; l < laps.size(); ++l) {
    const Maps& logits = laps[l].logits;
    const long elements = logits.h * logits.w;
    const long k_min = (shares.min_active * elements + 99) / 100,
               k_max = ((100 - shares.max_active) * elements + 99) / 100,
               k_iar = (shares.inactive * elements + 99) / 100;
    const Maps own = ranking(laps[l]);
    for (long m = 0; m < logits.m; ++m) {
      double present = 0, absent = 0;
      for (long y : labels) {
        present += sides[static_cast<std::size_t>(m)][static_cast<std::size_t>(y)] > 0;
        absent += sides[static_cast<std::size_t>(m)][static_cast<std::size_t>(y)] < 0;
      }
      for (long i = 0; i < logits.n; ++i) {
        const int side =
            sides[static_cast<std::size_t>(m)][static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
        std::vector<double> p, twin, ref, mine;
        for (long y = 0; y < logits.h; ++y)
          for (long x = 0; x < logits.w; ++x) {
            p.push_back(importance(logits.at(i, y, x, m)));
            if (!laps[l].twin.v.empty()) twin.push_back(importance(laps[l].twin.at(i, y, x, m)));
            mine.push_back(own.at(i, y, x, m));
            double sum = own.at(i, y, x, m);
            for (std::size_t other = 0; other < laps.size() && !shares.own; ++other)
              if (other != l)
                sum += bilinear(ranking(laps[other]), i, m, static_cast<double>(y), static_cast<double>(x), logits.h,
                                logits.w, laps[l].centre);
            ref.push_back(sum);
          }
        const auto sorted = [&](const std::vector<double>& by, bool descending) {
          std::vector<std::size_t> order(by.size());
          std::iota(order.begin(), order.end(), std::size_t{0});
          std::stable_sort(order.begin(), order.end(),
                           [&](std::size_t a, std::size_t b) { return descending ? by[a] > by[b] : by[a] < by[b]; });
          return order;
        };
        if (side > 0) {
          double active = 0, silent = 0;
          for (long k = 0; k < k_min; ++k) active += std::log(p[sorted(ref, true)[static_cast<std::size_t>(k)]]);
          for (long k = 0; k < k_max; ++k) silent += std::log(1 - p[sorted(ref, false)[static_cast<std::size_t>(k)]]);
          if (k_min > 0) total += -2 / static_cast<double>(k_min) * active / present;
          if (k_max > 0) total += -1 / static_cast<double>(k_max) * silent / present;
          for (double t : twin) total += -2 / static_cast<double>(elements) * std::log(t) / present;
        }
        if (side < 0) {
          double silent = 0;
          for (long k = 0; k < k_iar; ++k) silent += std::log(1 - p[sorted(mine, true)[static_cast<std::size_t>(k)]]);
          if (k_iar > 0) total += -1 / static_cast<double>(k_iar) * silent / absent;
          for (double t : twin) total += -1 / static_cast<double>(elements) * std::log(1 - t) / absent;
        }
      }
    }
  }
  return total;
}

/// Eq. 9 for two maps of one size, mean over samples, summed over clues.
inline double concordance(const Maps& a, const Maps& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.v.size(); ++i) {
    const double p = importance(a.v[i]), r = importance(b.v[i]);
    total += (p - r) * std::log(p / r) + (r - p) * std::log((1 - p) / (1 - r));
  }
  return total / static_cast<double>(2 * a.h * a.w * a.n);
}

}  // namespace limn::naive
