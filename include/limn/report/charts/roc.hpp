// ROC curves of networks that were trained several times: the mean of each with a band of one standard deviation, and
// the files that curves are kept in until all runs are done.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limn/io/csv.hpp"
#include "limn/metrics/mean_roc.hpp"
#include "limn/report/charts/band_chart.hpp"

namespace limn::report {

/// The curves of one network's runs.
struct RocRuns {
  std::string name;
  std::vector<std::vector<metrics::RocPoint>> curves;
};

/// Means and bands, the area under each mean curve beside its name.
[[nodiscard, gnu::cold]] inline std::string mean_roc_chart(const std::string& title, const std::vector<RocRuns>& runs) {
  std::vector<Band> bands;
  for (const RocRuns& of : runs) {
    const metrics::MeanRoc roc = metrics::mean_roc(of.curves);
    Band band{.name = of.name, .x = roc.false_positive_rate, .mean = roc.mean, .low = {}, .high = {}};
    double area = 0;
    for (std::size_t i = 0; i < roc.mean.size(); ++i) {
      const double half = std::isnan(roc.std[i]) ? 0 : roc.std[i];
      band.low.push_back(std::max(0., roc.mean[i] - half));
      band.high.push_back(std::min(1., roc.mean[i] + half));
      if (i > 0) area += (roc.mean[i] + roc.mean[i - 1]) / 2 * (band.x[i] - band.x[i - 1]);
    }
    if (roc.mean.empty()) continue;
    band.name += " (area " + fixed(area, 3) + ")";
    bands.push_back(std::move(band));
  }
  return band_chart(title, "1 \u2212 specificity", "sensitivity", bands);
}

/// Writes a curve, atomically. Throws FileError.
[[gnu::cold]] inline void save_roc(const std::filesystem::path& path, const std::vector<metrics::RocPoint>& curve) {
  std::string out = "false_positive_rate,true_positive_rate\n";
  for (const metrics::RocPoint& p : curve)
    out += io::csv_number(p.false_positive_rate) + "," + io::csv_number(p.true_positive_rate) + "\n";
  io::write_file_atomically(path, out);
}

/// What save_roc() wrote, without the thresholds. Throws FileError naming file and line.
[[nodiscard, gnu::cold]] inline std::vector<metrics::RocPoint> load_roc(const std::filesystem::path& path) {
  const io::Csv table = io::Csv::read(path);
  std::vector<metrics::RocPoint> out;
  for (Index row = 0; row < table.size(); ++row) {
    const metrics::RocPoint p{table.number(row, "false_positive_rate"), table.number(row, "true_positive_rate")};
    const bool rises =
        out.empty() ? p.false_positive_rate == 0 : p.false_positive_rate >= out.back().false_positive_rate;
    require<FileError>(rises && p.false_positive_rate <= 1 && p.true_positive_rate >= 0 && p.true_positive_rate <= 1,
                       table.name(), ":", table.line(row), ": rates of ", p.false_positive_rate, " and ",
                       p.true_positive_rate, ", expected such that rise from 0 to 1");
    out.push_back(p);
  }
  return out;
}

}  // namespace limn::report
