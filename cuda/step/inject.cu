// Sums, for each neuron with current sources, their currents at step * dt; leaves them, where those of the last step
// go on.
// Grid: threads along the neurons with current sources.
#include "step/scalars.h"

KERNEL(inject, 0) {
  const double* now = nullptr;  // without sources, gap junctions alone bring a current
  if (plan.n_waveform) {
    const int32* row = plan.waveform_row + (step - plan.waveform_first);
    if (step > plan.waveform_first && row[0] == row[-1] && !plan.n_junction) return;
    now = plan.waveform + row[0] * plan.n_waveform;
  }
  for (int32 p = 0; p < plan.n_injection; ++p) {
    const Injection& injection = plan.injection[p];
    for_each_item(team, injection.n, injection.owner_start, [&](int32 i) {
      double sum = 0;
      for (int32 j = injection.row_start[i]; j < injection.row_start[i + 1]; ++j)
        sum += now[injection.source[j]];
      const int32 neuron = injection.index[i];
      const double before = read_scalar(injection.current, injection.single, neuron);
      write_scalar(injection.current, injection.single, neuron, sum);
      if (read_scalar(injection.current, injection.single, neuron) != before)
        wake(injection.awake, neuron);
    });
  }
}
