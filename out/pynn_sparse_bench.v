// Plays `stimulus.memh` to the core, and writes the states of all neurons at the beginning and after
// each time step to `states.txt`, one hexadecimal word for each, spikes to `spikes.txt`, and counts
// cycles. A word of the stimulus is {tick, axon}: a tick, or a spike from outside.
//
//   +check             compare the states with `expect.memh`, and say PASS or FAIL
//   +commands=N        play the first N words; by default MOST_COMMANDS
//   +stimulus=FILE     instead of stimulus.memh

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

  wire plays = ready && next < count;
  wire [AXON_BITS:0] command = plays ? commands[next] : {(AXON_BITS + 1) {1'b0}};

  pynn_sparse_top top (
      .clk(clk), .reset(reset), .tick(plays && command[AXON_BITS]),
      .event_valid(plays && !command[AXON_BITS]), .event_axon(command[AXON_BITS-1:0]),
      .ready(ready), .spike_valid(spike_valid), .spike_neuron(spike_neuron)
  );

  always #5 clk = ~clk;

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
    repeat (2) @(negedge clk);
    reset = 1'b0;
  end

  // Between the edges at which the core acts.
  always @(negedge clk) begin
    if (started) cycles = cycles + 1;
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
