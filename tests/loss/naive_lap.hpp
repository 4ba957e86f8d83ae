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

/// Which elements of a map of h x w a mask (n, H, W, 1) marks: those of which half or more lies inside, weighed by how
/// much a bilinear resize of the map to the picture takes of them at every pixel; else those that come closest.
inline std::vector<std::vector<bool>> marked(const Maps& masks, const std::vector<bool>& has, long h, long w,
                                             double centre = .5) {
  std::vector<std::vector<bool>> out;
  for (long i = 0; i < masks.n; ++i) {
    std::vector<double> share;
    for (long e = 0; e < h * w; ++e) {
      Maps one{1, h, w, 1, std::vector<double>(static_cast<std::size_t>(h * w), 0)};
      one.v[static_cast<std::size_t>(e)] = 1;
      double inside = 0, all = 0;
      for (long y = 0; y < masks.h; ++y)
        for (long x = 0; x < masks.w; ++x) {
          const double weight =
              bilinear(one, 0, 0, static_cast<double>(y), static_cast<double>(x), masks.h, masks.w, centre);
          all += weight;
          inside += weight * masks.at(i, y, x, 0);
        }
      share.push_back(inside / all);
    }
    const double most = *std::max_element(share.begin(), share.end());
    out.emplace_back();
    for (double s : share)
      out.back().push_back(has[static_cast<std::size_t>(i)] && s > 0 && s > std::min(.5, most) - 1e-5);
  }
  return out;
}

/// Eq. 8 for maps without twins; samples without a marked element as Eq. 4 and 5, ranked by their own map.
inline double expert(const std::vector<Lap>& laps, const std::vector<std::vector<int>>& sides,
                     const std::vector<long>& labels, const Maps& masks, const std::vector<bool>& has,
                     const Shares& shares) {
  double total = 0;
  for (const Lap& lap : laps) {
    const Maps& map = lap.logits;
    const long elements = map.h * map.w;
    const auto a = marked(masks, has, map.h, map.w, lap.centre);
    for (long m = 0; m < map.m; ++m) {
      const auto side = [&](long i) {
        return sides[static_cast<std::size_t>(m)][static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
      };
      const auto positives = [&](long i) {
        const auto& marks = a[static_cast<std::size_t>(i)];
        return static_cast<long>(std::count(marks.begin(), marks.end(), true));
      };
      double present = 0, absent = 0, fractions = 0, annotated = 0;
      for (long i = 0; i < map.n; ++i) {
        present += side(i) > 0;
        absent += side(i) < 0;
        if (side(i) <= 0 || positives(i) == 0) continue;
        fractions += static_cast<double>(positives(i)) / static_cast<double>(elements);
        annotated += 1;
      }
      for (long i = 0; i < map.n; ++i) {
        std::vector<double> p;
        for (long e = 0; e < elements; ++e) p.push_back(importance(map.at(i, e / map.w, e % map.w, m)));
        std::vector<double> rising = p;
        std::sort(rising.begin(), rising.end());
        double up = 0, down = 0;
        if (side(i) > 0 && positives(i) > 0) {
          const auto& marks = a[static_cast<std::size_t>(i)];
          for (std::size_t e = 0; e < p.size(); ++e) (marks[e] ? up : down) += std::log(marks[e] ? p[e] : 1 - p[e]);
          total += -2 / static_cast<double>(positives(i)) * up / present;
          if (positives(i) < elements) total += -1 / static_cast<double>(elements - positives(i)) * down / present;
        } else if (side(i) > 0) {
          const long k_min = (shares.min_active * elements + 99) / 100,
                     k_max = ((100 - shares.max_active) * elements + 99) / 100;
          for (long k = 0; k < k_min; ++k) up += std::log(rising[static_cast<std::size_t>(elements - 1 - k)]);
          for (long k = 0; k < k_max; ++k) down += std::log(1 - rising[static_cast<std::size_t>(k)]);
          total += -2 / static_cast<double>(k_min) * up / present - down / static_cast<double>(k_max) / present;
        } else if (side(i) < 0) {
          const long k =
              annotated > 0 ? static_cast<long>(std::ceil(fractions / annotated * static_cast<double>(elements) - 1e-9))
                            : (shares.inactive * elements + 99) / 100;
          for (long j = 0; j < k; ++j) down += std::log(1 - rising[static_cast<std::size_t>(elements - 1 - j)]);
          total += -1 / static_cast<double>(k) * down / absent;
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
