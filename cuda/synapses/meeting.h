// When the spikes of both sides come to a synapse.
#pragma once

#include "synapses/synapse.h"

// When spikes meet at a synapse, in stamps of the target's spikes.
struct Meeting {
  int64 now;        // such a spike would come together with the source's present spike
  int64 last;       // with the source's last one
  int64 since;      // later ones count for potentiation
  int64 dendritic;  // steps from the target to the synapse
  bool late;        // a spike together with the source's is not known yet
  bool first;       // the source has had no spike before

  DEVICE Meeting(const Rule& rule, const Before& before, int64 stamp, int32 delay) {
    dendritic = int64(floor(rule.dendritic * delay + 0.5));
    const int64 shift = delay - 2 * dendritic;
    now = stamp + shift;
    last = before.stamp + shift;
    late = dendritic == 0;
    first = before.none();
    const int64 set = rule.since - dendritic;
    since = first || last - late < set ? set : last - late;
  }
};

// Whether spike number end - 1 and perhaps some before count for potentiation.
DEVICE bool any(const Past& past, int32 end, const Meeting& meeting) {
  return end > past.oldest && past.stamp(end - 1) > meeting.since;
}
