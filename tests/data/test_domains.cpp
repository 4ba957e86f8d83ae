// Domains: folders in the published layout, columns, sets in and without a domain, joined sets, what is refused.
#include "limn/data/domains.hpp"

#include <fstream>

#include "../io/support.hpp"
#include "limn/data/loader.hpp"
#include "limn/io/png.hpp"

using namespace limn;
using support::holds, support::message;

namespace {

void write_picture(const std::filesystem::path& path, float value, std::size_t size = 6) {
  std::filesystem::create_directories(path.parent_path());
  io::write_png(path, io::Image(io::Image::shape_type{size, size, 1}, value));
}

using Names = std::vector<std::string>;

/// Two domains, three pictures each of "cat" and "dog"; "zoo" has one dog more.
support::Folder& folder() {
  static support::Folder out("domains");
  static const bool made = [] {
    for (const char* domain : {"zoo", "home"})
      for (const char* label : {"dog", "cat"})
        for (int i = 0; i < 3; ++i) write_picture(out.path / domain / label / text(i, ".png"), .2f);
    write_picture(out.path / "zoo" / "dog" / "3.png", .6f);
    write_picture(out.path / "zoo" / "dog" / "3_mask.png", 1);
    std::ofstream(out.path / "README") << "not a domain";
    std::filesystem::create_directories(out.path / ".cache");
    return true;
  }();
  (void)made;
  return out;
}

}  // namespace

TEST_CASE("a folder DOMAIN/CLASS/PICTURE") {
  const auto set = data::domain_folder(folder().path, {.size = 6});
  CHECK(set.size() == 13);
  CHECK(set.class_names() == Names{"cat", "dog"});
  CHECK(set.domain_names() == Names{"home", "zoo"});
  CHECK(set[0].id == "home/cat/0.png");
  CHECK(set.domain(0) == 0);
  CHECK(set.domain(12) == 1);
  CHECK(set[12].id == "zoo/dog/3.png");
  REQUIRE(set[12].mask);
  CHECK(set.groups("domain")[0] == "home");
  const auto dogs = data::domain_folder(folder().path, {.size = 6, .classes = {{"dog"}}});
  CHECK(dogs.size() == 7);
  CHECK(dogs.domain(6) == 1);
  const auto parts = set.split({.fractions = {.6, .4, 0}, .seed = 1});
  CHECK(parts[0].domain_names() == set.domain_names());
}

TEST_CASE("sets in a domain, without it, and across") {
  const auto set = data::domain_folder(folder().path, {.size = 6});
  const auto zoo = data::in_domain(set, "zoo"), home = data::without_domain(set, "zoo");
  CHECK(zoo.size() == 7);
  CHECK(home.size() == 6);
  CHECK(zoo.domain_names() == Names{"zoo"});
  CHECK(zoo.domain(0) == 0);  // numbered anew
  CHECK(zoo[0].id == "zoo/cat/0.png");
  CHECK(home.domain_names() == Names{"home"});
  CHECK(data::domain_of_each(home) == Names(6, "home"));
  CHECK(set.subset({12, 0}).domain(0) == 1);  // not numbered anew
  CHECK(message<OptionError>([&] { (void)data::in_domain(set, "sea"); }) ==
        "domain \"sea\": there is no such one; expected one of home, zoo");
  const data::Dataset plain({{"a", "", 0, data::Image(data::Image::shape_type{2, 2, 1}, 0.f), {}}}, {"x"});
  CHECK(message<OptionError>([&] { (void)data::without_domain(plain, "zoo"); }) ==
        "domain \"zoo\": there is no such one; this data knows of none");
  CHECK(message<Error>([&] { (void)plain.domain(0); }) == "the data set has no domains");
  CHECK(message<OptionError>([&] { (void)plain.with_domains({}); }) == "domains: 0 names for 1 samples");
  CHECK(message<OptionError>([&] { (void)plain.with_domains({""}); }) == "sample a has no domain");
}

TEST_CASE("batches hold the domains of their samples") {
  const auto set = data::domain_folder(folder().path, {.size = 6});
  auto stream = data::Loader(set, {.batch = 5, .seed = 3, .shuffle = true, .balanced = true}).epoch(1);
  while (const auto batch = stream.next()) {
    REQUIRE(batch->domains.size() == batch->positions.size());
    for (std::size_t i = 0; i < batch->domains.size(); ++i) CHECK(batch->domains[i] == set.domain(batch->positions[i]));
  }
  const data::Dataset plain({{"a", "", 0, data::Image(data::Image::shape_type{2, 2, 1}, 0.f), {}}}, {"x"});
  CHECK(data::Loader(plain).epoch(0).next()->domains.empty());
}

