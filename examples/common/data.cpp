#include "common/data.hpp"

#include <algorithm>

#include "limn/data/folder.hpp"
#include "limn/data/phantom/phantom.hpp"

namespace example {

limn::data::Dataset labelled(const RunOptions& options) {
  using namespace limn;
  if (options.data.empty())
    return data::phantoms({.count = options.pictures, .size = options.size, .seed = options.seed});
  data::FolderOptions folder{.size = options.size, .channels = 1};
  data::Dataset all = data::image_folder(options.data, folder);
  const auto& labels = all.class_names();
  const auto has = [&](const char* label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); };
  if (has("No Finding") && labels.size() > 1) {
    folder.classes = {{"No Finding"}, {"finding", {"*"}}};
  } else if (has("benign") && has("malignant")) {
    folder.classes = {{"benign"}, {"malignant"}};
  } else {
    return all;
  }
  return data::image_folder(options.data, folder);
}

limn::data::Dataset two_classes(const RunOptions& options) {
  limn::data::Dataset all = labelled(options);
  std::string found;
  for (const auto& label : all.class_names()) found += (found.empty() ? "" : ", ") + label;
  limn::require<limn::OptionError>(all.classes() == 2, options.data,
                                   ": expected two labels, or \"No Finding\" and others, or ",
                                   "\"benign\" and \"malignant\"; found ", found);
  return all;
}

}  // namespace example
