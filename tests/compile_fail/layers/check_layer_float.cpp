// Differences need double precision.
// expect: limn: check_layer wants the layer with the CpuDouble back end
#include "limn/nn/check_layer.hpp"
#include "limn/nn/layers.hpp"
using namespace limn;

#ifdef BAD
int main() { return check_layer<Linear<Cpu, 3, 2>>()(1e-6) ? 0 : 1; }
#else
int main() { return check_layer<Linear<CpuDouble, 3, 2>>()(1e-6) ? 0 : 1; }
#endif