TEST_CASE("domains from a table") {
  const support::Folder table("domain_table");
  write_picture(table.path / "a.png", 0);
  const auto index = [&](const std::string& content) { io::write_file_atomically(table.path / "index.csv", content); };
  index("id,image,label,view,domain\n1,a.png,x,PA,here\n2,a.png,y,AP,there\n3,a.png,x,AP,here\n");
  const auto set = data::domain_folder(table.path, {.size = 6});
  CHECK(data::domain_of_each(set) == Names{"here", "there", "here"});
  const auto by_view = data::domains_by(set, "view");
  CHECK(data::domain_of_each(by_view) == Names{"PA", "AP", "AP"});
  CHECK(data::in_domain(by_view, "AP").size() == 2);
  CHECK(holds(message<OptionError>([&] { (void)data::domains_by(set, "site"); }), "there is no such column"));
  index("id,image,label,view,domain\n1,a.png,x,,here\n2,a.png,y,AP,there\n");
  CHECK(message<OptionError>([&] { (void)data::domains_by(data::domain_folder(table.path, {.size = 6}), "view"); }) ==
        "sample 1 has no view that could be its domain");
  index("id,image,label,domain\n1,a.png,x,\n");
  CHECK(message<OptionError>([&] { (void)data::domain_folder(table.path, {.size = 6}); }) == "sample 1 has no domain");
  index("id,image,label\n1,a.png,x\n");
  CHECK(holds(message<FileError>([&] { (void)data::domain_folder(table.path, {.size = 6}); }),
              "index.csv: no column \"domain\""));
}

TEST_CASE("sets of the same classes, each a domain") {
  const auto set = data::domain_folder(folder().path, {.size = 6});
  const auto all = data::joined({{"b", data::in_domain(set, "zoo")}, {"a", data::in_domain(set, "home")}});
  CHECK(all.size() == 13);
  CHECK(all.domain_names() == Names{"a", "b"});
  CHECK(all[0].id == "b/zoo/cat/0.png");
  CHECK(all[0].group == "b/zoo/cat/0.png");
  const auto other = data::domain_folder(folder().path, {.size = 6, .classes = {{"dog"}}});
  CHECK(message<OptionError>([&] {
          (void)data::joined({{"a", set}, {"b", other}});
        }) == "joined: \"b\" has other classes than \"a\"");
  CHECK(holds(message<OptionError>([&] { (void)data::joined({{"a", set}, {"a", set}}); }), "is there twice"));
  CHECK(message<OptionError>([] { (void)data::joined({}); }) == "joined: no data sets");
}

TEST_CASE("folders that are no domains are refused before anything is used") {
  const support::Folder bad("bad_domains");
  const auto refused = [&](const data::FolderOptions& options = {.size = 6}) {
    return message<Error>([&] { (void)data::domain_folder(bad.path, options); });
  };
  CHECK(holds(refused(), "no pictures; expected DOMAIN/CLASS/PICTURE.png or .jpg, or index.csv"));
  write_picture(bad.path / "cat" / "0.png", 0);  // classes without a domain
  CHECK(holds(refused(), "no pictures; expected DOMAIN/CLASS"));
  write_picture(bad.path / "zoo" / "cat" / "0.png", 0);
  CHECK(holds(refused(), "cat: a domain without folders of pictures"));
  std::filesystem::remove_all(bad.path / "cat");
  std::ofstream(bad.path / "zoo" / "cat" / "1.jpg") << "hello";
  write_picture(bad.path / "zoo" / "cat" / "2_mask.png", 0);
  CHECK(holds(refused(), ": 2 problems\n"));
  CHECK(holds(refused(), "2_mask.png: a mask without its picture"));
  CHECK(holds(refused(), "1.jpg: neither PNG nor JPEG"));
  CHECK(holds(refused({.size = 0}), "domain_folder: size must be 1 to 8192, got 0"));
  CHECK(holds(refused({.channels = 2}), "domain_folder: channels must be 1 or 3, got 2"));
  CHECK(holds(message<FileError>([&] { (void)data::domain_folder(bad.path / "nowhere"); }), "no such folder"));
}

TEST_CASE("real data: radiographs by view, and two hospitals") {
  const char* root = std::getenv("LIMN_TEST_DATA");
  const std::filesystem::path cxr = std::filesystem::path(root != nullptr ? root : "") / "cxr";
  if (!std::filesystem::is_directory(cxr / "nih14_boxes") || !std::filesystem::is_directory(cxr / "covid_lung_boxes")) {
    MESSAGE("not run: LIMN_TEST_DATA does not name a folder with cxr/nih14_boxes/ and cxr/covid_lung_boxes/");
    return;
  }
  const auto nih = data::domains_by(
      data::image_folder(cxr / "nih14_boxes", {.size = 32, .classes = {{"No Finding"}, {"finding", {"*"}}}}), "view");
  CHECK(nih.domain_names() == Names{"AP", "PA"});
  CHECK(data::in_domain(nih, "PA").counts() == std::vector<Index>{358, 408});
  CHECK(data::without_domain(nih, "PA").counts() == std::vector<Index>{80, 329});
  // The two hospitals share no finding; what both know is the view.
  const std::vector<data::ClassSpec> views{{"PA"}, {"AP", {"*"}}};
  const auto both = data::joined(
      {{"NIH", data::image_folder(cxr / "nih14_boxes", {.size = 32, .classes = views, .label_column = "view"})},
       {"Hannover", data::image_folder(cxr / "covid_lung_boxes", {.size = 32, .classes = views})}});
  CHECK(both.domain_names() == Names{"Hannover", "NIH"});
  CHECK(data::in_domain(both, "NIH").counts() == std::vector<Index>{766, 409});
  CHECK(data::in_domain(both, "Hannover").size() == 96);
}
