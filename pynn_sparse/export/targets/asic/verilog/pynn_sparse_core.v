// Leaky integrate-and-fire neurons, driven by events, with pruned synapses in rows.
//
// Commands, each taken at an edge at which `ready` is high, and to be held until then:
//   event_valid, event_axon   a spike from outside, in the present time step
//   tick                      begin the next time step
// Both at one edge are both taken, the event first: it belongs to the time step that ends.
// An event of an axon that does not exist changes nothing, and raises `refused` for a cycle.
//
// A tick advances each neuron, in order (D truncates towards 0, all sums saturate):
//   current[r] = D(current[r], current_decay[r] + 1) + input[now][r]
//   voltage    = D(voltage, voltage_decay) + sum of current[r] + bias     unless refractory
//   voltage >= threshold: spike, voltage = reset, refractory for that many ticks
// and then delivers the spikes of neurons. Each waits at `spike_valid`, `spike_neuron` until
// `spike_ready`; the core is not ready again before all are taken.
// A synapse adds weight << shift to the input of its target `hop` ticks later. With EXPONENT_BITS,
// the bits of a weight are {sign, exponent e, mantissa m}: m if e is 0, else (2^M + m) << (e - 1).
//
// With `load`, the core ends its time step and then does nothing but write a word into one of its
// tables at each edge at which `load_valid` and `load_ready` are high: 0 rows, 1 synapses,
// 2 formats, 3 neurons, 4 profiles. Words beyond the table, and other tables, raise `refused`. When
// `load` falls, the network begins anew, as after `reset`. With PRELOADED the tables come from files
// when a simulation or an FPGA begins.
//
// Cycles: 3 + RECEPTORS for a neuron and tick, 2 for a synaptic event, 5 for a spike of a neuron,
// 3 for one from outside. All memories are synchronous, with one port. In a neuron's cycles a
// product, a sum and a comparison follow each other; the next neuron is fetched meanwhile.

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
    parameter REFRACTORY_BITS = 1,
    parameter LOAD_BITS = 96,      // of the widest word of a table
    parameter ROWS = 3,            // one more than axons
    parameter ADDRESS_BITS = 3,    // of a word of the longest table, and of one beyond
    parameter PRELOADED = 1
) (
    input  wire                    clk,
    input  wire                    reset,
    input  wire                    load,
    input  wire                    load_valid,
    output wire                    load_ready,
    input  wire [             2:0] load_table,
    input  wire [ADDRESS_BITS-1:0] load_address,
    input  wire [   LOAD_BITS-1:0] load_data,
    input  wire                    tick,
    input  wire                    event_valid,
    input  wire [   AXON_BITS-1:0] event_axon,
    output wire                    ready,
    output reg                     refused,
    output reg                     spike_valid,
    output reg  [ NEURON_BITS-1:0] spike_neuron,
    input  wire                    spike_ready
);
  localparam V = VOLTAGE_BITS;
  localparam SYNAPSE_WIDTH = NEURON_BITS + HOP_BITS + FORMAT_BITS + WEIGHT_BITS;
  localparam FORMAT_WIDTH = SHIFT_BITS + 2;
  localparam NEURON_WIDTH = PROFILE_BITS + INITIAL_BITS;
  localparam REGISTERS = (RECEPTORS + 1) * DECAY_BITS;  // where the decays end
  localparam PROFILE_WIDTH = REGISTERS + 3 * V + REFRACTORY_BITS;
  localparam STATE_WIDTH = (RECEPTORS + 1) * V + REFRACTORY_BITS;
  localparam SUM = (V > INPUT_BITS ? V : INPUT_BITS) + 3;  // holds all sums before saturation
  localparam RING_BITS = NEURON_BITS + SLOT_BITS;

  localparam [4:0] CLEAR = 0, BEGIN_NEURON = 1, BEGIN_STATE = 2, IDLE = 3, FETCH = 4, LOOK_UP = 5,
                   DECAY_0 = 6, DECAY_1 = 7, DECAY_V = 8, SUM_UP = 9, FIRE = 10, NEXT_SPIKE = 11,
                   SPIKE = 12, ROW = 13, ROW_END = 14, ROW_READY = 15, SYNAPSE = 16, ADD = 17,
                   LOAD = 18;

  reg [4:0] state;
  reg tick_waits;                // one that came together with an event
  reg [NEURON_BITS-1:0] neuron;  // that is fetched
  reg [NEURON_BITS-1:0] served;  // that is advanced
  reg [SLOT_BITS-1:0] slot;      // while clearing
  reg [SLOT_BITS-1:0] now;
  reg [NEURON_BITS:0] spikes;     // of this tick
  reg [NEURON_BITS:0] delivered;  // of them
  reg [AXON_BITS-1:0] axon;
  reg [ROW_BITS-1:0] place;
  reg [ROW_BITS-1:0] row_end;

  assign load_ready = state == LOAD;
  assign ready = state == IDLE && !load && !tick_waits && !spike_valid;

  wire [NEURON_BITS-1:0] spike;  // the next one to deliver
  /* verilator lint_off UNUSED */  // a bit more, so that no width is 0
  wire [AXON_BITS:0] spike_axon = {{(AXON_BITS+1-NEURON_BITS){1'b0}}, spike};
  /* verilator lint_on UNUSED */
  wire last_neuron = {1'b0, neuron} == NEURONS[NEURON_BITS:0] - 1'b1;
  wire last_served = {1'b0, served} == NEURONS[NEURON_BITS:0] - 1'b1;
  wire blocked = spike_valid && !spike_ready;  // where the next spike would be shown

  // --- memories ------------------------------------------------------------------------------

  wire [NEURON_WIDTH-1:0] neuron_word;
  wire [PROFILE_BITS-1:0] profile_index = neuron_word[0+:PROFILE_BITS];
  wire [PROFILE_WIDTH-1:0] profile;
  wire [STATE_WIDTH-1:0] now_state;
  wire [ROW_BITS-1:0] row;
  wire [SYNAPSE_WIDTH-1:0] synapse;
  wire [FORMAT_WIDTH-1:0] format;
  reg  [STATE_WIDTH-1:0] next_state;

  wire fetches = state == FETCH || (state == SUM_UP && !last_served);
  wire looks_up = state == LOOK_UP || (state == FIRE && !blocked && !last_served);
  wire writes_state = (state == FIRE && !blocked) || state == BEGIN_STATE;

  // The table that is written, if any, and whether the word is one of it.
  reg [4:0] writes;
  always @* begin
    writes = 5'd0;
    if (state == LOAD && load_valid)
      case (load_table)
        3'd0: writes[0] = load_address < ROWS[ADDRESS_BITS-1:0];
        3'd1: writes[1] = load_address < SYNAPSES[ADDRESS_BITS-1:0];
        3'd2: writes[2] = load_address < FORMATS[ADDRESS_BITS-1:0];
        3'd3: writes[3] = load_address < NEURONS[ADDRESS_BITS-1:0];
        3'd4: writes[4] = load_address < PROFILES[ADDRESS_BITS-1:0];
        default: ;
      endcase
  end

  pynn_sparse_memory #(.WIDTH(ROW_BITS), .DEPTH(ROWS), .BITS(AXON_BITS),
                       .FILE(PRELOADED != 0 ? "rows.memh" : "")) rows (
      .clk(clk), .enable(state == ROW || state == ROW_END || writes[0]), .write(writes[0]),
      .address(writes[0] ? load_address[AXON_BITS-1:0] : state == ROW_END ? axon + 1'b1 : axon),
      .data(load_data[0+:ROW_BITS]), .value(row));

  pynn_sparse_memory #(.WIDTH(SYNAPSE_WIDTH), .DEPTH(SYNAPSES), .BITS(ROW_BITS),
                       .FILE(PRELOADED != 0 ? "synapses.memh" : "")) synapses (
      .clk(clk), .enable((state == ROW_READY && place != row) || (state == ADD && place != row_end)
                         || writes[1]),
      .write(writes[1]), .address(writes[1] ? load_address[ROW_BITS-1:0] : place),
      .data(load_data[0+:SYNAPSE_WIDTH]), .value(synapse));

  pynn_sparse_memory #(.WIDTH(FORMAT_WIDTH), .DEPTH(FORMATS), .BITS(FORMAT_BITS),
                       .FILE(PRELOADED != 0 ? "formats.memh" : "")) formats (
      .clk(clk), .enable(state == SYNAPSE || writes[2]), .write(writes[2]),
      .address(writes[2] ? load_address[FORMAT_BITS-1:0]
                         : synapse[NEURON_BITS+HOP_BITS+:FORMAT_BITS]),
      .data(load_data[0+:FORMAT_WIDTH]), .value(format));

  pynn_sparse_memory #(.WIDTH(NEURON_WIDTH), .DEPTH(NEURONS), .BITS(NEURON_BITS),
                       .FILE(PRELOADED != 0 ? "neurons.memh" : "")) neurons (
      .clk(clk), .enable(fetches || state == BEGIN_NEURON || writes[3]), .write(writes[3]),
      .address(writes[3] ? load_address[NEURON_BITS-1:0] : neuron),
      .data(load_data[0+:NEURON_WIDTH]), .value(neuron_word));

  pynn_sparse_memory #(.WIDTH(PROFILE_WIDTH), .DEPTH(PROFILES), .BITS(PROFILE_BITS),
                       .FILE(PRELOADED != 0 ? "profiles.memh" : "")) profiles (
      .clk(clk), .enable(looks_up || writes[4]), .write(writes[4]),
      .address(writes[4] ? load_address[PROFILE_BITS-1:0] : profile_index),
      .data(load_data[0+:PROFILE_WIDTH]), .value(profile));

  pynn_sparse_memory #(.WIDTH(STATE_WIDTH), .DEPTH(NEURONS), .BITS(NEURON_BITS)) states (
      .clk(clk), .enable(fetches || writes_state), .write(writes_state),
      .address(state == FIRE ? served : neuron), .data(next_state), .value(now_state));

  pynn_sparse_memory #(.WIDTH(NEURON_BITS), .DEPTH(NEURONS), .BITS(NEURON_BITS)) spike_list (
      .clk(clk), .enable((state == FIRE && !blocked && fires) || state == NEXT_SPIKE),
      .write(state == FIRE),
      .address(state == FIRE ? spikes[NEURON_BITS-1:0] : delivered[NEURON_BITS-1:0]),
      .data(served), .value(spike));

  // --- the ring of inputs, a bank for each receptor ---------------------------------------------
  // A synapse's input is read while its weight is shifted, and written a cycle later.

  /* verilator lint_off UNUSED */
  wire [SLOT_BITS:0] hop = {{(SLOT_BITS+1-HOP_BITS){1'b0}}, synapse[NEURON_BITS+:HOP_BITS]};
  /* verilator lint_on UNUSED */
  wire [SLOT_BITS-1:0] due = now + hop[SLOT_BITS-1:0] + 1'b1;
  wire [RING_BITS-1:0] goes_to = {synapse[0+:NEURON_BITS], due};

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

  reg adds;  // an input is to be written
  reg added_receptor;
  reg [RING_BITS-1:0] added_to;
  reg signed [INPUT_BITS-1:0] charge;
  always @(posedge clk) begin
    adds <= state == ADD && !reset;
    added_receptor <= format[SHIFT_BITS];
    added_to <= goes_to;
    charge <= format[SHIFT_BITS+1] ? -shifted : shifted;
  end

  wire [RING_BITS-1:0] ring_address = adds ? added_to : state == ADD ? goes_to
      : fetches ? {neuron, now} : state == CLEAR ? {neuron, slot} : {served, now};
  wire signed [INPUT_BITS-1:0] inputs [0:RECEPTORS-1];
  genvar bank;
  generate
    for (bank = 0; bank < RECEPTORS; bank = bank + 1) begin : banks
      wire gets = adds && (RECEPTORS == 1 || added_receptor == (bank != 0));
      wire clears = state == CLEAR || state == DECAY_0;
      pynn_sparse_memory #(.WIDTH(INPUT_BITS), .DEPTH(NEURONS << SLOT_BITS), .BITS(RING_BITS)) ring (
          .clk(clk), .enable(fetches || state == ADD || gets || clears),
          .write(gets || clears), .address(ring_address),
          .data(gets ? inputs[bank] + charge : {INPUT_BITS{1'b0}}), .value(inputs[bank]));
    end
  endgenerate

  // --- arithmetic of a neuron --------------------------------------------------------------------

  wire signed [V-1:0] threshold = profile[REGISTERS+:V];
  wire signed [V-1:0] reset_voltage = profile[REGISTERS+V+:V];
  wire signed [V-1:0] bias = profile[REGISTERS+2*V+:V];
  wire [REFRACTORY_BITS-1:0] refractory = profile[REGISTERS+3*V+:REFRACTORY_BITS];
  wire [INITIAL_BITS-1:0] initial_voltage = neuron_word[PROFILE_BITS+:INITIAL_BITS];

  // What is multiplied next: the currents, then the voltage.
  wire takes_current = state == LOOK_UP || state == FIRE || (RECEPTORS == 2 && state == DECAY_0);
  wire signed [V-1:0] x = !takes_current ? now_state[0+:V]
      : state == DECAY_0 ? now_state[RECEPTORS*V+:V] : now_state[V+:V];
  reg [V-1:0] magnitude;
  reg negative;
  always @(posedge clk)
    if (!(state == FIRE && blocked)) begin
      magnitude <= x[V-1] ? -x : x;
      negative <= x[V-1];
    end

  // x * (2^DECAY_BITS - amount) >> DECAY_BITS, of the magnitude, by one multiplier; the amount of a
  // current is its decay + 1.
  wire [DECAY_BITS-1:0] decay = state == DECAY_0 ? profile[0+:DECAY_BITS]
      : state == DECAY_1 ? profile[(RECEPTORS-1)*DECAY_BITS+:DECAY_BITS]
      : profile[RECEPTORS*DECAY_BITS+:DECAY_BITS];
  wire [DECAY_BITS:0] amount = {1'b0, decay} + {{DECAY_BITS{1'b0}}, state != DECAY_V};
  wire [DECAY_BITS:0] factor = {1'b1, {DECAY_BITS{1'b0}}} - amount;
  /* verilator lint_off UNUSED */
  wire [V+DECAY_BITS:0] product = magnitude * factor;
  /* verilator lint_on UNUSED */
  reg [V-1:0] kept;
  reg was_negative;
  always @(posedge clk) begin
    kept <= product[DECAY_BITS+:V];
    was_negative <= negative;
  end
  wire signed [SUM-1:0] decayed = {{(SUM-V){1'b0}}, kept};

  // What is added: input to a current, or the currents and the bias to the voltage.
  reg signed [INPUT_BITS-1:0] arrived;  // at the receptor that comes next
  reg signed [V-1:0] currents [0:RECEPTORS-1];
  reg signed [SUM-1:0] total;           // of the bias, and of the currents but the last one
  wire signed [SUM-1:0] sum_of_currents = total
      + {{(SUM-V){currents[RECEPTORS-1][V-1]}}, currents[RECEPTORS-1]};
  wire signed [SUM-1:0] wide = (was_negative ? -decayed : decayed) + (state == SUM_UP
      ? sum_of_currents : {{(SUM-INPUT_BITS){arrived[INPUT_BITS-1]}}, arrived});
  wire fits = wide[SUM-1:V-1] == {(SUM-V+1){wide[SUM-1]}};
  wire signed [V-1:0] limited = fits ? wide[V-1:0] : {wide[SUM-1], {(V-1){~wide[SUM-1]}}};

  reg signed [V-1:0] voltage;  // before the spike
  reg signed [V-1:0] held;     // while refractory
  reg [REFRACTORY_BITS-1:0] waiting;
  always @(posedge clk) begin
    if (state == DECAY_0) begin
      arrived <= inputs[0];
      total <= {{(SUM-V){bias[V-1]}}, bias};
    end else begin
      arrived <= inputs[RECEPTORS-1];
      if (RECEPTORS == 2 && state == DECAY_V)
        total <= total + {{(SUM-V){currents[0][V-1]}}, currents[0]};
    end
    if (RECEPTORS == 2 && state == DECAY_1) currents[0] <= limited;
    if (state == DECAY_V) currents[RECEPTORS-1] <= limited;
    if (state == SUM_UP) begin
      voltage <= limited;
      held <= now_state[0+:V];
      waiting <= now_state[(RECEPTORS+1)*V+:REFRACTORY_BITS];
    end
  end

  wire free = waiting == 0;
  wire fires = free && voltage >= threshold;

  integer r;
  always @* begin
    next_state = {STATE_WIDTH{1'b0}};
    if (state == BEGIN_STATE) begin
      next_state[0+:V] = {V{initial_voltage[INITIAL_BITS-1]}};
      next_state[0+:INITIAL_BITS] = initial_voltage;
    end else begin
      next_state[0+:V] = !free ? held : fires ? reset_voltage : voltage;
      for (r = 0; r < RECEPTORS; r = r + 1) next_state[(r+1)*V+:V] = currents[r];
      next_state[(RECEPTORS+1)*V+:REFRACTORY_BITS] =
          fires ? refractory : free ? {REFRACTORY_BITS{1'b0}} : waiting - 1'b1;
    end
  end

  // --- control -------------------------------------------------------------------------------

  always @(posedge clk) begin
    refused <= 1'b0;
    if (spike_ready) spike_valid <= 1'b0;
    if (reset) begin
      state <= load ? LOAD : CLEAR;
      tick_waits <= 1'b0;
      spike_valid <= 1'b0;
      neuron <= {NEURON_BITS{1'b0}};
      slot <= {SLOT_BITS{1'b0}};
      now <= {SLOT_BITS{1'b0}};
      spikes <= {(NEURON_BITS+1){1'b0}};
      delivered <= {(NEURON_BITS+1){1'b0}};
    end else
      case (state)
        LOAD: begin
          refused <= load_valid && writes == 5'd0;
          neuron <= {NEURON_BITS{1'b0}};
          slot <= {SLOT_BITS{1'b0}};
          now <= {SLOT_BITS{1'b0}};
          if (!load) state <= CLEAR;
        end
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
        IDLE: begin
          spikes <= {(NEURON_BITS+1){1'b0}};
          delivered <= {(NEURON_BITS+1){1'b0}};
          if (ready && event_valid) begin
            axon <= event_axon;
            tick_waits <= tick;
            refused <= event_axon >= AXONS[AXON_BITS-1:0];
            if (event_axon < AXONS[AXON_BITS-1:0]) state <= ROW;
          end else if (tick_waits || (ready && tick)) begin
            tick_waits <= 1'b0;
            now <= now + 1'b1;
            state <= FETCH;
          end else if (load && !spike_valid) state <= LOAD;
        end
        FETCH: state <= LOOK_UP;
        LOOK_UP: begin
          served <= neuron;
          neuron <= last_neuron ? {NEURON_BITS{1'b0}} : neuron + 1'b1;
          state <= DECAY_0;
        end
        DECAY_0: state <= RECEPTORS == 2 ? DECAY_1 : DECAY_V;
        DECAY_1: state <= DECAY_V;
        DECAY_V: state <= SUM_UP;
        SUM_UP: state <= FIRE;
        FIRE:
        if (!blocked) begin
          spike_valid <= fires;
          spike_neuron <= served;
          if (fires) spikes <= spikes + 1'b1;
          served <= neuron;
          neuron <= last_neuron || last_served ? {NEURON_BITS{1'b0}} : neuron + 1'b1;
          state <= last_served ? NEXT_SPIKE : DECAY_0;
        end
        NEXT_SPIKE: begin
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
