#include "fusion/annotators.hpp"

#include <algorithm>
#include <filesystem>

#include "limn/data/annotation_noise.hpp"
#include "limn/evaluate/side_by_side.hpp"
#include "limn/metrics/comparison.hpp"
#include "limn/metrics/localisation.hpp"
#include "limn/report/questionnaire.hpp"

namespace example {

using namespace limn;

std::vector<data::Annotator> annotators_of(const RunOptions& options, const data::Dataset& set) {
  if (!options.annotations->empty()) return data::read_annotators(*options.annotations, set);
  std::vector<data::Annotator> people;
  const auto make_up = [&](const std::string& name, const data::AnnotationNoise& noise) {
    const data::Dataset seen = data::noisy(set, noise, Seed{options.seed});
    people.push_back({.name = "made up: " + name});
    for (Index i = 0; i < seen.size(); ++i)
      if (seen[i].mask && seen[i].label > 0) people.back().masks.emplace(seen[i].id, *seen[i].mask);
  };
  make_up("moved", {.jitter = .1f});
  make_up("too large", {.jitter = .02f, .dilate = .1f});
  make_up("too small", {.jitter = .02f, .erode = .05f});
  return people;
}

data::Dataset marked_by_all(const data::Dataset& set, const std::vector<data::Annotator>& people) {
  return set.filter([&](const data::Sample& sample) {
    return sample.mask && metrics::mask_size(*sample.mask) > 0 &&
           std::all_of(people.begin(), people.end(),
                       [&](const auto& person) { return person.masks.contains(sample.id); });
  });
}

namespace {

/// Means over the pictures of how well maps agree with masks.
struct Agreement {
  metrics::Running rma, rra;
  std::vector<std::string> cells = {};

  void add(const explain::Map& map, const data::Mask& mask) {
    const double mass = metrics::relevance_mass_accuracy(map, mask), rank = metrics::relevance_rank_accuracy(map, mask);
    rma.add(mass);
    rra.add(rank);
    cells.push_back(report::fixed(mass, 3) + " / " + report::fixed(rank, 3));
  }
};

}  // namespace

Output compare(const data::Dataset& set, const std::vector<explain::Map>& maps,
               const std::vector<data::Annotator>& people, const RunOptions& options) {
  constexpr std::size_t shown = 5;
  Output out{report::Page("Attention-aware fusion: what people marked")};
  report::Table seven{.columns = {"subject"}},
      eight{.columns = {"subject", "reference RMA", "reference RRA", "saliency RMA", "saliency RRA"}};
  for (std::size_t i = 0; i < std::min(shown, maps.size()); ++i)
    seven.columns.push_back(set[static_cast<Index>(i)].id + "\nRMA / RRA");
  const auto row = [&](const std::string& subject, const auto& mask_of) {
    Agreement with_reference, with_maps;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const data::Sample& sample = set[static_cast<Index>(i)];
      const data::Mask& mask = mask_of(sample);
      with_reference.add(mask, *sample.mask);
      with_maps.add(maps[i], mask);
    }
    std::vector<std::string> cells{subject};
    cells.insert(cells.end(), with_maps.cells.begin(),
                 with_maps.cells.begin() + static_cast<Index>(seven.columns.size()) - 1);
    seven.add(std::move(cells));
    const auto mean = [](const metrics::Running& values) { return report::fixed(values.mean(), 3); };
    eight.add({subject, mean(with_reference.rma), mean(with_reference.rra), mean(with_maps.rma), mean(with_maps.rra)});
  };
  row("reference", [](const data::Sample& sample) -> const data::Mask& { return *sample.mask; });
  for (const data::Annotator& person : people)
    row(person.name, [&](const data::Sample& sample) -> const data::Mask& { return person.masks.at(sample.id); });
  out.section("Maps and what each person marked", seven,
              "How well the gate's map agrees with the reference and with what each person marked (the paper's Table "
              "7): the first pictures.");
  out.section("Each person, the reference and the maps", eight,
              text("How well what a person marked agrees with the reference, and the gate's map with what they marked "
                   "(Table 8): means over ",
                   maps.size(), " pictures."));
  const auto answers = [&](const char* file, const char* title, const std::vector<std::string>& scale) {
    const std::filesystem::path path = std::filesystem::path(*options.annotations) / file;
    if (options.annotations->empty() || !std::filesystem::exists(path)) return;
    out.page.charts({report::stacked_bars(title, scale, report::read_questionnaire(path, scale))});
  };
  answers("satisfaction.csv", "Satisfaction with the explanations", report::agreement_scale());
  answers("trust.csv", "Trust in the model", report::trust_scale());
  report::Gallery gallery;
  for (const Index i : some_of_each(set, 6)) {
    gallery.pictures.push_back(pictures_of(set, {i}).pictures.front());
    std::vector<report::NamedMap>& beside = gallery.pictures.back().maps;
    beside.push_back({"gate, saliency", maps[static_cast<std::size_t>(i)]});
    for (const data::Annotator& person : people) beside.push_back({person.name, person.masks.at(set[i].id), true});
  }
  out.page.gallery("What they marked", std::move(gallery));
  return out;
}

}  // namespace example
