// Plays packets and ticks to a grid of RANC's cores, and writes what all neurons do.
//
// stimulus.memh: words {tick, packet}; a packet goes to the first core of the grid, as from a host.
// potentials.txt: a line for each neuron after each tick: tick, core, neuron, potential.
// spikes.txt: a line for each spike: tick, core, neuron.
// Parameters come as macros, and BLOCK, the simulator's name of the block around a core; watch.vh has
// `WATCH(n) for each core. Modules of RANC are those of its repository.
`timescale 1ns / 1ps

module ranc_bench;
  localparam CORES = `GRID_DIMENSION_X * `GRID_DIMENSION_Y - 1;
  localparam PACKET = `DX_MSB + 1;
  localparam POTENTIAL_LSB = PACKET + 1 + 2 * `THRESHOLD_WIDTH + `LEAK_WIDTH
                             + `NUM_WEIGHTS * `WEIGHT_WIDTH + `POTENTIAL_WIDTH;
  localparam DRAIN = 40 * (`GRID_DIMENSION_X + `GRID_DIMENSION_Y);

  reg clk = 0, rst = 1, tick = 0, valid = 0, dump = 0;
  reg [PACKET:0] stimulus [0:`COMMANDS-1];
  reg [PACKET-1:0] sent = 0;
  wire [PACKET-1:0] packet;
  wire empty, full, read, controller_error, scheduler_error;
  wire [CORES-1:0] busy;
  integer step = 0, command, potentials, spikes, failed = 0;

  always #5 clk = ~clk;

  buffer #(.DATA_WIDTH(PACKET), .BUFFER_DEPTH(4)) host (
      .clk(clk), .rst(rst), .din(sent), .din_valid(valid), .read_en(read),
      .dout(packet), .empty(empty), .full(full)
  );

  RANCNetworkGrid #(
      .GRID_DIMENSION_X(`GRID_DIMENSION_X), .GRID_DIMENSION_Y(`GRID_DIMENSION_Y),
      .OUTPUT_CORE_X_COORDINATE(`OUTPUT_CORE_X_COORDINATE),
      .OUTPUT_CORE_Y_COORDINATE(`OUTPUT_CORE_Y_COORDINATE),
      .NUM_OUTPUTS(`NUM_OUTPUTS), .NUM_NEURONS(`NUM_NEURONS), .NUM_AXONS(`NUM_AXONS),
      .NUM_TICKS(`NUM_TICKS), .NUM_WEIGHTS(`NUM_WEIGHTS), .NUM_RESET_MODES(`NUM_RESET_MODES),
      .POTENTIAL_WIDTH(`POTENTIAL_WIDTH), .WEIGHT_WIDTH(`WEIGHT_WIDTH),
      .LEAK_WIDTH(`LEAK_WIDTH), .THRESHOLD_WIDTH(`THRESHOLD_WIDTH),
      .DX_MSB(`DX_MSB), .DX_LSB(`DX_LSB), .DY_MSB(`DY_MSB), .DY_LSB(`DY_LSB),
      .ROUTER_BUFFER_DEPTH(4), .MEMORY_FILEPATH("./")
  ) grid (
      .clk(clk), .rst(rst), .tick(tick), .input_buffer_empty(empty), .packet_in(packet),
      .packet_out(), .packet_out_valid(), .ren_to_input_buffer(read),
      .token_controller_error(controller_error), .scheduler_error(scheduler_error)
  );

`define CORE(g) grid.gencore[g].`BLOCK.Core
`define WATCH(g) \
  assign busy[g] = `CORE(g).TokenController.state != 0; \
  always @(posedge clk) \
    if (`CORE(g).router_spike) \
      $fdisplay(spikes, "%0d %0d %0d", step, g, `CORE(g).CSRAM_addr); \
  always @(posedge dump) begin : dump_``g \
    integer n; \
    for (n = 0; n < `NUM_NEURONS; n = n + 1) \
      $fdisplay(potentials, "%0d %0d %0d %0d", step, g, n, \
                $signed(`CORE(g).CSRAM.memory[n][POTENTIAL_LSB+:`POTENTIAL_WIDTH])); \
  end
`include "watch.vh"

  always @(posedge clk)
    if (!rst && (controller_error === 1'b1 || scheduler_error === 1'b1)) failed <= failed + 1;

  initial begin
    $readmemh("stimulus.memh", stimulus);
    potentials = $fopen("potentials.txt");
    spikes = $fopen("spikes.txt");
    repeat (4) @(negedge clk);
    rst = 0;
    for (command = 0; command < `COMMANDS; command = command + 1) begin
      if (stimulus[command][PACKET]) begin
        while (!empty) @(negedge clk);
        repeat (DRAIN) @(negedge clk);
        step = step + 1;
        tick = 1;
        @(negedge clk) tick = 0;
        while (busy == 0) @(negedge clk);
        while (busy != 0) @(negedge clk);
        repeat (DRAIN) @(negedge clk);
        dump = 1;
        @(negedge clk) dump = 0;
      end else begin
        while (full) @(negedge clk);
        sent = stimulus[command][PACKET-1:0];
        valid = 1;
        @(negedge clk) valid = 0;
      end
    end
    $display("errors %0d", failed);
    $finish;
  end
endmodule
