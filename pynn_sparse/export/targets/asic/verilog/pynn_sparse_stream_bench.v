// Plays the commands of `commands.memh` to the core behind its streams, and writes the answers to
// `answers.txt`, a hexadecimal word in a line, until there are as many ends of time steps as ticks.
//
//   +stalls=SEED    either side is unwilling in three of four cycles, at random

`timescale 1ns / 1ns

module pynn_sparse_stream_bench;
`include "parameters.vh"
  // More cycles than any command takes, even if either side is mostly unwilling.
  localparam MOST_CYCLES = 10000 + 32 * (NEURONS + SYNAPSES) + 4 * (NEURONS << SLOT_BITS);
  reg clk = 1'b0;
  reg aresetn = 1'b0;
  reg [31:0] commands [0:`MOST_COMMANDS-1];
  reg [31:0] s_axis_tdata = 32'd0;
  reg s_axis_tvalid = 1'b0;
  reg m_axis_tready = 1'b0;
  wire s_axis_tready, m_axis_tvalid, m_axis_tlast;
  wire [31:0] m_axis_tdata;
  integer next = 0, ticks = 0, ended = 0, waits = 0, file, seed;
  integer stalls = 0;
  reg [31:0] shown;  // an answer that was not taken yet
  reg showed = 1'b0;
  reg taken;

`ifdef LOAD_PORT
  pynn_sparse_stream #(.PRELOADED(0)) stream (
`else
  pynn_sparse_stream stream (
`endif
      .aclk(clk), .aresetn(aresetn), .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready), .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready), .m_axis_tlast(m_axis_tlast));

  always #5 clk = ~clk;

  initial begin
    $readmemh("commands.memh", commands);
    if ($value$plusargs("stalls=%d", seed)) stalls = 1;
    file = $fopen("answers.txt", "w");
    repeat (3) @(negedge clk);
    aresetn = 1'b1;
  end

  // What an edge takes is seen just before it, and what is offered next is set after it.
  always @(posedge clk)
    if (aresetn) begin
      taken = s_axis_tvalid && s_axis_tready;
      if (showed && (!m_axis_tvalid || m_axis_tdata !== shown)) begin
        $display("FAIL: an answer that waited has changed");
        $finish;
      end
      showed = m_axis_tvalid && !m_axis_tready;
      shown = m_axis_tdata;
      if (m_axis_tvalid && m_axis_tready) begin
        $fwrite(file, "%h\n", m_axis_tdata);
        waits = 0;
        if (m_axis_tlast || m_axis_tdata == 32'h2000_0001) ended = ended + 1;  // or was refused
      end
      if (taken) begin
        if (s_axis_tdata[31:28] == 4'd1) ticks = ticks + 1;
        next = next + 1;
        waits = 0;
      end
      waits = waits + 1;
    end

  always @(negedge clk)
    if (aresetn) begin
      if (next >= `MOST_COMMANDS && ended >= ticks && waits > 100) begin
        $fclose(file);
        $display("PASS: %0d commands, %0d time steps", next, ticks);
        $finish;
      end else if (waits > MOST_CYCLES) begin
        $display("FAIL: the core has stopped");
        $finish;
      end
      // An offer stays until it is taken.
      if (!s_axis_tvalid || taken) begin
        s_axis_tvalid = next < `MOST_COMMANDS && (stalls == 0 || $random(seed) % 4 == 0);
        s_axis_tdata = next < `MOST_COMMANDS ? commands[next] : 32'd0;
      end
      taken = 1'b0;
      m_axis_tready = stalls == 0 || $random(seed) % 4 == 0;
    end
endmodule
