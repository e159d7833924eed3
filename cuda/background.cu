// Draws the spikes of Poisson sources that feed one neuron each and that arrive at (step + 1) * dt, and
// adds them to the targets' accumulators. Grid: threads along the largest background, y over all.
#include "poisson.h"

KERNEL(background, 0) {
  int64* const slot = plan.ring + (step + 1) % plan.n_slot * plan.n_port;
  for_each_block(plan.n_background, [&](int32 b) {
    const Background& drive = plan.background[b];
    const int64 drawn = step - drive.delay;  // step in which the sources emitted what arrives
    if (drawn < drive.first_step || drawn >= drive.last_step) return;
    int64* const input = slot + drive.first_port;
    const auto arrive = [&](int32 i, int32 count) {
      const int64 weight = drive.weight ? drive.weight[i] : drive.common_weight;
      add(input + i, count * weight);  // a GPU serves several backgrounds at the same time
    };
    if (drive.threshold)
      for_each_poisson(team, drive, drawn, arrive);
    else
      for_each_owned(team, drive.n, drive.owner_start, [&](int32 i) {
        const double* p = drive.param + i;
        const int64 n = drive.n;
        if (double(drawn) < p[0] || double(drawn) >= p[n]) return;
        const uint32 bits = poisson_bits(drive.seed, drive.stream, i, drawn);
        arrive(i, poisson_count(bits, p[2 * n], p[3 * n], p[4 * n]));
      });
  });
}
