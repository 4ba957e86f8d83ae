// For statements about propagation rules.
#pragma once

#include "limn/autograd/rules.hpp"
#include "limn/ops/ops.hpp"

using namespace limn;
