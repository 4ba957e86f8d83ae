// Everything of limn but what is for tests ("limn/nn/check_layer.hpp"). For faster compilation include what you use:
// "limn/nn/layers.hpp", "limn/explain/grad_cam.hpp", ...
#pragma once

#include "limn/core/about.hpp"
#include "limn/core/host.hpp"
#include "limn/data/folder.hpp"
#include "limn/data/phantom.hpp"
#include "limn/data/split.hpp"
#include "limn/evaluate/evaluate.hpp"
#include "limn/evaluate/gallery.hpp"
#include "limn/explain/grad_cam.hpp"
#include "limn/explain/guided_backprop.hpp"
#include "limn/explain/lap.hpp"
#include "limn/loss/classification.hpp"
#include "limn/loss/lap.hpp"
#include "limn/models/resnet.hpp"
#include "limn/nn/layers.hpp"
#include "limn/nn/sequential.hpp"
#include "limn/ops/ops.hpp"
#include "limn/report/html.hpp"
#include "limn/report/table.hpp"
#include "limn/train/fit.hpp"
