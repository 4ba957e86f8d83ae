// The chest of a phantom as smooth functions of position: u from -1 (left in the picture) to 1, v from -1 (top) to 1.
// Each function tells how much of something there is at a point; pixels are only samples of them, so any size will do.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "limn/core/config.hpp"
#include "limn/core/random.hpp"

namespace limn::data::phantom {

/// 0 below -softness, 1 above softness, smooth between: an edge without steps.
inline float edge(float distance, float softness) {
  const float t = std::clamp(.5f + .5f * distance / softness, 0.f, 1.f);
  return t * t * (3.f - 2.f * t);
}

inline float square(float x) { return x * x; }

/// Uniform in [low, high), as float.
inline float between(Random& random, double low, double high) { return static_cast<float>(random.uniform(low, high)); }

/// Smooth noise, about -1 to 1, from random values on a grid.
class Noise {
 public:
  explicit Noise(Random& random) {
    for (float& value : values_) value = between(random, -1, 1);
  }

  /// One wave per unit.
  float at(float x, float y) const {
    const float fx = std::floor(x), fy = std::floor(y);
    const auto ix = static_cast<int>(fx), iy = static_cast<int>(fy);
    const float a = x - fx, b = y - fy, s = a * a * (3 - 2 * a), t = b * b * (3 - 2 * b);
    const float top = value(ix, iy) + s * (value(ix + 1, iy) - value(ix, iy));
    const float bottom = value(ix, iy + 1) + s * (value(ix + 1, iy + 1) - value(ix, iy + 1));
    return top + t * (bottom - top);
  }

  /// Three octaves, each with twice the frequency and half the height.
  float cloud(float x, float y) const {
    return at(x, y) + .5f * at(2 * x + 9.3f, 2 * y) + .25f * at(4 * x, 4 * y + 5.1f);
  }

 private:
  float value(int x, int y) const {
    return values_[static_cast<std::size_t>(x & 31) + 32 * static_cast<std::size_t>(y & 31)];
  }
  std::array<float, 1024> values_{};
};

/// A straight piece of a vessel, wire or letter.
struct Stroke {
  float u0, v0, u1, v1, width, strength;

  /// Spread over at least a pixel, with the same amount in all: thin lines stay whole at small sizes.
  Stroke for_pixels(float pixel) const {
    Stroke out = *this;
    out.width = std::sqrt(square(width) + square(.5f * pixel));
    out.strength *= width / out.width;
    return out;
  }

  float at(float u, float v) const {
    const float reach = 2.2f * width;
    if (u < std::min(u0, u1) - reach || u > std::max(u0, u1) + reach || v < std::min(v0, v1) - reach ||
        v > std::max(v0, v1) + reach)
      return 0.f;
    const float du = u1 - u0, dv = v1 - v0;
    const float t = std::clamp(((u - u0) * du + (v - v0) * dv) / (du * du + dv * dv + 1e-9f), 0.f, 1.f);
    const float distance = square(u - u0 - t * du) + square(v - v0 - t * dv);
    return strength * std::exp(-distance / square(width));
  }
};

inline float strongest(const std::vector<Stroke>& strokes, float u, float v) {
  float most = 0;
  for (const Stroke& stroke : strokes) most = std::max(most, stroke.at(u, v));
  return most;
}

/// What is the same in all pictures of one patient.
struct Patient {
  float wall, apex, base, dome_lift, heart, heart_tilt, fat, rib_gap, rib_shift, rib_tilt, rib_strength, clavicle;
  float shoulder, stomach_gas, stomach;
  std::vector<Stroke> vessels;

  explicit Patient(Random& random) {
    wall = between(random, .68, .82);       // half width of the rib cage
    apex = between(random, -.80, -.66);     // top of the lungs
    base = between(random, .36, .56);       // top of the right diaphragm
    dome_lift = between(random, .02, .10);  // by how much the left one is lower
    heart = between(random, .85, 1.25);
    heart_tilt = between(random, .3, .8);
    fat = between(random, 0, 1);
    rib_gap = between(random, .155, .19);
    rib_shift = between(random, 0, 1);
    rib_tilt = between(random, .05, .22);
    rib_strength = between(random, .07, .13);
    clavicle = between(random, -.03, .05);
    shoulder = between(random, -.06, .06);
    stomach_gas = .18f * std::max(0.f, between(random, -.6, 1));
    stomach = between(random, .32, .52);
    for (std::size_t i = 0; i < outline_.size(); ++i)
      outline_[i] = lung_outline(-1.5f + 3.f * static_cast<float>(i) / 255.f);
    for (float side : {-1.f, 1.f}) {
      for (int branch = 0; branch < 7; ++branch) {
        float u = .17f * side, v = between(random, -.10, .06), width = between(random, .016, .026);
        float angle = -1.25f + .42f * static_cast<float>(branch) + between(random, -.2, .2);  // up to down, outwards
        for (int piece = 0; piece < 4; ++piece) {
          const float length = between(random, .08, .15);
          const float next_u = u + side * length * std::cos(angle), next_v = v + length * std::sin(angle);
          vessels.push_back({u, v, next_u, next_v, width, .17f * (1.f - .2f * static_cast<float>(piece))});
          u = next_u;
          v = next_v;
          width *= .75f;
          angle += between(random, -.35, .35);
        }
      }
    }
  }

  /// How far down the lungs a height is: 0 at the top, 1 where they are widest.
  float depth(float v) const { return std::clamp((v - apex) / (.30f - apex), 0.f, 1.f); }

