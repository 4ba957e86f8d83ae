#include "limn/nn/check_layer.hpp"
#include "limn/nn/layers.hpp"
using namespace limn;

int main() { return check_layer<Linear<CpuDouble, 3, 2>>()(1e-6) ? 0 : 1; }
