// The core with the parameters of one network.

module pynn_sparse_top (
    clk,
    reset,
    tick,
    event_valid,
    event_axon,
    ready,
    spike_valid,
    spike_neuron
);
`include "parameters.vh"

  input wire clk, reset, tick, event_valid;
  input wire [AXON_BITS-1:0] event_axon;
  output wire ready, spike_valid;
  output wire [NEURON_BITS-1:0] spike_neuron;

  pynn_sparse_core #(
      .NEURONS(NEURONS), .AXONS(AXONS), .SYNAPSES(SYNAPSES), .FORMATS(FORMATS),
      .PROFILES(PROFILES), .RECEPTORS(RECEPTORS), .VOLTAGE_BITS(VOLTAGE_BITS),
      .DECAY_BITS(DECAY_BITS), .INPUT_BITS(INPUT_BITS), .SLOT_BITS(SLOT_BITS),
      .NEURON_BITS(NEURON_BITS), .AXON_BITS(AXON_BITS), .ROW_BITS(ROW_BITS), .HOP_BITS(HOP_BITS),
      .FORMAT_BITS(FORMAT_BITS), .SHIFT_BITS(SHIFT_BITS), .WEIGHT_BITS(WEIGHT_BITS),
      .WEIGHT_SIGNED(WEIGHT_SIGNED), .EXPONENT_BITS(EXPONENT_BITS), .PROFILE_BITS(PROFILE_BITS),
      .INITIAL_BITS(INITIAL_BITS), .REFRACTORY_BITS(REFRACTORY_BITS)
  ) core (
      .clk(clk), .reset(reset), .tick(tick), .event_valid(event_valid), .event_axon(event_axon),
      .ready(ready), .spike_valid(spike_valid), .spike_neuron(spike_neuron)
  );
endmodule
