// SqueezeExcite of docs/write_a_layer.md, for the blocks after it.
#pragma once

#include <cstdio>

#include "../nn/squeeze_excite.hpp"
#include "limn/limn.hpp"

using namespace limn;
using limn::testing::SqueezeExcite;
