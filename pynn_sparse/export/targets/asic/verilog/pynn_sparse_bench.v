// Plays `stimulus.memh` to the core, and writes the states of all neurons at the beginning and after
// each time step to `states.txt`, one hexadecimal word for each, spikes to `spikes.txt`, and counts
// cycles. A word of the stimulus is {tick, axon}: a tick, or a spike from outside.
//
//   +check             compare the states with `expect.memh`, and say PASS or FAIL
//   +commands=N        play the first N words; by default MOST_COMMANDS
//   +stimulus=FILE     instead of stimulus.memh
//
// With LOAD_PORT defined, the tables are empty at first, and are written through the core's port.

`timescale 1ns / 1ns
`ifndef MOST_EXPECTED
`define MOST_EXPECTED 1
`endif

module pynn_sparse_bench;
`include "parameters.vh"

  reg clk = 1'b0;
  reg reset = 1'b1;
  reg started = 1'b0;
  wire ready, spike_valid;
  wire [NEURON_BITS-1:0] spike_neuron;
  reg [AXON_BITS:0] commands [0:`MOST_COMMANDS-1];
  integer count;  // of commands
  reg [8*64-1:0] stimulus;  // name of the file
  localparam STATE_WIDTH = (RECEPTORS + 1) * VOLTAGE_BITS + REFRACTORY_BITS;
  reg [STATE_WIDTH-1:0] expected [0:`MOST_EXPECTED-1];
  integer checks = 0;     // whether there are expected states
  integer differing = 0;  // states
  integer compared = 0;
  integer next = 0;
  integer file, spikes_file, n;
  integer ticks = 0;
  integer cycles = 0;
  // More cycles than any command takes: a core that is not ready after these has stopped.
  localparam MOST_CYCLES = 10000 + 16 * (NEURONS + SYNAPSES) + 4 * (NEURONS << SLOT_BITS);
  integer waits = 0;

  wire plays = ready && next < count;
  wire [AXON_BITS:0] command = plays ? commands[next] : {(AXON_BITS + 1) {1'b0}};

  reg load = 1'b0;
  reg load_valid = 1'b0;
  reg [2:0] load_table = 3'd0;
  reg [ADDRESS_BITS-1:0] load_address = {ADDRESS_BITS{1'b0}};
  reg [LOAD_BITS-1:0] load_data = {LOAD_BITS{1'b0}};
  wire load_ready, refused;

`ifdef GATES
  pynn_sparse_top top (
`else
`ifdef LOAD_PORT
  pynn_sparse_top #(.PRELOADED(0)) top (
`else
  pynn_sparse_top top (
`endif
`endif
      .clk(clk), .reset(reset), .load(load), .load_valid(load_valid), .load_ready(load_ready),
      .load_table(load_table), .load_address(load_address), .load_data(load_data), .tick(plays && command[AXON_BITS]),
      .event_valid(plays && !command[AXON_BITS]), .event_axon(command[AXON_BITS-1:0]),
      .ready(ready), .refused(refused), .spike_valid(spike_valid), .spike_neuron(spike_neuron),
      .spike_ready(1'b1)
  );

  always #5 clk = ~clk;

`ifdef LOAD_PORT
  reg [LOAD_BITS-1:0] rows [0:AXONS];
  reg [LOAD_BITS-1:0] synapses [0:SYNAPSES-1];
  reg [LOAD_BITS-1:0] formats [0:FORMATS-1];
  reg [LOAD_BITS-1:0] neurons [0:NEURONS-1];
  reg [LOAD_BITS-1:0] profiles [0:PROFILES-1];
  integer table_index, word, words;

  task write_tables;
    for (table_index = 0; table_index < 5; table_index = table_index + 1) begin
      case (table_index)
        0: words = AXONS + 1;
        1: words = SYNAPSES;
        2: words = FORMATS;
        3: words = NEURONS;
        default: words = PROFILES;
      endcase
      for (word = 0; word < words; word = word + 1) begin
        load_valid = 1'b1;
        load_table = table_index[2:0];
        load_address = word[ADDRESS_BITS-1:0];
        case (table_index)
          0: load_data = rows[word];
          1: load_data = synapses[word];
          2: load_data = formats[word];
          3: load_data = neurons[word];
          default: load_data = profiles[word];
        endcase
        @(negedge clk);
        load_valid = 1'b0;
        if (refused || !load_ready) $display("FAIL: table %0d, word %0d", table_index, word);
      end
    end
  endtask
`endif

  // A netlist has no array of states; its activity is written instead.
  task write_states;
`ifndef GATES
    for (n = 0; n < NEURONS; n = n + 1) begin
      $fwrite(file, "%h\n", top.core.states.words[n]);
      if (checks != 0) begin
        if (compared >= `MOST_EXPECTED || expected[compared] !== top.core.states.words[n]) begin
          differing = differing + 1;
          if (differing <= 10)
            $display("tick %0d, neuron %0d: %h", ticks, n, top.core.states.words[n]);
        end
        compared = compared + 1;
      end
    end
`else
    n = 0;
`endif
  endtask

  initial begin
    if (!$value$plusargs("commands=%d", count)) count = `MOST_COMMANDS;
    if (!$value$plusargs("stimulus=%s", stimulus)) stimulus = "stimulus.memh";
    $readmemh(stimulus, commands, 0, count - 1);
    if ($test$plusargs("check")) begin
      checks = 1;
      for (n = 0; n < `MOST_EXPECTED; n = n + 1) expected[n] = {STATE_WIDTH{1'b1}};
      $readmemh("expect.memh", expected);
    end
    file = $fopen("states.txt", "w");
    spikes_file = $fopen("spikes.txt", "w");
`ifdef GATES
    $dumpfile("gates.vcd");
    $dumpvars(0, top);
    $dumpoff;
`endif
`ifdef LOAD_PORT
    $readmemh("rows.memh", rows);
    $readmemh("synapses.memh", synapses);
    $readmemh("formats.memh", formats);
    $readmemh("neurons.memh", neurons);
    $readmemh("profiles.memh", profiles);
    load = 1'b1;
`endif
    repeat (2) @(negedge clk);
    reset = 1'b0;
`ifdef LOAD_PORT
    @(negedge clk);
    write_tables;
    load = 1'b0;
`endif
  end

  // Between the edges at which the core acts.
  always @(negedge clk) begin
    if (started) cycles = cycles + 1;
    waits = ready === 1'b1 || load || reset ? 0 : waits + 1;
    if (waits > MOST_CYCLES) begin
      $display("FAIL: the core has stopped");
      $finish;
    end
    if (spike_valid) $fwrite(spikes_file, "%0d %0d\n", ticks, spike_neuron);
    if (ready && !reset) begin
      if (!started) begin
        started = 1'b1;
`ifdef GATES
        $dumpon;
`endif
      end else next = next + 1;  // the command before this edge was taken
      if (next >= count || commands[next][AXON_BITS]) begin
        write_states;
        ticks = ticks + 1;
      end
      if (next >= count) begin
        $display("cycles %0d", cycles);
        if (checks != 0 && differing == 0 && compared == `MOST_EXPECTED)
          $display("PASS: %0d states", compared);
        else if (checks != 0)
          $display("FAIL: %0d of %0d states differ, %0d were compared", differing, `MOST_EXPECTED, compared);
        $fclose(file);
        $fclose(spikes_file);
        $finish;
      end
    end
  end
endmodule
