// Does all steps of a call in one launch, whose blocks are all resident: where kernels would follow each
// other, blocks wait for each other. A unit includes the kernels, with PYNN_SPARSE_ONE_KERNEL, defines
//
//   STAGES(stage)   stage(name, group, waits) for each kernel of a step, in order; `waits` tells whether it
//                   begins when all blocks have done what comes before
//
// and then includes this. Grid: as many blocks as are resident.
#pragma once

#include "core/portable.h"

// The grid that a kernel would have if it were launched by itself.
struct Shape {
  int32 x, y;
};

// All blocks wait for each other. `arrived` counts arrivals since the launch.
DEVICE void wait_for_all(uint32* arrived) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    const uint32 all = (atomicAdd(arrived, 1u) / gridDim.x + 1) * gridDim.x;
    while (*static_cast<volatile uint32*>(arrived) < all) __nanosleep(0);
    __threadfence();
  }
  __syncthreads();
}

template <class Body>
DEVICE void in_shape(Shape shape, Body body) {
  for (int32 block = blockIdx.x; block < shape.x * shape.y; block += gridDim.x)
    body(Team{block % shape.x, shape.x, block / shape.x, shape.y});
}

#define STAGE(name, group, waits)   \
  if (waits) wait_for_all(arrived); \
  in_shape(*shape++, [&](Team team) { name##_body(*plan, team, group, step, n_step); });

extern "C" __global__ void run(const Plan* plan, const Shape* shapes, uint32* arrived, int64 first,
                               int64 end, int32 batch) {
  for (int64 step = first; step < end; step += batch) {
    const int32 n_step = int32(end - step < batch ? end - step : batch);
    const Shape* shape = shapes;
    STAGES(STAGE)
  }
}
