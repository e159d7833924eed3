  /* verilator lint_off UNUSED */
  localparam NEURONS = 100;
  localparam AXONS = 150;
  localparam SYNAPSES = 1360;
  localparam FORMATS = 1;
  localparam PROFILES = 1;
  localparam RECEPTORS = 1;
  localparam VOLTAGE_BITS = 24;
  localparam DECAY_BITS = 16;
  localparam INPUT_BITS = 23;
  localparam SLOT_BITS = 2;
  localparam NEURON_BITS = 7;
  localparam AXON_BITS = 8;
  localparam ROW_BITS = 11;
  localparam HOP_BITS = 2;
  localparam FORMAT_BITS = 1;
  localparam SHIFT_BITS = 4;
  localparam WEIGHT_BITS = 5;
  localparam WEIGHT_SIGNED = 1;
  localparam EXPONENT_BITS = 0;
  localparam PROFILE_BITS = 1;
  localparam INITIAL_BITS = 2;
  localparam REFRACTORY_BITS = 3;
  /* verilator lint_on UNUSED */
