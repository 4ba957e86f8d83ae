// The list of kernels: what a back end must provide, all in namespace limn::kernel, chosen by the tag of the tensors.
// Kernels know nothing of derivatives. They trust their callers (ops/) to have checked shapes.
//
//   elementwise(f, shape, x...)        f over tensors that broadcast to `shape`
//   sum_to(x, shape)                   sums over every axis in which `shape` has extent 1 or that it lacks
//   repeat_to(x, shape)                the adjoint: repeats
//   matmul(a, ta, b, tb)               matrices, each as it is or transposed
//   conv2d, conv2d_input, conv2d_weight       y(x, w), scaled and rectified on request; its adjoints in x and in w
//   depthwise_conv2d, depthwise_conv2d_input, depthwise_conv2d_weight     a window for every channel
//   grouped_conv2d, grouped_conv2d_input, grouped_conv2d_weight           channels in groups
//   max_pool2d, max_pool2d_input, avg_pool2d, avg_pool2d_input
//   unfold2d, fold2d                   windows as an axis of their own, and the adjoint
//   moments, scale_and_shift, normalise, batch_norm_gradient   batch normalisation, with a ReLU on request
//   softmax, log_softmax               along the last axis
//   cross_entropy, cross_entropy_gradient     mean of -ln softmax at one position of each row, and its gradient
//   resize_bilinear, resize_bilinear_input    sampled per axis, and the adjoint
//   take, scatter_add                  by flat positions, and the adjoint
//   argmax, top_k                      positions along the last axis
//   permute, slice, embed              axes in another order; a box cut out; the adjoint: a box among zeros
//   lap_pool, lap_pool_gradient        LAP-Pool in one pass each way
//   lap_pool3d, lap_pool3d_gradient    the same over boxes of a volume (lap_pool3d.hpp, included by its operation)
//
// A kernel gives the same bits for any number of threads.
#pragma once

#include "limn/backend/cpu/conv.hpp"
#include "limn/backend/cpu/depthwise.hpp"
#include "limn/backend/cpu/elementwise.hpp"
#include "limn/backend/cpu/grouped.hpp"
#include "limn/backend/cpu/index.hpp"
#include "limn/backend/cpu/lap_pool.hpp"
#include "limn/backend/cpu/matmul.hpp"
#include "limn/backend/cpu/norm.hpp"
#include "limn/backend/cpu/pool.hpp"
#include "limn/backend/cpu/reduce.hpp"
#include "limn/backend/cpu/resize.hpp"
#include "limn/backend/cpu/softmax.hpp"
#include "limn/backend/functors.hpp"
