// Sums of real numbers times weights, for samples that are no spikes: what arrives at each neuron of a layer.
#include "build/sharing.h"
#include "core/openmp.h"
#include "core/portable.h"

// Adds to sum[n_sample][n_target] each sample of value[n_sample][n_source] times weights, in rows by source with
// ascending targets. Each sum is of terms in the order of sources, whatever the samples beside it and the threads; those
// of values that are 0 are left out. A row without gaps, as a full matrix has them, is one loop that vectorises.
EXPORT void add_products(const double* value, int64 n_sample, int64 n_source, const int64* begin,
                         const int32* target, const double* weight, int64 n_target, double* sum,
                         int32 n_thread) {
  const auto of_sample = [&](const double* mine, double* to) {
    for (int64 i = 0; i < n_source; ++i) {
      const double x = mine[i];
      const int64 first = begin[i], n = begin[i + 1] - first;
      if (x == 0 || n == 0) continue;
      if (target[first + n - 1] - target[first] == n - 1) {
        double* const from_here = to + target[first];
        for (int64 k = 0; k < n; ++k) from_here[k] += x * weight[first + k];
      } else {
        for (int64 k = first; k < first + n; ++k) to[target[k]] += x * weight[k];
      }
    }
  };
#pragma omp parallel for num_threads(sharing(n_thread, n_sample* n_source)) schedule(dynamic, 16)
  for (int64 s = 0; s < n_sample; ++s) of_sample(value + s * n_source, sum + s * n_target);
}
