// The GPU is not part of this version, and nothing falls back to the processor silently.
// expect: limn: the Cuda back end is not part of this version
#include "limn/core/tensor.hpp"
using namespace limn;

int main() {
  const Tensor<Cuda> x(Shape{2, 3});
  return static_cast<int>(x.size());
}
