// Generated chest radiographs with opacities: data for the first run, for tests, and for questions whose answer must be
// known. Deterministic by the seed: sample i is the same whatever the number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limn/core/parallel.hpp"
#include "limn/data/dataset.hpp"
#include "limn/data/phantom/draw.hpp"

namespace limn::data {

struct PhantomOptions {
  Index count = 1200;
  Index size = 64;  // pictures are size x size
  std::uint64_t seed = 1;
  float positive = .5f;  // share of pictures with an opacity
  Index channels = 1;    // 1, or 3 times the same
  /// A planted shortcut: a bright disc in the lower left corner. With this chance it is there exactly where there is an
  /// opacity, else exactly where there is none: 1 gives the class away, .5 says nothing. None: no picture has a disc.
  /// Nothing else in a picture depends on it, and masks know nothing of it.
  std::optional<float> marker = std::nullopt;
};

namespace phantom {

/// A cloudy spot in a lung.
struct Opacity {
  float u, v, length, breadth, angle, sharpness, strength;

  /// 1 in the middle, about .5 at the outline, towards 0 outside.
  float at(const Noise& noise, float pu, float pv) const {
    const float du = pu - u, dv = pv - v;
    if (square(du) + square(dv) > square(2.5f * length)) return 0.f;
    const float c = std::cos(angle), s = std::sin(angle);
    const float r = std::sqrt(square((c * du + s * dv) / length) + square((c * dv - s * du) / breadth));
    const float ragged = r * (1 + .28f * noise.cloud(3.1f * pu + 7, 3.1f * pv + 3));
    return std::exp2(-std::pow(ragged, sharpness));
  }
};

/// What changes from picture to picture: how the patient stands, the film, things that are in the way.
struct Film {
  float shift_u, shift_v, turn, zoom, gain, bias, power, clouds, grain;
  std::vector<Stroke> objects;  // a side letter, a wire with its electrode; as likely with as without disease

  explicit Film(Random& random) {
    shift_u = between(random, -.06, .06);
    shift_v = between(random, -.06, .06);
    turn = between(random, -.06, .06);
    zoom = between(random, .92, 1.08);
    gain = between(random, .85, 1.15);
    bias = between(random, -.06, .06);
    power = between(random, .8, 1.25);
    clouds = between(random, .02, .05);
    grain = between(random, .010, .030);
    if (random.chance(.6)) {  // L or R, high up on one side
      const float side = random.chance(.5) ? 1.f : -1.f, u = side * between(random, .80, .88),
                  v = between(random, -.90, -.72);
      objects.push_back({u, v, u, v + .10f, .016f, .55f});
      objects.push_back({u, v + (side > 0 ? .10f : 0.f), u + .06f, v + (side > 0 ? .10f : .03f), .016f, .55f});
      if (side < 0) objects.push_back({u, v + .05f, u + .06f, v + .10f, .016f, .55f});
    }
    if (random.chance(.35)) {  // an electrode and its wire
      float u = between(random, -.6, .6), v = between(random, -.5, .5), angle = between(random, -3, 3);
      objects.push_back({u, v, u + .01f, v, .035f, .35f});
      for (int piece = 0; piece < 8; ++piece) {
        const float next_u = u + .14f * std::cos(angle), next_v = v + .14f * std::sin(angle);
        objects.push_back({u, v, next_u, next_v, .009f, .30f});
        u = next_u;
        v = next_v;
        angle += between(random, -.3, .3);
      }
    }
  }

  /// From the square of the picture to the patient.
  std::pair<float, float> to_patient(float u, float v) const {
    const float c = std::cos(turn) / zoom, s = std::sin(turn) / zoom;
    return {c * (u - shift_u) + s * (v - shift_v), c * (v - shift_v) - s * (u - shift_u)};
  }

  float develop(float density) const {
    const float exposed = std::clamp(.5f + gain * (density - .5f) + bias, 0.f, 1.f);
    return std::pow(exposed, power);
  }
};

/// The disc of PhantomOptions::marker, burnt into the film.
struct Marker {
  float u = 0, v = 0, radius = 0;  // radius 0: there is none

