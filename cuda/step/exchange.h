// How processes that share a network tell each other of the spikes of a batch of steps.
//
// No spike of a batch arrives before the batch has ended, so that one exchange for each is enough. It is one
// collective of messages of a fixed length, since a second one, for lengths, would take as long again. A message
// says how many words it needs. Where some process needs more than there are, all see it in what they got, make
// their messages longer, and send again; so no further agreement is needed.
//
//   words  0       that the message needs
//          1       whether a spike record of the process is full, so that all have to stop
//          for each step of the batch:
//                  2 n, + 1 where multiplicities follow
//                  n neurons, by the order in which blocks are advanced, in the network's index space
//                  n multiplicities
//
// What comes from another process becomes a list of spikes like that of an owner of neurons.
#pragma once

#include "core/portable.h"

#include <atomic>
#include <climits>
#include <vector>

class Courier {
 public:
  explicit Courier(const Plan& plan) : plan_(plan), exchange_(plan.exchange) {
    if (!exchange_) return;
    blocks_.resize(plan.n_block);
    for (int32 g = 0; g < plan.n_group; ++g)
      for (int32 b = 0; b < plan.group[g].n_block; ++b)
        blocks_[plan.group[g].block[b].number] = &plan.group[g].block[b];
    resize();
  }

  bool there() const { return exchange_; }
  // What is known after an exchange: some process is not able to go on, or the exchange itself has failed.
  bool stopped() const { return full_ || failed_; }
  bool failed() const { return failed_; }
  // Before it: a record of this process is full.
  void note_full() { own_full_.store(true, std::memory_order_relaxed); }

  void pass_on(int64 first, int32 n_step) {
    pack(first, n_step);
    while (!failed_) {
      if (needed_ > INT_MAX || gather()) {
        failed_ = true;
        return;
      }
      const int64 most = most_needed();
      if (most <= exchange_->words) break;
      exchange_->words = most + most / 2;
      resize();
    }
    ++exchange_->n_exchange;
    exchange_->n_sent += needed_;
    for (int32 rank = 0; rank < exchange_->n_rank; ++rank) {
      full_ |= message_of(rank)[1] != 0;
      if (rank != exchange_->rank) unpack(message_of(rank), list_of_rank(rank), first, n_step);
    }
  }

 private:
  void resize() {
    mine_.resize(std::max<int64>(exchange_->words, int64(mine_.size())));
    all_.resize(exchange_->words * exchange_->n_rank);
  }

  const uint32* message_of(int32 rank) const { return all_.data() + rank * exchange_->words; }

  // After the lists of this process's owners: first those of higher ranks, then those of lower ones.
  int32 list_of_rank(int32 rank) const {
    const int32 n = exchange_->n_rank;
    return plan_.n_owner + (rank - exchange_->rank - 1 + n) % n;
  }

  int64 most_needed() const {
    int64 most = 0;
    for (int32 rank = 0; rank < exchange_->n_rank; ++rank)
      most = std::max<int64>(most, message_of(rank)[0]);
    return most;
  }

  int32 gather() {
    const int64 n = exchange_->words;
    if (n > INT_MAX) return -1;
    if (!exchange_->mpi_all_gather)
      return exchange_->all_gather(exchange_->context, mine_.data(), all_.data(), n);
    return exchange_->mpi_all_gather(mine_.data(), int32(n), exchange_->mpi_type, all_.data(),
                                     int32(n), exchange_->mpi_type, exchange_->mpi_comm);
  }

  void put(uint32 word) {
    if (needed_ == int64(mine_.size())) mine_.resize(2 * mine_.size());
    mine_[needed_++] = word;
  }

  void pack(int64 first, int32 n_step) {
    needed_ = 0;
    put(0);
    put(own_full_.load(std::memory_order_relaxed));
    for (int64 step = first; step < first + n_step; ++step) pack_step(step);
    mine_[0] = uint32(needed_);
  }

  void pack_step(int64 step) {
    int64 n = 0;
    bool several = false;
    for (int32 owner = 0; owner < plan_.n_owner; ++owner) {
      const SpikeList& list = spike_list(plan_, step, owner);
      n += *list.count;
      for (int32 k = 0; k < *list.count; ++k) several |= list.multiplicity[k] != 1;
    }
    put(uint32(2 * n + several));
    if (!n) return;
    for_each(step, [&](const SpikeList& list, int32 k, const Block& block) {
      put(uint32(block.first_neuron + list.neuron[k]));
    });
    if (several)
      for_each(step, [&](const SpikeList& list, int32 k, const Block&) {
        put(uint32(list.multiplicity[k]));
      });
  }

  template <class Body>
  void for_each(int64 step, Body body) const {
    for (int32 b = 0; b < plan_.n_block; ++b)
      for (int32 owner = 0; owner < plan_.n_owner; ++owner) {
        const SpikeList& list = spike_list(plan_, step, owner);
        if (!*list.count) continue;
        for (int32 k = list.block[b]; k < list.block[b + 1]; ++k) body(list, k, *blocks_[b]);
      }
  }

  void unpack(const uint32* message, int32 number, int64 first, int32 n_step) const {
    const uint32* word = message + 2;
    for (int64 step = first; step < first + n_step; ++step) {
      const SpikeList& list = spike_list(plan_, step, number);
      const int32 n = int32(*word / 2);
      const bool several = *word % 2;
      ++word;
      *list.count = n;
      int32 b = -1, begin = 0, end = 0;
      for (int32 k = 0; k < n; ++k) {
        const int32 neuron = int32(word[k]);
        while (neuron < begin || neuron >= end) {
          list.block[++b] = k;
          begin = blocks_[b]->first_neuron;
          end = begin + blocks_[b]->n;
        }
        list.neuron[k] = neuron - begin;
        list.multiplicity[k] = several ? int32(word[n + k]) : 1;
      }
      while (b < plan_.n_block) list.block[++b] = n;
      word += several ? 2 * n : n;
    }
  }

  const Plan& plan_;
  Exchange* const exchange_;
  std::vector<const Block*> blocks_;  // in the order in which they are advanced
  std::vector<uint32> mine_, all_;
  int64 needed_ = 0;
  std::atomic<bool> own_full_{false};
  bool full_ = false, failed_ = false;
};
