// Programs tinyODIN through its SPI, plays events to its AER input, and writes what it does.
//
// spi.memh: commands {address, data} of 20 bits each, see macros below.
// events.memh: words {step, event}; a step begins with a time reference, before which all earlier
// events have been processed.
// spikes.txt: a line for each event of the AER output: step, neuron.
// states.txt: the neuron memory at the beginning and after each step, a word on a line.
// synapses.txt: the synapse memory at the end.
// Macros: COMMANDS of spi.memh, of which the first HEAD and the last one are sent, and between
// them all others if WHOLE; else $readmemh fills the memories. EVENTS of events.memh, STEP_BITS.
`timescale 1ns / 1ps

module odin_bench;
  localparam HALF_SCK = 40;
  reg clk = 0, rst = 0, sck = 0, mosi = 0, request = 0, acknowledge = 0;
  reg [9:0] address = 0;
  reg [39:0] commands [0:`COMMANDS-1];
  reg [`STEP_BITS+9:0] events [0:`EVENTS-1];
  wire [7:0] spike;
  wire accepted, out_request;
  integer i, bit_of, n, states, spikes, synapses;
  reg [`STEP_BITS-1:0] step = 0;

  always #5 clk = ~clk;

  tinyODIN chip (
      .CLK(clk), .RST(rst), .SCK(sck), .MOSI(mosi), .MISO(),
      .AERIN_ADDR(address), .AERIN_REQ(request), .AERIN_ACK(accepted),
      .AEROUT_ADDR(spike), .AEROUT_REQ(out_request), .AEROUT_ACK(acknowledge), .SCHED_FULL()
  );

  always @(posedge clk)
    if (out_request && !acknowledge) begin
      $fdisplay(spikes, "%0d %0d", step, spike);
      acknowledge <= 1;
    end else if (!out_request) acknowledge <= 0;

  task send_command(input [39:0] command);
    for (bit_of = 39; bit_of >= 0; bit_of = bit_of - 1) begin
      mosi = command[bit_of];
      #HALF_SCK sck = 1;
      #HALF_SCK sck = 0;
    end
  endtask

  // Nothing is waiting or being sent, and this stays so.
  task settle;
    begin
      n = 0;
      while (n < 8) begin
        @(negedge clk);
        if (chip.SCHED_EMPTY && chip.controller_0.state == 0 && !out_request && !acknowledge
            && !chip.AEROUT_CTRL_BUSY)
          n = n + 1;
        else n = 0;
      end
    end
  endtask

  task dump;
    for (n = 0; n < 256; n = n + 1) $fdisplay(states, "%h", chip.neuron_core_0.neurarray_0.SRAM[n]);
  endtask

  initial begin
    $readmemh("spi.memh", commands);
    $readmemh("events.memh", events);
    spikes = $fopen("spikes.txt");
    states = $fopen("states.txt");
    synapses = $fopen("synapses.txt");
    #10 rst = 1;
    #100 rst = 0;
    #100;
    if (!`WHOLE) begin
      $readmemh("neurons.memh", chip.neuron_core_0.neurarray_0.SRAM);
      $readmemh("synapses.memh", chip.synaptic_core_0.synarray_0.SRAM);
    end
    for (i = 0; i < `COMMANDS; i = i + 1)
      if (`WHOLE || i < `HEAD || i == `COMMANDS - 1) send_command(commands[i]);
    settle;
    dump;
    for (i = 0; i < `EVENTS; i = i + 1) begin
      if (events[i][`STEP_BITS+9:10] != step) begin
        settle;
        if (step != 0) dump;
        step = events[i][`STEP_BITS+9:10];
      end
      address = events[i][9:0];
      request = 1;
      while (!accepted) @(negedge clk);
      request = 0;
      while (accepted) @(negedge clk);
    end
    settle;
    dump;
    for (n = 0; n < 8192; n = n + 1)
      $fdisplay(synapses, "%h", chip.synaptic_core_0.synarray_0.SRAM[n]);
    $finish;
  end
endmodule
