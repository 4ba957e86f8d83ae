// What the studies of ALIGN learn from and are tested on.
#include "align/domains.hpp"
#include "people.hpp"

using namespace limn;

namespace {

/// Domains A and B; people 20 to 39 were in both.
data::Dataset two_domains() {
  std::vector<data::Sample> samples = people::of("a", 0, 40);
  std::vector<std::string> domains(samples.size(), "A");
  append(samples, people::of("b", 20, 40));
  domains.resize(samples.size(), "B");
  return data::domains_by({samples, {"no", "yes"}, {{"hospital", domains}}}, "hospital");
}

}  // namespace

TEST_CASE("domains that share people: nobody is learned from and tested on, in either study") {
  const data::Dataset all = two_domains();
  for (const char* study : {"methods", "sources"})
    for (const char* domain : {"A", "B"}) {
      CAPTURE(study);
      CAPTURE(domain);
      const auto sets = example::sets_of(all, {"erm", domain}, {.study = study});
      people::check_apart({sets.train, sets.val, sets.inside, sets.outside});
      CHECK(sets.outside.size() == 40);  // the twenty others
      const std::string outside = (std::string(domain) == "A") == (std::string(study) == "methods") ? "A" : "B";
      CHECK(data::in_domain(sets.outside, outside).size() == 40);
    }
}

TEST_CASE("methods that compare domains need several to learn from") {
  const data::Dataset all = two_domains();
  const auto names = [&](const std::string& study) {
    std::set<std::string> out;
    for (const auto& setup : example::grid({.study = study}, all)) out.insert(setup.method);
    return out;
  };
  CHECK(names("methods").size() == 9);
  CHECK(names("sources") ==
        std::set<std::string>{"align", "dre", "erm", "grey_masks", "mixup", "saliency_guided", "superpixel_masks"});
}
