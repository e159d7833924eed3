// Synapses that share the weights of a kernel, as those of a convolution do: which they are follows from the place of
// their source.
#pragma once

#include "synapses/delivery.h"

// Of n channels, how many have their neuron at a place of a plane before a target: c * plane + place < target.
class ChannelsBefore {
 public:
  DEVICE ChannelsBefore(int64 target, int32 n, int64 plane) {
    if (target >= n * plane)
      whole_ = n;  // without a division, for the one owner of all
    else if (target > 0) {
      whole_ = int32(uint32(target) / uint32(plane));
      rest_ = int32(uint32(target) % uint32(plane));
    }
  }
  DEVICE int32 at(int32 place) const { return whole_ + (place < rest_); }

 private:
  int32 whole_ = 0, rest_ = 0;
};

// Calls use(target, j) for the synapses of a row onto the targets of a segment, j being the place of the weight.
template <class Use>
DEVICE void for_each_shared(const Shared& shared, int32 row, const Segment& segment, Use use) {
  const Axis &ys = shared.y, &xs = shared.x;
  const uint32 line = uint32(row) / uint32(xs.n_source), x = uint32(row) % uint32(xs.n_source);
  const uint32 channel = line / uint32(ys.n_source), y = line % uint32(ys.n_source);
  const int32 first_y = ys.begin[y], first_x = xs.begin[x];
  const int64 plane = int64(ys.n_target) * xs.n_target;
  const int32 n = shared.group_target;
  const int64 group = shared.group_source == 1 ? channel : channel / uint32(shared.group_source);
  const int64 first = group * n * plane;  // target
  const ChannelsBefore from(segment.begin - segment.offset() - first, n, plane);
  const ChannelsBefore to(segment.end - first, n, plane);
  const int64 weights = int64(channel) * shared.per_channel;
  const auto visit = [&](int32 k_y, int32 k_x, int32 begin, int32 end) {
    const int32 i = first_y + k_y, j = first_x + k_x;
    const int32 place = ys.place[i] * xs.n_target + xs.place[j];
    const int64 weight = weights + (int64(ys.tap[i]) * xs.n_tap + xs.tap[j]) * n;
    const int32 least = from.at(place), most = to.at(place);
    if (begin < least) begin = least;
    if (end > most) end = most;
    for (int32 c = begin; c < end; ++c) use(int32(first + c * plane + place), weight + c);
  };
  for_each_in_box(segment, ys.begin[y + 1] - first_y, xs.begin[x + 1] - first_x, n, visit);
}

template <class Watched>
DEVICE_ONCE void add_shared_weights(const Plan& plan, const Table& table, int32 row,
                                    const Segment& segment, Watched watched) {
  with_weights(table, [&](auto weight) {
    for_each_shared(*table.shared, row, segment, [&](int32 target, int64 j) {
      add_input(plan, table, segment, target, table.common_delay, weight(j) * segment.multiplicity,
                watched);
    });
  });
}
