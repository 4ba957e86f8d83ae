// Names, shapes and order of numbers in weight files are torchvision's; what does not fit is listed.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "../io/support.hpp"
#include "limn/models/resnet.hpp"
#include "limn/models/weights.hpp"

using namespace limn;

namespace {

struct Tiny {
  Conv2d<Cpu, 2, 3, 2> conv;
  BatchNorm2d<Cpu, 3> bn;
  Linear<Cpu, 3, 2> fc;
  static constexpr auto fields = Fields{field<"conv">(&Tiny::conv), field<"bn">(&Tiny::bn), field<"fc">(&Tiny::fc)};
  explicit Tiny(Seed seed = {}) { initialise(*this, seed); }
};

template <class Net>
void check_same_bits(const Net& a, const Net& b) {
  const auto left = weights_of(leaves(a)).tensors, right = weights_of(leaves(b)).tensors;
  REQUIRE(left.size() == right.size());
  for (const auto& [name, entry] : left) {
    CAPTURE(name);
    CHECK(entry.bytes == right.at(name).bytes);
  }
}

}  // namespace

TEST_CASE("the numbers of a convolution weight by hand") {
  Tiny net;
  for (Index o = 0; o < 3; ++o)
    for (Index y = 0; y < 2; ++y)
      for (Index x = 0; x < 2; ++x)
        for (Index c = 0; c < 2; ++c)
          net.conv.weight.value()(o, y, x, c) = static_cast<float>(1000 * o + 100 * c + 10 * y + x);
  const io::Entry entry = weights_of(leaves(net)).at("conv.weight");
  CHECK(entry.shape == std::vector<Index>{3, 2, 2, 2});
  const std::vector<float> expected = {0,    1,    10,   11,   100,  101,  110,  111,  1000, 1001, 1010, 1011,
                                       1100, 1101, 1110, 1111, 2000, 2001, 2010, 2011, 2100, 2101, 2110, 2111};
  CHECK(io::values<float>(entry) == expected);  // (out, in, kernel, kernel)
}

TEST_CASE("written and read again: the same bits, counters and statistics included") {
  const support::Folder folder("weights");
  Tiny net{Seed{3}}, other{Seed{4}};
  net.bn.num_batches_tracked.value().fill(41);
  net.bn.running_var.value().fill(.3f);
  save_weights(net, folder.path / "net.safetensors", {{"made", "here"}});
  const LoadReport report = load_weights(other, folder.path / "net.safetensors");
  CHECK(report.complete());
  check_same_bits(net, other);
  CHECK(other.conv.weight.value()(2, 1, 0, 1) == net.conv.weight.value()(2, 1, 0, 1));
  CHECK(other.bn.num_batches_tracked.value()(0) == 41);
  const io::TensorFile file = io::read_safetensors(folder.path / "net.safetensors");
  CHECK(*file.find_text("made") == "here");
  CHECK(file.at("bn.num_batches_tracked").shape.empty());
  CHECK(file.at("bn.num_batches_tracked").dtype == io::Dtype::I64);
}

TEST_CASE("what does not fit is listed, and nothing is loaded") {
  Tiny net{Seed{3}};
  const Tiny before = net;
  io::TensorFile file = weights_of(leaves(Tiny{Seed{9}}));
  file.tensors.erase("conv.bias");
  file.tensors.erase("bn.num_batches_tracked");  // as in older files: no reason to refuse
  file.tensors["head.weight"] = io::make_entry<float>({1}, {1.f});
  file.tensors["optimizer/conv.bias/exp_avg"] = io::make_entry<float>({1}, {1.f});  // a checkpoint's, of no concern
  file.tensors["fc.weight"] = io::make_entry<float>({1, 2}, {1.f, 2.f});
  file.tensors["fc.bias"] = io::make_entry<Index>({2}, {1, 2});
  const std::string message = support::message<FileError>([&] { put_weights(leaves(net), file, "a.safetensors"); });
  CHECK(message ==
        "a.safetensors does not fit the network; missing conv.bias; unexpected head.weight; of another shape or type "
        "fc.weight: expected (2, 3), got (1, 2), fc.bias: expected floats, got I64");
  check_same_bits(net, before);

  const LoadReport report = put_weights(leaves(net), file, "a.safetensors", {.strict = false});
  CHECK(report.missing == std::vector<std::string>{"conv.bias"});
  CHECK(report.unexpected == std::vector<std::string>{"head.weight"});
  CHECK(report.misfits.size() == 2);
  CHECK(net.conv.weight.value()(0, 0, 0, 0) == Tiny{Seed{9}}.conv.weight.value()(0, 0, 0, 0));
  CHECK(net.fc.weight.value()(0, 0) == before.fc.weight.value()(0, 0));

  for (int i = 0; i < 12; ++i) file.tensors[text("x", i + 10)] = io::make_entry<float>({1}, {1.f});
  CHECK(support::message<FileError>([&] {
          put_weights(leaves(net), file, "a.safetensors");
        }).find("unexpected head.weight, x10, x11, x12, x13, x14, x15, x16, x17, x18 and 3 more;") !=
        std::string::npos);
}

TEST_CASE("ResNet18 has the names and shapes of torchvision's") {
  std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "recorded/resnet18_names.txt");
  std::map<std::string, std::vector<Index>> expected;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (Index size = 0; words >> size;) expected[name].push_back(size);
    expected[name];  // a number has no sizes
  }
  REQUIRE(expected.size() == 122);
  const models::ResNet18<Cpu, 3, 1000> net;
  CHECK(parameter_count(net) == 11689512);  // torchvision's documentation
  const io::TensorFile file = weights_of(leaves(net));
  CHECK(file.tensors.size() == expected.size());
  for (const auto& [name, shape] : expected) {
    CAPTURE(name);
    REQUIRE(file.tensors.contains(name));
    CHECK(file.at(name).shape == shape);
  }
}
