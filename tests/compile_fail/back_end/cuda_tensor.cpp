// The GPU is not part of this version, and nothing falls back to the processor silently.
// expect: limn: the Cuda back end is not part of this version
#include "limn/core/tensor.hpp"
using namespace limn;

int main() {
#ifdef BAD
  const Tensor<Cuda> x(Shape{2, 3});
#else
  const Tensor<Cpu> x(Shape{2, 3});
#endif
  return static_cast<int>(x.size());
}
