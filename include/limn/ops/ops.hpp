// All differentiable operations but those of volumes, which few programs need: conv3d.hpp and lap_pool3d.hpp.
#pragma once

#include "limn/ops/activation.hpp"
#include "limn/ops/arithmetic.hpp"
#include "limn/ops/conv.hpp"
#include "limn/ops/depthwise.hpp"
#include "limn/ops/distance.hpp"
#include "limn/ops/grouped.hpp"
#include "limn/ops/lap_pool.hpp"
#include "limn/ops/layout.hpp"
#include "limn/ops/linear.hpp"
#include "limn/ops/losses.hpp"
#include "limn/ops/norm.hpp"
#include "limn/ops/pool.hpp"
#include "limn/ops/reduce.hpp"
#include "limn/ops/resize.hpp"
