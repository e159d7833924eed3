// Leaky integrate-and-fire neurons, driven by events, with pruned synapses in rows.
//
// Commands, taken while `ready` is high:
//   event_valid, event_axon   a spike from outside, in the present time step
//   tick                      begin the next time step
//
// A tick advances each neuron, in order (D truncates towards 0, all sums saturate):
//   current[r] = D(current[r], current_decay[r] + 1) + input[now][r]
//   voltage    = D(voltage, voltage_decay) + sum of current[r] + bias     unless refractory
//   voltage >= threshold: spike, voltage = reset, refractory for that many ticks
// and then delivers the spikes of neurons; `spike_valid` and `spike_neuron` tell them.
// A synapse adds weight << shift to the input of its target `hop` ticks later. With EXPONENT_BITS,
// the bits of a weight are {sign, exponent e, mantissa m}: m if e is 0, else (2^M + m) << (e - 1).
//
// Cycles: 3 + RECEPTORS for a neuron and tick, 2 for a synaptic event, 5 for a spike of a neuron,
// 3 for one from outside. All memories are synchronous, with one port.

module pynn_sparse_core #(
    parameter NEURONS = 2,
    parameter AXONS = 2,
    parameter SYNAPSES = 1,
    parameter FORMATS = 1,
    parameter PROFILES = 1,
    parameter RECEPTORS = 1,
    parameter VOLTAGE_BITS = 24,
    parameter DECAY_BITS = 16,
    parameter INPUT_BITS = 24,     // of an accumulator
    parameter SLOT_BITS = 1,       // of the ring of inputs: 2^SLOT_BITS ticks
    parameter NEURON_BITS = 1,
    parameter AXON_BITS = 2,       // holds AXONS itself, too
    parameter ROW_BITS = 1,        // of a place among the synapses
    parameter HOP_BITS = 1,
    parameter FORMAT_BITS = 1,
    parameter SHIFT_BITS = 1,
    parameter WEIGHT_BITS = 8,
    parameter WEIGHT_SIGNED = 1,
    parameter EXPONENT_BITS = 0,   // of a weight; 0: weights are integers
    parameter PROFILE_BITS = 1,
    parameter INITIAL_BITS = 2,    // of voltages at the beginning
    parameter REFRACTORY_BITS = 1
) (
    input  wire                   clk,
    input  wire                   reset,
    input  wire                   tick,
    input  wire                   event_valid,
    input  wire [  AXON_BITS-1:0] event_axon,
    output wire                   ready,
    output reg                    spike_valid,
    output reg  [NEURON_BITS-1:0] spike_neuron
);
  localparam V = VOLTAGE_BITS;
  localparam SYNAPSE_WIDTH = NEURON_BITS + HOP_BITS + FORMAT_BITS + WEIGHT_BITS;
  localparam FORMAT_WIDTH = SHIFT_BITS + 2;
  localparam REGISTERS = (RECEPTORS + 1) * DECAY_BITS;  // where the decays end
  localparam PROFILE_WIDTH = REGISTERS + 3 * V + REFRACTORY_BITS;
  localparam STATE_WIDTH = (RECEPTORS + 1) * V + REFRACTORY_BITS;
  localparam SUM = (V > INPUT_BITS ? V : INPUT_BITS) + 3;  // holds all sums before saturation
  localparam RING_BITS = NEURON_BITS + SLOT_BITS;

  localparam [3:0] CLEAR = 0, BEGIN_NEURON = 1, BEGIN_STATE = 2, IDLE = 3, FETCH = 4,
                   LOOK_UP = 5, CURRENT = 6, VOLTAGE = 7, NEXT_SPIKE = 8, SPIKE = 9, ROW = 10,
                   ROW_END = 11, ROW_READY = 12, SYNAPSE = 13, ADD = 14;

  reg [3:0] state;
  reg [NEURON_BITS-1:0] neuron;
  reg [SLOT_BITS-1:0] slot;   // while clearing
  reg [SLOT_BITS-1:0] now;
  reg receptor;
  reg [NEURON_BITS:0] spikes;     // of this tick
  reg [NEURON_BITS:0] delivered;  // of them
  reg [AXON_BITS-1:0] axon;
  reg [ROW_BITS-1:0] place;
  reg [ROW_BITS-1:0] row_end;

  assign ready = state == IDLE;

  wire [NEURON_BITS-1:0] spike;  // the next one to deliver
  /* verilator lint_off UNUSED */  // a bit more, so that no width is 0
  wire [AXON_BITS:0] spike_axon = {{(AXON_BITS+1-NEURON_BITS){1'b0}}, spike};
  /* verilator lint_on UNUSED */
  wire last_neuron = {1'b0, neuron} == NEURONS[NEURON_BITS:0] - 1'b1;

  // --- memories ------------------------------------------------------------------------------

  wire [PROFILE_BITS+INITIAL_BITS-1:0] neuron_word;
  wire [PROFILE_BITS-1:0] profile_index = neuron_word[0+:PROFILE_BITS];
  wire [PROFILE_WIDTH-1:0] profile;
  wire [STATE_WIDTH-1:0] now_state;
  wire [ROW_BITS-1:0] row;
  wire [SYNAPSE_WIDTH-1:0] synapse;
  wire [FORMAT_WIDTH-1:0] format;
  reg  [STATE_WIDTH-1:0] next_state;

  wire fetches = state == FETCH || state == BEGIN_NEURON;
  wire writes_state = state == VOLTAGE || state == BEGIN_STATE;

  pynn_sparse_memory #(.WIDTH(PROFILE_BITS + INITIAL_BITS), .DEPTH(NEURONS), .BITS(NEURON_BITS),
                       .FILE("neurons.memh")) neurons (
      .clk(clk), .enable(fetches), .write(1'b0), .address(neuron),
      .data({(PROFILE_BITS+INITIAL_BITS){1'b0}}), .value(neuron_word));

  pynn_sparse_memory #(.WIDTH(PROFILE_WIDTH), .DEPTH(PROFILES), .BITS(PROFILE_BITS),
                       .FILE("profiles.memh")) profiles (
      .clk(clk), .enable(state == LOOK_UP), .write(1'b0),
      .address(profile_index), .data({PROFILE_WIDTH{1'b0}}), .value(profile));

  pynn_sparse_memory #(.WIDTH(STATE_WIDTH), .DEPTH(NEURONS), .BITS(NEURON_BITS)) states (
      .clk(clk), .enable(state == FETCH || writes_state), .write(writes_state), .address(neuron),
      .data(next_state), .value(now_state));

  pynn_sparse_memory #(.WIDTH(NEURON_BITS), .DEPTH(NEURONS), .BITS(NEURON_BITS)) spike_list (
      .clk(clk), .enable(spike_valid || state == NEXT_SPIKE), .write(spike_valid),
      .address(spike_valid ? spikes[NEURON_BITS-1:0] : delivered[NEURON_BITS-1:0]),
      .data(spike_neuron), .value(spike));

  pynn_sparse_memory #(.WIDTH(ROW_BITS), .DEPTH(AXONS + 1), .BITS(AXON_BITS),
                       .FILE("rows.memh")) rows (
      .clk(clk), .enable(state == ROW || state == ROW_END), .write(1'b0),
      .address(state == ROW_END ? axon + 1'b1 : axon),
      .data({ROW_BITS{1'b0}}), .value(row));

  pynn_sparse_memory #(.WIDTH(SYNAPSE_WIDTH), .DEPTH(SYNAPSES), .BITS(ROW_BITS),
                       .FILE("synapses.memh")) synapses (
      .clk(clk), .enable((state == ROW_READY && place != row) || (state == ADD && place != row_end)),
      .write(1'b0), .address(place), .data({SYNAPSE_WIDTH{1'b0}}), .value(synapse));

  pynn_sparse_memory #(.WIDTH(FORMAT_WIDTH), .DEPTH(FORMATS), .BITS(FORMAT_BITS),
                       .FILE("formats.memh")) formats (
      .clk(clk), .enable(state == SYNAPSE), .write(1'b0),
      .address(synapse[NEURON_BITS+HOP_BITS+:FORMAT_BITS]),
      .data({FORMAT_WIDTH{1'b0}}), .value(format));

  // --- the ring of inputs, a bank for each receptor ---------------------------------------------

  wire [NEURON_BITS-1:0] target = synapse[0+:NEURON_BITS];
  /* verilator lint_off UNUSED */
  wire [SLOT_BITS:0] hop = {{(SLOT_BITS+1-HOP_BITS){1'b0}}, synapse[NEURON_BITS+:HOP_BITS]};
  /* verilator lint_on UNUSED */
  wire [SLOT_BITS-1:0] due = now + hop[SLOT_BITS-1:0] + 1'b1;
  wire delivers = state == SYNAPSE || state == ADD;
  wire [RING_BITS-1:0] ring_address = delivers ? {target, due}
                                    : {neuron, state == CLEAR ? slot : now};

  wire [WEIGHT_BITS-1:0] code = synapse[NEURON_BITS+HOP_BITS+FORMAT_BITS+:WEIGHT_BITS];
  wire negative_weight = WEIGHT_SIGNED != 0 && code[WEIGHT_BITS-1];
  wire signed [INPUT_BITS-1:0] weight;
  generate
    if (EXPONENT_BITS == 0) begin : integers
      assign weight = {{(INPUT_BITS-WEIGHT_BITS){negative_weight}}, code};
    end else begin : minifloats
      localparam MANTISSA_BITS = WEIGHT_BITS - EXPONENT_BITS - (WEIGHT_SIGNED != 0 ? 1 : 0);
      wire [EXPONENT_BITS-1:0] exponent = code[MANTISSA_BITS+:EXPONENT_BITS];
      wire normal = exponent != 0;
      wire [INPUT_BITS-1:0] hidden = {{(INPUT_BITS-1){1'b0}}, normal} << MANTISSA_BITS;
      // The bits of the mantissa, of which there may be none.
      wire [INPUT_BITS-1:0] stored =
          {{(INPUT_BITS-WEIGHT_BITS){1'b0}}, code} & ~({INPUT_BITS{1'b1}} << MANTISSA_BITS);
      wire [EXPONENT_BITS-1:0] left = normal ? exponent - 1'b1 : exponent;
      wire [INPUT_BITS-1:0] size = (hidden | stored) << left;
      assign weight = negative_weight ? -size : size;
    end
  endgenerate
  wire signed [INPUT_BITS-1:0] shifted = weight <<< format[0+:SHIFT_BITS];
  wire signed [INPUT_BITS-1:0] charge = format[SHIFT_BITS+1] ? -shifted : shifted;

  wire signed [INPUT_BITS-1:0] inputs [0:RECEPTORS-1];
  genvar bank;
  generate
    for (bank = 0; bank < RECEPTORS; bank = bank + 1) begin : banks
      wire adds = state == ADD && (RECEPTORS == 1 || format[SHIFT_BITS] == (bank != 0));
      wire clears = state == CLEAR || (state == CURRENT && (RECEPTORS == 1 || receptor == (bank != 0)));
      pynn_sparse_memory #(.WIDTH(INPUT_BITS), .DEPTH(NEURONS << SLOT_BITS), .BITS(RING_BITS)) ring (
          .clk(clk), .enable(state == FETCH || state == SYNAPSE || adds || clears),
          .write(adds || clears), .address(ring_address),
          .data(adds ? inputs[bank] + charge : {INPUT_BITS{1'b0}}), .value(inputs[bank]));
    end
  endgenerate

  // --- arithmetic of a neuron --------------------------------------------------------------------

  wire signed [V-1:0] threshold = profile[REGISTERS+:V];
  wire signed [V-1:0] reset_voltage = profile[REGISTERS+V+:V];
  wire signed [V-1:0] bias = profile[REGISTERS+2*V+:V];
  wire [REFRACTORY_BITS-1:0] refractory = profile[REGISTERS+3*V+:REFRACTORY_BITS];
  wire [INITIAL_BITS-1:0] initial_voltage = neuron_word[PROFILE_BITS+:INITIAL_BITS];
  wire [REFRACTORY_BITS-1:0] waiting = now_state[(RECEPTORS+1)*V+:REFRACTORY_BITS];
  wire signed [V-1:0] voltage = now_state[0+:V];

  // One multiplier for all: x * (2^DECAY_BITS - amount) >> DECAY_BITS, of the magnitude.
  wire in_current = state == CURRENT;
  wire signed [V-1:0] x = in_current ? now_state[V+(receptor?V:0)+:V] : voltage;
  wire [DECAY_BITS:0] amount = in_current
      ? {1'b0, profile[(receptor?DECAY_BITS:0)+:DECAY_BITS]} + 1'b1
      : {1'b0, profile[RECEPTORS*DECAY_BITS+:DECAY_BITS]};
  wire [DECAY_BITS:0] factor = {1'b1, {DECAY_BITS{1'b0}}} - amount;
  wire [V-1:0] magnitude = x[V-1] ? -x : x;
  /* verilator lint_off UNUSED */
  wire [V+DECAY_BITS:0] product = magnitude * factor;
  /* verilator lint_on UNUSED */
  wire [V-1:0] kept = product[DECAY_BITS+:V];
  wire signed [SUM-1:0] decayed = x[V-1] ? -{{(SUM-V){1'b0}}, kept} : {{(SUM-V){1'b0}}, kept};

  wire signed [INPUT_BITS-1:0] arrived = inputs[RECEPTORS == 1 ? 0 : receptor];
  reg signed [V-1:0] currents [0:RECEPTORS-1];
  reg signed [SUM-1:0] total;  // of the currents
  wire signed [SUM-1:0] wide = decayed + (in_current
      ? {{(SUM-INPUT_BITS){arrived[INPUT_BITS-1]}}, arrived}
      : total + {{(SUM-V){bias[V-1]}}, bias});
  wire fits = wide[SUM-1:V-1] == {(SUM-V+1){wide[SUM-1]}};
  wire signed [V-1:0] limited = fits ? wide[V-1:0] : {wide[SUM-1], {(V-1){~wide[SUM-1]}}};

  wire free = waiting == 0;
  wire fires = free && limited >= threshold;

  integer r;
  always @* begin
    next_state = {STATE_WIDTH{1'b0}};
    if (state == BEGIN_STATE) begin
      next_state[0+:V] = {V{initial_voltage[INITIAL_BITS-1]}};
      next_state[0+:INITIAL_BITS] = initial_voltage;
    end else begin
      next_state[0+:V] = !free ? voltage : fires ? reset_voltage : limited;
      for (r = 0; r < RECEPTORS; r = r + 1) next_state[(r+1)*V+:V] = currents[r];
      next_state[(RECEPTORS+1)*V+:REFRACTORY_BITS] =
          fires ? refractory : free ? {REFRACTORY_BITS{1'b0}} : waiting - 1'b1;
    end
  end

  // --- control -------------------------------------------------------------------------------

  always @(posedge clk) begin
    spike_valid <= 1'b0;
    if (spike_valid) spikes <= spikes + 1'b1;
    if (reset) begin
      state <= CLEAR;
      neuron <= {NEURON_BITS{1'b0}};
      slot <= {SLOT_BITS{1'b0}};
      now <= {SLOT_BITS{1'b0}};
      spikes <= {(NEURON_BITS+1){1'b0}};
      delivered <= {(NEURON_BITS+1){1'b0}};
    end else
      case (state)
        CLEAR: begin
          slot <= slot + 1'b1;
          if (&slot) begin
            neuron <= last_neuron ? {NEURON_BITS{1'b0}} : neuron + 1'b1;
            if (last_neuron) state <= BEGIN_NEURON;
          end
        end
        BEGIN_NEURON: state <= BEGIN_STATE;
        BEGIN_STATE: begin
          neuron <= last_neuron ? {NEURON_BITS{1'b0}} : neuron + 1'b1;
          state <= last_neuron ? IDLE : BEGIN_NEURON;
        end
        IDLE:
        if (event_valid) begin
          axon  <= event_axon;
          state <= ROW;
        end else if (tick) begin
          now <= now + 1'b1;
          spikes <= {(NEURON_BITS+1){1'b0}};
          delivered <= {(NEURON_BITS+1){1'b0}};
          state <= FETCH;
        end
        FETCH: state <= LOOK_UP;
        LOOK_UP: begin
          receptor <= 1'b0;
          total <= {SUM{1'b0}};
          state <= CURRENT;
        end
        CURRENT: begin
          currents[RECEPTORS==1?0:receptor] <= limited;
          total <= total + {{(SUM-V){limited[V-1]}}, limited};
          receptor <= 1'b1;
          if (RECEPTORS == 1 || receptor) state <= VOLTAGE;
        end
        VOLTAGE: begin
          spike_valid <= fires;
          spike_neuron <= neuron;
          neuron <= last_neuron ? {NEURON_BITS{1'b0}} : neuron + 1'b1;
          state <= last_neuron ? NEXT_SPIKE : FETCH;
        end
        NEXT_SPIKE:  // the last spike may still be on its way into the list
        if (!spike_valid) begin
          if (delivered != spikes) delivered <= delivered + 1'b1;
          state <= delivered == spikes ? IDLE : SPIKE;
        end
        SPIKE: begin
          axon  <= spike_axon[AXON_BITS-1:0];
          state <= ROW;
        end
        ROW: state <= ROW_END;
        ROW_END: begin
          place <= row;
          state <= ROW_READY;
        end
        ROW_READY: begin
          row_end <= row;
          place   <= place + 1'b1;
          state   <= place == row ? NEXT_SPIKE : SYNAPSE;
        end
        SYNAPSE: state <= ADD;
        default: begin  // ADD
          place <= place + 1'b1;
          state <= place == row_end ? NEXT_SPIKE : SYNAPSE;
        end
      endcase
  end
endmodule
