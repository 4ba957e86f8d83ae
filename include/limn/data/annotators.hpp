// What several people marked on the pictures of a data set: from exports of Label Studio, or from masks as pictures.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limn/data/folder.hpp"
#include "limn/io/label_studio.hpp"

namespace limn::data {

/// One person's masks.
struct Annotator {
  std::string name;
  std::map<std::string, Mask> masks = {};  ///< by the id of the sample, of the size of its picture
};

namespace detail {

/// "busi/benign (3).png" and "/data/upload/4/1f2e3d4c-benign_3.png" as "benign_3": the name of the file without
/// folders, extension and the eight digits that Label Studio puts in front of what is uploaded, with underscores for
/// spaces and nothing but letters, digits, points, hyphens and underscores, as it renames it.
[[nodiscard, gnu::cold]] inline std::string picture_name(const std::string& image) {
  const std::filesystem::path file = image.substr(image.find_last_of('=') + 1);
  const std::string name = (is_picture(file) ? file.stem() : file.filename()).string();
  const bool uploaded = name.size() > 9 && name[8] == '-' && std::all_of(name.begin(), name.begin() + 8, [](char c) {
                          return std::isxdigit(static_cast<unsigned char>(c)) != 0;
                        });
  std::string out;
  for (const char c : uploaded ? name.substr(9) : name)
    if (c == ' ')
      out += '_';
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_')
      out += c;
  return out;
}

/// Samples by the names of their files. A name that two samples have stands for none.
class Names {
 public:
  [[gnu::cold]] explicit Names(const Dataset& set) {
    for (Index i = 0; i < set.size(); ++i) {
      const auto [place, fresh] = at_.emplace(picture_name(set[i].id), i);
      if (!fresh) place->second = -1;
    }
  }
  /// -1: no sample, or more than one.
  [[nodiscard]] Index operator()(const std::string& image) const {
    const auto found = at_.find(picture_name(image));
    return found == at_.end() ? -1 : found->second;
  }

 private:
  std::map<std::string, Index> at_;
};

/// Two pictures are one at two sizes: their sides are in the same proportion but for a pixel.
[[nodiscard]] inline bool same_proportions(Index h1, Index w1, Index h2, Index w2) {
  const Index difference = h1 * w2 - h2 * w1;
  return std::max(difference, -difference) <= std::max({h1, w1, h2, w2});
}

}  // namespace detail

/// Reads the annotators of a folder: NAME/PICTURE.png are masks (set from one half on) of the person NAME, *.json are
/// Label Studio's exports, whose people have the names of those who completed the tasks (or of the file). PICTURE is
/// the name of a picture's file. Masks are brought to the samples' size as the pictures were; several of one person and
/// picture are joined. Annotations of pictures that the set does not have are left out; a person without any other is
/// not there. Throws FileError for what cannot be read, where nothing in the folder is of a picture of the set, and for
/// masks whose sides are not in the proportion of their picture's, as Label Studio exports those that EXIF turns.
[[nodiscard, gnu::cold]] inline std::vector<Annotator> read_annotators(const std::filesystem::path& folder,
                                                                       const Dataset& set, Fit fit = Fit::pad,
                                                                       const io::LabelStudioOptions& options = {}) {
  require<FileError>(std::filesystem::is_directory(folder), folder.string(), ": no such folder");
  require<OptionError>(set.height() == set.width(), "read_annotators: pictures of ", set.height(), " x ", set.width(),
                       ", expected squares");
  const detail::Names sample_of(set);
  std::vector<Annotator> out;
  const auto add = [&](const std::filesystem::path& file, const std::string& who, const std::string& image,
                       const Mask& mask) {
    const Index i = sample_of(image);
    if (i < 0 || mask.size() == 0) return;
    const auto h = static_cast<Index>(mask.shape()[0]), w = static_cast<Index>(mask.shape()[1]);
    require<FileError>(set[i].file_height == 0 || detail::same_proportions(h, w, set[i].file_height, set[i].file_width),
                       file.string(), ": what ", who, " marked on ", set[i].id, " is ", w, " x ", h,
                       " pixels, the picture is ", set[i].file_width, " x ", set[i].file_height,
                       "; was it turned by its EXIF orientation?");
    auto person = std::find_if(out.begin(), out.end(), [&](const Annotator& a) { return a.name == who; });
    if (person == out.end()) person = out.insert(out.end(), {.name = who});
    const Mask fitted = fit_square(mask, set.height(), fit);
    const auto [place, fresh] = person->masks.emplace(set[i].id, fitted);
    for (std::size_t k = 0; k < fitted.size(); ++k)
      place->second.data()[k] = std::max(place->second.data()[k], fitted.data()[k]);
  };
  for (const auto& entry : detail::sorted_entries(folder)) {
    if (std::filesystem::is_directory(entry)) {
      for (const auto& file : detail::sorted_entries(entry)) {
        if (!detail::is_picture(file)) continue;
        const io::Image grey = io::to_channels(io::read_image(file), 1);
        Mask mask(Mask::shape_type{grey.shape()[0], grey.shape()[1]}, 0.f);
        for (std::size_t k = 0; k < mask.size(); ++k) mask.data()[k] = grey.data()[k] >= .5f ? 1.f : 0.f;
        add(file, entry.filename().string(), file.string(), mask);
      }
    } else if (entry.extension() == ".json") {
      for (const io::Annotation& a : io::read_label_studio(entry, options))
        add(entry, a.annotator.empty() ? entry.stem().string() : a.annotator, a.image, a.mask);
    }
  }
  require<FileError>(!out.empty(), folder.string(), ": no annotation of a picture of the data set; expected *.json or ",
                     "NAME/PICTURE.png, PICTURE being a name as ", set.empty() ? "those of it" : set[0].id);
  return out;
}

}  // namespace limn::data
