// Faithfulness picture by picture, and summed up (metrics/faithfulness.hpp says what is measured).
#pragma once

#include <algorithm>
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
  /// DS: the explained class's probability, from nothing to all taken away in equal steps. LeRF and MoRF in the
  /// literature.
  FlipCurves degradation = {};
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
    out.taken = mean_curve(&PictureFaithfulness::taken, &FlipCurves::mif);
    out.agrees = {mean_curve(&PictureFaithfulness::agrees, &FlipCurves::lif),
                  mean_curve(&PictureFaithfulness::agrees, &FlipCurves::mif)};
    out.degradation = {mean_curve(&PictureFaithfulness::degradation, &FlipCurves::lif),
                       mean_curve(&PictureFaithfulness::degradation, &FlipCurves::mif)};
    out.undefined = std::count_if(pictures.begin(), pictures.end(), [](const auto& p) { return !p.reason.empty(); });
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

 private:
  /// Over the pictures on which it is defined; empty where these do not have the same points.
  [[nodiscard, gnu::cold]] std::vector<double> mean_curve(FlipCurves PictureFaithfulness::*curves,
                                                          std::vector<double> FlipCurves::*side) const {
    std::vector<double> out;
    Index defined = 0;
    for (const PictureFaithfulness& p : pictures) {
      if (!p.reason.empty()) continue;
      const std::vector<double>& values = p.*curves.*side;
      if (defined++ == 0) out.resize(values.size());
      if (values.size() != out.size()) return {};
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += values[i];
    }
    for (double& v : out) v /= static_cast<double>(defined);
    return out;
  }
};

}  // namespace limn::metrics
