// Random numbers, window sizes and functors compiled by nvcc and run in a kernel: the GPU must give the words of the
// host exactly and its arithmetic within a few units in the last place.
// Usage: test_cuda host|device. Exit status 77: no GPU.
#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "limn/backend/functors.hpp"
#include "limn/core/config.hpp"
#include "limn/core/random.hpp"
#include "limn/core/shape.hpp"

namespace {

using namespace limn;

constexpr int values_per_item = 18;

struct Item {
  std::array<std::uint32_t, 4> words{};
  std::array<float, values_per_item> values{};
  Index out_h = 0;
};

/// What the host and the GPU both compute for position i.
LIMN_HD inline Item compute(int i, Window window) {
  Item item;
  const auto word = static_cast<std::uint32_t>(i);
  item.words = philox({word, word * 7u, 0u, 1u}, {~word, 42u});
  // Two numbers in (-4, 4) from the random words.
  const float x = static_cast<float>(item.words[0] >> 8) * 0x1p-21f - 4.0f;
  const float y = static_cast<float>(item.words[1] >> 8) * 0x1p-21f - 4.0f;
  const float positive = functor::Abs{}(x) + 0.1f;
  using namespace functor;
  item.values = {Negate{}(x),
                 Add{}(x, y),
                 Subtract{}(x, y),
                 Multiply{}(x, y),
                 Divide{}(x, positive),
                 Maximum{}(x, y),
                 Greater{}(x, y),
                 AddScalar<float>{0.5f}(x),
                 Scale<float>{3.0f}(x),
                 Power<float>{1.5f}(positive),
                 Exp{}(x),
                 Log{}(positive),
                 Sqrt{}(positive),
                 Tanh{}(x),
                 Relu{}(x),
                 Sigmoid{}(x),
                 SigmoidGradient{}(y, 0.25f),
                 Softplus{}(x)};
  item.out_h = window.out_h(i + 7);
  return item;
}

__global__ void kernel(Item* items, int count, Window window) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < count; i += gridDim.x * blockDim.x)
    items[i] = compute(i, window);
}

int failures = 0;

void check(bool condition, const char* what, int position) {
  if (condition) return;
  ++failures;
  std::printf("FAILED: %s at %d\n", what, position);
}

bool close(float a, float b) { return std::abs(a - b) <= 2e-6f * std::max(1.0f, std::abs(b)); }

/// Known answers: Random123's kat_vectors, and values of the functions at 1 and -1 to nine digits.
int on_host() {
  const std::array<std::uint32_t, 4> known{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  check(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) == known, "philox", 0);
  check(close(functor::Sigmoid{}(1.0f), 0.731058579f), "sigmoid(1)", 0);
  check(close(functor::Sigmoid{}(-1.0f), 0.268941421f), "sigmoid(-1)", 0);
  check(close(functor::Softplus{}(1.0f), 1.31326169f), "softplus(1)", 0);
  check(close(functor::Tanh{}(1.0f), 0.761594156f), "tanh(1)", 0);
  check(Window::square(7, 2, 3).out_h(224) == 112, "window", 0);
  return failures == 0 ? 0 : 1;
}

int on_device() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("skipped: no GPU on this machine\n");
    return 77;
  }
  const int count = 10'000;
  const Window window = Window::square(3, 2, 1);
  Item* memory = nullptr;
  std::vector<Item> items(count);
  cudaError_t status = cudaMalloc(&memory, count * sizeof(Item));
  if (status == cudaSuccess) {
    kernel<<<20, 128>>>(memory, count, window);
    status = cudaMemcpy(items.data(), memory, count * sizeof(Item), cudaMemcpyDeviceToHost);
  }
  cudaFree(memory);
  if (status != cudaSuccess) {
    std::printf("FAILED: %s\n", cudaGetErrorString(status));
    return 1;
  }
  for (int i = 0; i < count && failures < 10; ++i) {
    const Item expected = compute(i, window);
    const auto& got = items[static_cast<std::size_t>(i)];
    check(got.words == expected.words, "philox", i);
    check(got.out_h == expected.out_h, "window", i);
    for (std::size_t k = 0; k < values_per_item; ++k) check(close(got.values[k], expected.values[k]), "functor", i);
  }
  if (failures == 0) std::printf("%d positions agree with the host\n", count);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::strcmp(arguments[1], "host") == 0) return on_host();
  if (count == 2 && std::strcmp(arguments[1], "device") == 0) return on_device();
  std::printf("usage: test_cuda host|device\n");
  return 2;
}
