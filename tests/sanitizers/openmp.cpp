// OpenMP by std::thread: what GCC calls of its runtime library for the directives that the kernels use.
//
// ThreadSanitizer does not see how GCC's own library makes threads meet, and reports races where there are
// none. This file is compiled with the kernels, so that it sees all of it. What threads do between those
// calls, the product's own barriers and atomics, is untouched.
#include <omp.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace openmp {

namespace {

struct Loop {  // that threads share a chunk at a time
  long next, end, chunk;
};

struct Team {
  explicit Team(unsigned n) : n(n) {}
  const unsigned n;
  std::mutex mutex;
  std::condition_variable met;
  unsigned waiting = 0, meetings = 0;
  std::deque<Loop> loops;  // in the order of the program; a deque does not move them

  void meet() {
    std::unique_lock lock(mutex);
    const unsigned meeting = meetings;
    if (++waiting == n) {
      waiting = 0;
      ++meetings;
      met.notify_all();
    } else {
      met.wait(lock, [&] { return meetings != meeting; });
    }
  }
};

struct Member {
  Team* team = nullptr;
  unsigned number = 0;
  size_t loops = 0;  // that this thread has begun
};

thread_local Member self;
std::mutex critical;

}  // namespace

}  // namespace openmp

using openmp::self;

extern "C" {

int omp_get_thread_num() noexcept { return self.number; }
int omp_get_num_threads() noexcept { return self.team ? self.team->n : 1; }
void omp_set_dynamic(int) noexcept {}
int omp_pause_resource_all(omp_pause_resource_t) noexcept { return 0; }

void GOMP_barrier() {
  if (self.team) self.team->meet();
}
void GOMP_critical_start() { openmp::critical.lock(); }
void GOMP_critical_end() { openmp::critical.unlock(); }

void GOMP_parallel(void (*body)(void*), void* data, unsigned n, unsigned) {
  openmp::Team team(n ? n : std::thread::hardware_concurrency());
  const auto work = [&](unsigned number) {
    const openmp::Member before = self;
    self = {&team, number, 0};
    body(data);
    self = before;
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < team.n; ++i) others.emplace_back(work, i);
  work(0);
  for (auto& other : others) other.join();
}

bool GOMP_loop_nonmonotonic_dynamic_next(long* first, long* end) {
  std::lock_guard lock(self.team->mutex);
  openmp::Loop& loop = self.team->loops[self.loops - 1];
  if (loop.next >= loop.end) return false;
  *first = loop.next;
  *end = loop.next = std::min(loop.next + loop.chunk, loop.end);
  return true;
}

// For steps of 1, as all loops of the kernels have.
bool GOMP_loop_nonmonotonic_dynamic_start(long begin, long last, long, long chunk, long* first,
                                          long* end) {
  {
    std::lock_guard lock(self.team->mutex);
    if (self.team->loops.size() == self.loops++) self.team->loops.push_back({begin, last, chunk});
  }
  return GOMP_loop_nonmonotonic_dynamic_next(first, end);
}

void GOMP_loop_end_nowait() {}
void GOMP_loop_end() { GOMP_barrier(); }
}
