#include "limn/core/tensor.hpp"
using namespace limn;

int main() {
  const Tensor<Cpu> x(Shape{2, 3});
  return static_cast<int>(x.size());
}