  /// Distance from the midline to the outer side of the lung.
  float outer(float v) const {
    const float at = std::clamp((v + 1.5f) * 85.f, 0.f, 254.f);
    const auto i = static_cast<std::size_t>(at);
    return outline_[i] + (at - static_cast<float>(i)) * (outline_[i + 1] - outline_[i]);
  }

  /// Lung at a point: 0 to 1, without the heart.
  float lung(float u, float v) const {
    if (v < apex - .05f || v > 1) return 0.f;
    const float x = std::abs(u), t = depth(v);
    const float inner = .30f - .17f * std::sqrt(1 - square(square(1 - t)));
    const float dome = base + (u > 0 ? dome_lift : 0.f) + 1.0f * square(x - .36f) - .25f * std::max(0.f, .36f - x);
    return edge(outer(v) - x, .03f) * edge(x - inner, .04f) * edge(dome - v, .035f) * edge(v - apex, .05f);
  }

  /// Heart, great vessels and what else stands in the middle: 0 to 1.
  float middle(float u, float v) const {
    const float strip = edge(.135f + .02f * v - std::abs(u - .01f), .04f);
    const float c = std::cos(heart_tilt), s = std::sin(heart_tilt), hu = u - .15f * heart, hv = v - base + .22f;
    const float ventricle =
        1 - std::sqrt(square((c * hu + s * hv) / (.36f * heart)) + square((c * hv - s * hu) / (.25f * heart)));
    const float atrium = 1 - std::sqrt(square((u + .09f) / (.15f * heart)) + square((v - base + .24f) / .22f));
    const float arch = 1 - std::sqrt(square((u - .11f) / .10f) + square((v + .30f) / .11f));
    return std::max({strip, edge(ventricle, .16f), edge(atrium, .22f), edge(arch, .35f)});
  }

  /// Ribs: the flat rear halves and, fainter, the steep front halves.
  float ribs(float u, float v) const {
    const float cage = outer(v) + .035f, x = std::abs(u) / cage;
    if (x > 1) return 0.f;
    const float within = edge(1 - x, .05f) * edge(v - apex + .10f, .08f) * edge(base + .35f - v, .15f);
    const float rear = (v - rib_tilt * x - .34f * square(x * x) * x) / rib_gap + rib_shift;
    const float front = (v + .42f * x - .20f * x * x) / rib_gap + rib_shift + .4f;
    return within * (band(rear) * edge(std::abs(u) - .06f, .05f) + .5f * band(front) * edge(x - .42f, .12f));
  }

  /// Collar bones and the edge of the shoulder blades.
  float bones(float u, float v) const {
    const float x = std::abs(u);
    if (v > .3f) return 0.f;
    const float line = apex + .13f + clavicle - .20f * (x - .1f) + .07f * std::sin(5.f * x);
    const float collar = edge(.032f - std::abs(v - line), .022f) * edge(x - .10f, .05f) * edge(.86f - x, .1f);
    const float blade =
        edge(.03f - std::abs(x - .80f - .16f * (v + .3f)), .04f) * edge(v + .70f, .1f) * edge(.05f - v, .2f);
    const float arm = edge(1 - std::sqrt(square((x - 1.02f) / .17f) + square((v + .62f - shoulder) / .19f)), .25f);
    return std::max({collar, .5f * blade, .8f * arm});
  }

  /// The body against the air around it.
  float body(float u, float v) const {
    const float x = std::abs(u), slope = std::clamp((x - .20f) / .75f, 0.f, 1.f);
    const float shoulders = -.97f + shoulder + .42f * slope * slope * (1.4f - .4f * slope);
    const float neck = edge(.22f - x, .05f), torso = edge(v - shoulders, .04f);
    const float flank = edge(wall + .16f + .12f * fat + .30f * edge(-.1f - v, .5f) - x, .03f);
    return std::max(neck, torso) * flank;
  }

  /// What an X-ray meets at a point, 0 (air) to about 1 (bone over soft tissue), without noise and without disease.
  float density(float u, float v) const {
    const float inside = body(u, v);
    if (inside <= 0) return .03f;
    const float air = lung(u, v), center = middle(u, v), below = edge(v - base - .05f, .30f);
    float value = .60f + .06f * fat + .12f * below;                    // soft tissue
    value += (.25f + .05f * fat - value) * air;                        // lungs
    value += (.74f - value) * center * edge(1.1f - std::abs(v), .1f);  // heart and vessels
    if (air > 0) value += .9f * strongest(vessels, u, v) * air * (1 - .7f * center);
    value += rib_strength * ribs(u, v) * (.35f + .65f * air * (1 - .9f * center));
    value += .11f * bones(u, v);
    value += .06f * edge(.085f - std::abs(u), .03f) * (.7f + .3f * std::cos(46.f * v));  // vertebrae
    value -= .13f * edge(.045f - std::abs(u + .01f), .03f) * edge(-.28f - v, .12f);      // windpipe
    value -= stomach_gas * edge(1 - std::sqrt(square((u - stomach) / .15f) + square((v - base - .26f) / .07f)), .5f);
    return .03f + (value - .03f) * inside;
  }

 private:
  /// The function behind outer(), too slow to be asked at every pixel.
  float lung_outline(float v) const {
    const float t = depth(v), below = std::max(0.f, v - .30f);
    return .30f + (wall - .30f) * std::pow(1 - std::pow(1 - t, 2.3f), .62f) - .10f * below;
  }

  /// A bone of every period, brighter at its borders.
  static float band(float phase) {
    const float distance = std::abs(phase - std::floor(phase) - .5f);
    return edge(.22f - distance, .06f) * (.7f + .3f * edge(distance - .12f, .08f));
  }

  std::array<float, 256> outline_{};  // lung_outline() from -1.5 to 1.5
};

}  // namespace limn::data::phantom
