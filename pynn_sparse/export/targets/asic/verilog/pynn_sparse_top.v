// The core with the parameters of one network. PRELOADED = 0 leaves its tables empty, to be
// written through the port `load`, as in silicon.

module pynn_sparse_top (
    clk,
    reset,
    load,
    load_valid,
    load_ready,
    load_table,
    load_address,
    load_data,
    tick,
    event_valid,
    event_axon,
    ready,
    refused,
    spike_valid,
    spike_neuron,
    spike_ready
);
  parameter PRELOADED = 1;
`include "parameters.vh"

  input wire clk, reset, load, load_valid, tick, event_valid, spike_ready;
  input wire [2:0] load_table;
  input wire [ADDRESS_BITS-1:0] load_address;
  input wire [LOAD_BITS-1:0] load_data;
  input wire [AXON_BITS-1:0] event_axon;
  output wire load_ready, ready, refused, spike_valid;
  output wire [NEURON_BITS-1:0] spike_neuron;

  pynn_sparse_core #(
      .NEURONS(NEURONS), .AXONS(AXONS), .SYNAPSES(SYNAPSES), .FORMATS(FORMATS),
      .PROFILES(PROFILES), .RECEPTORS(RECEPTORS), .VOLTAGE_BITS(VOLTAGE_BITS),
      .DECAY_BITS(DECAY_BITS), .INPUT_BITS(INPUT_BITS), .SLOT_BITS(SLOT_BITS),
      .NEURON_BITS(NEURON_BITS), .AXON_BITS(AXON_BITS), .ROW_BITS(ROW_BITS), .HOP_BITS(HOP_BITS),
      .FORMAT_BITS(FORMAT_BITS), .SHIFT_BITS(SHIFT_BITS), .WEIGHT_BITS(WEIGHT_BITS),
      .WEIGHT_SIGNED(WEIGHT_SIGNED), .EXPONENT_BITS(EXPONENT_BITS), .PROFILE_BITS(PROFILE_BITS),
      .INITIAL_BITS(INITIAL_BITS), .REFRACTORY_BITS(REFRACTORY_BITS), .LOAD_BITS(LOAD_BITS),
      .ROWS(AXONS + 1), .ADDRESS_BITS(ADDRESS_BITS), .PRELOADED(PRELOADED)
  ) core (
      .clk(clk), .reset(reset), .load(load), .load_valid(load_valid), .load_ready(load_ready),
      .load_table(load_table), .load_address(load_address), .load_data(load_data), .tick(tick), .event_valid(event_valid),
      .event_axon(event_axon), .ready(ready), .refused(refused), .spike_valid(spike_valid),
      .spike_neuron(spike_neuron), .spike_ready(spike_ready)
  );
endmodule
