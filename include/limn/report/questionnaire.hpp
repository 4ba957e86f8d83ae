// Questionnaires on explanations, such as the Explanation Satisfaction Scale (Hoffman et al. 2023) or a scale of trust:
// answers on an ordered scale, counted.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "limn/io/csv.hpp"
#include "limn/report/charts/stacked_bars.hpp"

namespace limn::report {

/// How much somebody agrees, from the lowest to the highest.
[[nodiscard, gnu::cold]] inline std::vector<std::string> agreement_scale() {
  return {"strongly disagree", "disagree", "neutral", "agree", "strongly agree"};
}
/// How much somebody trusts a model (Abbaspour Onari et al. 2025, Table 3).
[[nodiscard, gnu::cold]] inline std::vector<std::string> trust_scale() {
  return {"distrust", "undistrust", "ignorance", "untrust", "trust"};
}

/// A line for each person, a column for each question; the column "participant", where there is one, names them and is
/// no question. A cell is one of `answers`, in capitals or small letters, or its number from 1; an empty one was not
/// answered. Throws FileError naming file, line and column for anything else.
[[nodiscard, gnu::cold]] inline std::vector<StackedBar> parse_questionnaire(const io::Csv& table,
                                                                            const std::vector<std::string>& answers) {
  const auto plain = [](std::string words) {
    for (char& c : words) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return words;
  };
  std::string known;
  for (const std::string& answer : answers) known += ", " + answer;
  std::vector<StackedBar> out;
  for (const std::string& question : table.columns()) {
    if (question == "participant") continue;
    StackedBar bar{question, std::vector<Index>(answers.size(), 0)};
    for (Index row = 0; row < table.size(); ++row) {
      const std::string& cell = table.at(row, question);
      if (cell.empty()) continue;
      std::size_t k = 0;
      while (k < answers.size() && plain(cell) != plain(answers[k]) && cell != std::to_string(k + 1)) ++k;
      require<FileError>(k < answers.size(), table.name(), ":", table.line(row), ": column \"", question,
                         "\": expected 1 to ", answers.size(), known, "; got \"", cell, "\"");
      ++bar.counts[k];
    }
    out.push_back(std::move(bar));
  }
  return out;
}

[[nodiscard, gnu::cold]] inline std::vector<StackedBar> read_questionnaire(const std::filesystem::path& path,
                                                                           const std::vector<std::string>& answers) {
  return parse_questionnaire(io::Csv::read(path), answers);
}

}  // namespace limn::report
