// How synapses are read, whatever the types that they are stored in, and where their input goes.
#pragma once

#include "core/functions.h"
#include "synapses/packed.h"

template <class Item>
struct Each {
  const Item* item;
  DEVICE int32 operator()(int64 j) const { return int32(item[j]); }
};

template <class Item>
struct Common {
  Item item;
  DEVICE Item operator()(int64) const { return item; }
};

template <class Real>
struct Counts {
  const Real* weight;
  double scale;
  DEVICE int64 operator()(int64 j) const { return round_to_integer(double(weight[j]) * scale); }
};

// A function of a synapse's number that looks each time how the table is stored.
template <class Item, Item (*read)(const Table&, int64)>
struct Read {
  const Table& table;
  DEVICE Item operator()(int64 j) const { return read(table, j); }
};

DEVICE int32 read_target(const Table& table, int64 j) {
  return table.wide_target ? Each<uint32>{static_cast<const uint32*>(table.target)}(j)
                           : Each<uint16>{static_cast<const uint16*>(table.target)}(j);
}

DEVICE int32 read_delay(const Table& table, int64 j) {
  if (!table.delay) return table.common_delay;
  return table.wide_delay ? Each<uint16>{static_cast<const uint16*>(table.delay)}(j)
                          : Each<uint8>{static_cast<const uint8*>(table.delay)}(j);
}

DEVICE int64 read_counts(const Table& table, int64 j) {
  if (!table.weight) return table.common_weight;
  return table.single ? Counts<float>{static_cast<const float*>(table.weight), table.scale}(j)
                      : Counts<double>{static_cast<const double*>(table.weight), table.scale}(j);
}

template <class Use>
DEVICE void with_targets(const Table& table, Use use) {
  if constexpr (!kSpecialises)
    use(Read<int32, read_target>{table});
  else if (table.wide_target)
    use(Each<uint32>{static_cast<const uint32*>(table.target)});
  else
    use(Each<uint16>{static_cast<const uint16*>(table.target)});
}

template <class Use>
DEVICE void with_delays(const Table& table, Use use) {
  if constexpr (!kSpecialises)
    use(Read<int32, read_delay>{table});
  else if (!table.delay)
    use(Common<int32>{table.common_delay});
  else if (table.wide_delay)
    use(Each<uint16>{static_cast<const uint16*>(table.delay)});
  else
    use(Each<uint8>{static_cast<const uint8*>(table.delay)});
}

template <class Use>
DEVICE void with_weights(const Table& table, Use use) {
  if constexpr (!kSpecialises)
    use(Read<int64, read_counts>{table});
  else if (!table.weight)
    use(Common<int64>{table.common_weight});
  else if (table.single)
    use(Counts<float>{static_cast<const float*>(table.weight), table.scale});
  else
    use(Counts<double>{static_cast<const double*>(table.weight), table.scale});
}

// Calls use(target, delay, weight) with functions of a synapse's number.
template <class Use>
DEVICE void with_arrays(const Table& table, Use use) {
  with_targets(table, [&](auto target) {
    with_delays(table, [&](auto delay) {
      with_weights(table, [&](auto weight) { use(target, delay, weight); });
    });
  });
}

// A function of a delay, `make`, called once where all synapses have the same.
template <class Delay, class Make>
DEVICE auto for_delays(Delay, Make make) {
  return make;
}
template <class Make>
DEVICE auto for_delays(Common<int32> delay, Make make) {
  return [made = make(delay.item)](int32) { return made; };
}

// Adds to what arrives at a target, and notes that where targets are `watched`: a Flag, or Known at run time.
template <class Watched>
DEVICE void add_input(const Plan& plan, const Table& table, const Segment& segment, int32 target,
                      int32 delay, int64 counts, Watched watched) {
  int32 slot = segment.first_slot + delay;
  if (slot >= plan.n_slot) slot -= plan.n_slot;
  const int64 port = table.first_port + uint32(target);
  add(plan.ring + slot * plan.n_port + port, counts);
  if (watched.value) note_input(plan, port);
}

struct Known {
  bool value;
};

// Calls use(watched) with what is known of an owner made known to the compiler.
template <class Use>
DEVICE void with_watching(const Plan& plan, Team team, Use use) {
  watches(plan, team) ? use(Flag<true>()) : use(Flag<false>());
}

template <class Watched>
DEVICE void add_weights(const Plan& plan, const Table& table, const Segment* segments, int32 n,
                        Watched watched) {
  if constexpr (kSpecialises)
    if (table.port_bits) return add_packed(plan, table, segments, n, watched);
  with_arrays(table, [&](auto target, auto delay, auto weight) {
    for (int32 s = 0; s < n; ++s) {
      const Segment segment = segments[s];
      for (int64 j = segment.begin; j < segment.end; j += segment.stride)
        add_input(plan, table, segment, target(j), delay(j), weight(j) * segment.multiplicity,
                  watched);
    }
  });
}
