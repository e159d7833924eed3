// Adds, for each neuron with gap junctions, the currents through them, from the potentials at step * dt:
//
//   current += sum of conductance (v of the other neuron - v)
//
// Grid: threads along the neurons with gap junctions.
#include "scalars.h"

KERNEL(couple, 0) {
  for (int32 p = 0; p < plan.n_junction; ++p) {
    const Junction& junction = plan.junction[p];
    for_each_item(team, junction.n, junction.owner_start, [&](int32 i) {
      const int32 neuron = junction.index[i];
      const double v = read_scalar(junction.own_v, junction.single, neuron);
      double sum = read_scalar(junction.current, junction.single, neuron);
      for (int32 j = junction.row_start[i]; j < junction.row_start[i + 1]; ++j) {
        const double other =
            read_scalar(junction.other_v, junction.other_single, junction.other[j]);
        sum += junction.conductance[j] * (other - v);
      }
      write_scalar(junction.current, junction.single, neuron, sum);
    });
  }
}
