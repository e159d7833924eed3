// OpenMP's functions, for compilers with OpenMP and without it, where all work is done by one thread: the
// directives are ignored then, and results do not depend on the number of threads.
#pragma once

#if defined(_OPENMP)
#include <omp.h>
constexpr bool kOpenMP = true;
#else
constexpr bool kOpenMP = false;
enum omp_pause_resource_t { omp_pause_soft = 1, omp_pause_hard = 2 };
inline void omp_set_dynamic(int) {}
inline int omp_get_num_threads() { return 1; }
inline int omp_get_thread_num() { return 0; }
inline int omp_pause_resource_all(omp_pause_resource_t) { return 0; }
#endif
