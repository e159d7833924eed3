// Adds, for each neuron with gap junctions, the currents through them, from the potentials at step * dt:
//
//   current += sum of conductance (v of the other neuron - v)
//
// Grid: threads along the neurons with gap junctions.
#include "step/scalars.h"

DEVICE double potential_of(const Potential& potential, int32 i) {
  return read_scalar(potential.v, potential.single, i);
}

KERNEL(couple, 0) {
  for (int32 p = 0; p < plan.n_junction; ++p) {
    const Junction& junction = plan.junction[p];
    const int32 single = junction.potential->single;
    for_each_item(team, junction.n, junction.owner_start, [&](int32 i) {
      const int32 neuron = junction.index[i];
      const double v = potential_of(*junction.potential, neuron);
      double sum = read_scalar(junction.current, single, neuron);
      for (int32 j = junction.row_start[i]; j < junction.row_start[i + 1]; ++j) {
        const double other = potential_of(junction.potential[junction.from[j]], junction.other[j]);
        sum += junction.conductance[j] * (other - v);
      }
      wake(junction.awake, neuron);
      write_scalar(junction.current, single, neuron, sum);
    });
  }
}
