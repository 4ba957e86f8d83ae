// Faithfulness picture by picture, and summed up (metrics/faithfulness.hpp says what is measured).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "limn/metrics/faithfulness_scores.hpp"
#include "limn/metrics/statistics.hpp"

namespace limn::metrics {

struct PictureFaithfulness {
  std::string id = {};
  Index label = 0, predicted = 0;
  Index explained = 0;              ///< the class that is explained and watched
  std::string reason = {};          ///< why nothing is defined; empty: all is
  std::vector<double> values = {};  ///< NaN where undefined
  FlipCurves taken = {};  ///< the share of the picture that is taken away at each point; empty where undefined
  FlipCurves agrees = {}, probability = {};  ///< whether the answer agrees, and of the explained class
};

/// One explainer's values of many pictures.
struct FaithfulnessPictures {
  std::string explainer = {};
  std::vector<std::string> measures = {};  ///< names of the values
  std::vector<PictureFaithfulness> pictures = {};

  /// One measure of all pictures, for a test or a mean; OptionError where it was not asked for.
  [[nodiscard, gnu::cold]] std::vector<double> column(std::string_view measure) const {
    for (std::size_t k = 0; k < measures.size(); ++k) {
      if (measures[k] != measure) continue;
      std::vector<double> out;
      for (const PictureFaithfulness& p : pictures) out.push_back(p.values[k]);
      return out;
    }
    throw OptionError(text("faithfulness: \"", measure, "\" was not measured"));
  }

  [[nodiscard, gnu::cold]] FaithfulnessScores scores() const {
    FaithfulnessScores out{.explainer = explainer, .images = static_cast<Index>(pictures.size()), .measures = measures};
    for (const std::string& measure : measures) {
      Running moments;
      for (const double v : column(measure)) moments.add(v);
      out.mean.push_back(moments.mean());
      out.std.push_back(moments.std());
    }
    Index defined = 0;
    bool together = true;  // the curves have the same points
    const auto sum = [&](const std::vector<double>& values, std::vector<double>& to) {
      to.resize(defined == 1 ? values.size() : to.size());
      together = together && to.size() == values.size();
      for (std::size_t i = 0; together && i < values.size(); ++i) to[i] += values[i];
    };
    for (const PictureFaithfulness& p : pictures) {
      if (!p.reason.empty()) continue;
      ++defined;
      sum(p.taken.mif, out.taken);
      sum(p.agrees.lif, out.agrees.lif);
      sum(p.agrees.mif, out.agrees.mif);
    }
    for (std::vector<double>* curve : {&out.taken, &out.agrees.lif, &out.agrees.mif}) {
      if (!together) curve->clear();
      for (double& v : *curve) v /= static_cast<double>(defined);
    }
    out.undefined = out.images - defined;
    if (pictures.empty()) out.reasons.push_back("all pictures: none has the class that was asked for");
    std::vector<bool> told(pictures.size(), false);
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (pictures[i].reason.empty() || told[i]) continue;
      Index count = 0;
      for (std::size_t k = i; k < pictures.size(); ++k)
        if (pictures[k].reason == pictures[i].reason) {
          ++count;
          told[k] = true;
        }
      out.reasons.push_back(text(count, " of ", out.images, " pictures: ", pictures[i].reason));
    }
    return out;
  }
};

}  // namespace limn::metrics