  Marker(const PhantomOptions& options, Index number, bool diseased) {
    Random random(Seed{options.seed}, "marker", number);
    const bool honest = random.chance(static_cast<double>(options.marker.value_or(0)));
    u = between(random, -.88, -.82);
    v = between(random, .82, .88);
    radius = options.marker && honest == diseased ? between(random, .06, .08) : 0.f;
  }
  float over(float value, float pu, float pv, float pixel) const {
    if (radius == 0) return value;
    return value + (.95f - value) * edge(radius - std::sqrt(square(pu - u) + square(pv - v)), .5f * pixel);
  }
};

inline std::vector<Opacity> opacities(const Patient& patient, Random& random) {
  std::vector<Opacity> out(random.chance(.35) ? 2 : 1);
  for (Opacity& o : out) {
    do {  // somewhere in a lung, clear of its border and of the heart
      o.u = between(random, -.75, .75);
      o.v = between(random, -.6, .6);
    } while (patient.lung(o.u, o.v) < .95f || patient.middle(o.u, o.v) > .2f);
    o.length = between(random, .18, .36);
    o.breadth = o.length * between(random, .6, 1);
    o.angle = between(random, 0, 3.14159);
    o.sharpness = between(random, 1.8, 3.2);
    o.strength = between(random, .15, .36);
  }
  return out;
}

/// One picture. The mask is where an opacity, as far as it lies in free lung, has at least .45 of its
/// largest density.
inline Sample draw(const PhantomOptions& options, Index number, Index patient_number, bool diseased) {
  Random anatomy(Seed{options.seed}, "patient", patient_number), chance(Seed{options.seed}, "film", number);
  Random disease(Seed{options.seed}, "opacity", number), grain(Seed{options.seed}, "grain", number);
  Patient patient(anatomy);
  Film film(chance);
  const Noise tissue(chance), rag(disease);
  const Marker marker(options, number, diseased);
  const std::vector<Opacity> spots = diseased ? opacities(patient, disease) : std::vector<Opacity>{};

  const auto size = static_cast<std::size_t>(options.size), channels = static_cast<std::size_t>(options.channels);
  std::vector<float> density(size * size);
  std::vector<std::vector<float>> cover(spots.size(), std::vector<float>(size * size, 0.f));
  const float step = 2.f / static_cast<float>(size);
  for (Stroke& stroke : patient.vessels) stroke = stroke.for_pixels(step);
  for (Stroke& stroke : film.objects) stroke = stroke.for_pixels(step);
  for (std::size_t y = 0; y < size; ++y) {
    for (std::size_t x = 0; x < size; ++x) {
      const float pu = step * (static_cast<float>(x) + .5f) - 1, pv = step * (static_cast<float>(y) + .5f) - 1;
      const auto [u, v] = film.to_patient(pu, pv);
      const std::size_t at = y * size + x;
      float value = patient.density(u, v);
      value += film.clouds * tissue.cloud(4.f * u, 4.f * v) * edge(value - .05f, .05f);
      for (std::size_t k = 0; k < spots.size(); ++k) {
        if (u * spots[k].u < 0) continue;  // the other lung
        cover[k][at] = spots[k].at(rag, u, v) * patient.lung(u, v) * (1 - patient.middle(u, v));
        value += spots[k].strength * cover[k][at] * (1 + .15f * tissue.at(11 * u, 11 * v));
      }
      density[at] = value + strongest(film.objects, pu, pv);
    }
  }

  Sample sample;
  sample.id = text("phantom", number);
  sample.group = text("patient", patient_number);
  sample.label = diseased ? 1 : 0;
  sample.image = Image::from_shape({size, size, channels});
  sample.mask = Mask(Mask::shape_type{size, size}, 0.f);
  for (std::size_t i = 0; i < density.size(); ++i) {
    const std::size_t row = i / size, column = i % size;
    const float pu = step * (static_cast<float>(column) + .5f) - 1, pv = step * (static_cast<float>(row) + .5f) - 1;
    const float value =
        marker.over(film.develop(density[i]), pu, pv, step) + film.grain * static_cast<float>(grain.normal());
    for (std::size_t c = 0; c < channels; ++c) sample.image.data()[i * channels + c] = std::clamp(value, 0.f, 1.f);
  }
  for (const auto& spot : cover) {
    const float outline = .45f * *std::max_element(spot.begin(), spot.end());
    for (std::size_t i = 0; i < spot.size(); ++i)
      if (spot[i] >= outline && outline > 0) sample.mask->data()[i] = 1.f;
  }
  return sample;
}

}  // namespace phantom

/// Generated frontal chest radiographs: "clear" (class 0) and "opacity" (class 1), each with its mask (all 0 for
/// clear). A patient has one to three pictures; the group is the patient. Throws OptionError.
[[nodiscard]] inline Dataset phantoms(const PhantomOptions& options = {}) {
  require<OptionError>(options.count >= 1 && options.count <= 10'000'000, "phantoms: count must be 1 to 10000000, got ",
                       options.count);
  require<OptionError>(options.size >= 16 && options.size <= 4096, "phantoms: size must be 16 to 4096, got ",
                       options.size);
  require<OptionError>(options.positive >= 0 && options.positive <= 1, "phantoms: positive must be 0 to 1, got ",
                       options.positive);
  require<OptionError>(options.channels == 1 || options.channels == 3, "phantoms: channels must be 1 or 3, got ",
                       options.channels);
  require<OptionError>(!options.marker || (*options.marker >= 0 && *options.marker <= 1),
                       "phantoms: marker must be 0 to 1, got ", options.marker.value_or(0));
  Random random(Seed{options.seed}, "cohort");
  std::vector<Index> patients, diseased(static_cast<std::size_t>(options.count), 0);
  for (Index patient = 0; static_cast<Index>(patients.size()) < options.count; ++patient)
    for (Index pictures = 1 + random.below(3); pictures > 0; --pictures) patients.push_back(patient);
  const Index positives = std::lround(static_cast<double>(options.positive) * static_cast<double>(options.count));
  std::fill_n(diseased.begin(), positives, 1);
  shuffle(diseased, random);
  std::vector<Sample> samples(diseased.size());
  parallel_for(options.count, [&](Index i) {
    const auto at = static_cast<std::size_t>(i);
    samples[at] = phantom::draw(options, i, patients[at], diseased[at] != 0);
  });
  return Dataset(std::move(samples), {"clear", "opacity"});
}

}  // namespace limn::data
