// What a neuron model in cells/ has to offer, and how its fields are read from arrays.
//
// A model is a template over the floating-point type with
//   scalar        the type of its state and parameters
//   n_receptor    number of synaptic input channels
//   substepped    whether `step` integrates in now.substeps parts, for want of an exact solution
//   State, Params structures of `scalar` fields only; names and order as in the model's Python entry
//   step          advances one neuron by a step and returns how many spikes it emitted. It may be a template
//                 step<careful>: the usual is then done by step<false>, without branches, so that the loop over
//                 neurons vectorises; where that does not do it returns kNeedsCare, whatever state it
//                 leaves, and step<true> advances that neuron from the state before. Of a model whose step takes
//                 a Setting, and so depends on nothing but parameters, state, input and current, neurons may rest,
//                 see resting.h; one whose step takes a Now is asked in each step
// and may offer
//   count         how many spikes really, given now.bits, where `step` only says whether there are any;
//                 with it, now.bits are 32 random bits, made for many neurons at once
//   sent          what an event carries, given the state after a step that emitted it: events are graded, and a
//                 step emits one at most. `unit` is the resolution of that value, `limit` its greatest size
//   fade          calls floor(x, r) for each state variable x that decays to 0 after input at receptor r, and
//                 floor(v) for a potential, which may rest at 0
#pragma once

#include "core/functions.h"

// What a model may ask that is the same in all steps.
struct Setting {
  int32 substeps;
};

// What a model may ask about the neuron and the time.
struct Now : Setting {
  int64 step;
  uint64 seed;
  int32 stream;         // what the random numbers of the population are counted from
  int32 index;          // of the neuron in its population
  const int64* events;  // of a spike source: its time stamps, n_event of them
  int64 n_event;
  uint32 bits;
};

// Whether a model offers `count`.
template <class Cell, class = void>
struct OffersCount {
  static constexpr bool value = false;
};
template <class Cell>
struct OffersCount<Cell, decltype(void(&Cell::count))> {
  static constexpr bool value = true;
};

// Whether a model's events carry a value.
template <class Cell, class = void>
struct IsGraded {
  static constexpr bool value = false;
};
template <class Cell>
struct IsGraded<Cell, decltype(void(&Cell::sent))> {
  static constexpr bool value = true;
};

constexpr int32 kNeedsCare = -1;

DEVICE int32 spikes_unless(bool needs_care, int32 spikes) { return spikes | -int32(needs_care); }

// Whether a model's step is a template step<careful>.
template <class Cell, class = void>
struct OffersCare {
  static constexpr bool value = false;
};
template <class Cell>
struct OffersCare<Cell, decltype(void(&Cell::template step<true>))> {
  static constexpr bool value = true;
};

// Whether a model's step takes a Setting.
template <class T>
T& some();  // for the types of expressions
template <class Cell, bool care, class = void>
struct TakesSetting {
  static constexpr bool value = false;
};
#define ARGUMENTS                                                                           \
  some<const Setting>(), some<const typename Cell::Params>(), some<typename Cell::State>(), \
      &some<const typename Cell::scalar>(), typename Cell::scalar()
template <class Cell>
struct TakesSetting<Cell, false, decltype(void(Cell::step(ARGUMENTS)))> {
  static constexpr bool value = true;
};
template <class Cell>
struct TakesSetting<Cell, true, decltype(void(Cell::template step<false>(ARGUMENTS)))> {
  static constexpr bool value = true;
};
#undef ARGUMENTS

// Whether a model fires at given times alone: it has a `scheduled`.
template <class Cell, class = void>
struct IsScheduled {
  static constexpr bool value = false;
};
template <class Cell>
struct IsScheduled<Cell, decltype(void(Cell::scheduled))> {
  static constexpr bool value = true;
};

// Whether a model offers `fade`.
struct NoFloor {
  template <class real>
  DEVICE void operator()(real&, int32 = 0) const {}
};
template <class Cell, class = void>
struct Fades {
  static constexpr bool value = false;
};
template <class Cell>
struct Fades<Cell, decltype(Cell::fade(some<typename Cell::State>(), NoFloor()))> {
  static constexpr bool value = true;
};

// What the next event of a graded model carries. A value that cannot be sent stays, so that the user can be told.
DEVICE double next_sent(double last, double value, double limit) {
  return absolute(last) <= limit ? value : last;
}

template <int... k>
struct Fields {};
template <int n, int... k>
struct MakeFields : MakeFields<n - 1, n - 1, k...> {};
template <int... k>
struct MakeFields<0, k...> {
  using type = Fields<k...>;
};

template <class Record, class scalar>
using FieldsOf = typename MakeFields<int(sizeof(Record) / sizeof(scalar))>::type;

// Field k of the record is element k * stride + i.
template <class Record, class scalar, int... k>
DEVICE Record read_fields(const scalar* x, int64 stride, int64 i, Fields<k...>) {
  return Record{x[k * stride + i]...};
}

template <class Record, class scalar, int... k>
DEVICE void write_fields(scalar* x, int64 stride, int64 i, const Record& record,
                         const Record& before, bool stays, Fields<k...>) {
  const scalar* field = reinterpret_cast<const scalar*>(&record);
  const scalar* old = reinterpret_cast<const scalar*>(&before);
  ((x[k * stride + i] = chosen(stays, old[k], field[k])), ...);
}
