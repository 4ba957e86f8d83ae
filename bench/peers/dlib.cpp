// dlib's ResNet-18 as a peer: one training step (forward, cross-entropy, backward, Adam).
#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <memory>
#include <stdexcept>

#include "worker.hpp"

namespace {

using namespace dlib;

// dlib writes networks from the last layer to the first.
template <int N, int Stride, class S>
using conv3x3 = add_layer<con_<N, 3, 3, Stride, Stride, 1, 1>, S>;
template <int N, int Stride, class S>
using block = bn_con<conv3x3<N, 1, relu<bn_con<conv3x3<N, Stride, S>>>>>;
template <int N, class S>
using same = relu<add_prev1<block<N, 1, tag1<S>>>>;
template <int N, class S>
using projected = bn_con<add_layer<con_<N, 1, 1, 2, 2, 0, 0>, S>>;
template <int N, class S>
using smaller = relu<add_prev2<block<N, 2, skip1<tag2<projected<N, tag1<S>>>>>>>;
using Stem = add_layer<max_pool_<3, 3, 2, 2, 1, 1>,
                       relu<bn_con<add_layer<con_<64, 7, 7, 2, 2, 3, 3>, input<matrix<rgb_pixel>>>>>>;
using Body = same<512, smaller<512, same<256, smaller<256, same<128, smaller<128, same<64, same<64, Stem>>>>>>>>;
using Net = loss_multiclass_log<fc<2, avg_pool_everything<Body>>>;

struct Training {
  Net net;
  std::vector<adam> solvers = std::vector<adam>(Net::num_computational_layers, adam(0.f, 0.9f, 0.999f));
  resizable_tensor x;
  std::vector<unsigned long> y;

  Training(int n, int side) {
    std::vector<matrix<rgb_pixel>> pictures(static_cast<std::size_t>(n));
    unsigned value = 0;
    for (auto& picture : pictures) {
      y.push_back(y.size() % 2);
      picture.set_size(side, side);
      for (auto& pixel : picture) {
        value = value * 1664525 + 1013904223;
        pixel = rgb_pixel(static_cast<unsigned char>(value >> 24), static_cast<unsigned char>(value >> 16),
                          static_cast<unsigned char>(value >> 8));
      }
    }
    net.to_tensor(pictures.begin(), pictures.end(), x);
  }
  void step() {
    net.compute_parameter_gradients(x, y.begin());
    net.update_parameters(solvers, 1e-4);
  }
};

}  // namespace

int main() {
  const std::string name = "dlib " + std::to_string(DLIB_MAJOR_VERSION) + '.' + std::to_string(DLIB_MINOR_VERSION);
  return bench::serve(name, [](std::istream& words) -> std::function<void()> {
    std::string kind;
    int n = 0, side = 0;
    words >> kind >> n >> side;
    if (!words || kind != "step") throw std::invalid_argument("no such case");
    return [training = std::make_shared<Training>(n, side)] { training->step(); };
  });
}
