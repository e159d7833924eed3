// Advances all populations of one model, CELL, by one step; draws first what Poisson backgrounds bring them.
//
// Compiled once per model and precision: CELL is the model's structure, CELL_HEADER its file (or any, where
// the model comes before), REAL
// double or float. BLOCK_KINDS has the bits of `with_flags`, all of them where it is not given. Grid: threads
// along the neurons of the largest population, y over populations.
#include CELL_HEADER
#include "step/neuron_step.h"

#ifndef BLOCK_KINDS
#define BLOCK_KINDS 15
#endif

CELL_FACTS(KERNEL_NAME(cell_facts_, CELL, REAL), BLOCK_KINDS, CELL<REAL>)

KERNEL(KERNEL_NAME(neuron_step_, CELL, REAL), 0) {
  begin_steps(plan, team, step);
  const Group& populations = plan.group[group];
  for_each_block(team, populations.n_block, [&](int32 b) {
    const Block& block = populations.block[b];
    if constexpr (CELL<REAL>::n_receptor > 0) draw_backgrounds(plan, team, block, step, n_step);
    const auto advance = [&](auto substeps) {
      with_flags<BLOCK_KINDS>(block.heterogeneous, block.current,
                              [&](auto heterogeneous, auto driven) {
                                step_block<CELL<REAL>, heterogeneous.value, driven.value>(
                                    plan, team, block, step, n_step, substeps);
                              });
    };
    if constexpr (!CELL<REAL>::substepped) {
      advance(Fixed<1>());
    } else if constexpr (!kSpecialises) {
      advance(plan.substeps);
    } else {
      if (plan.substeps == 1)
        advance(Fixed<1>());
      else if (plan.substeps == 2)
        advance(Fixed<2>());
      else
        advance(plan.substeps);
    }
  });
}
