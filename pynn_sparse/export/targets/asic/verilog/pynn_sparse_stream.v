// The core behind two AXI4-Streams of 32 bits, as a block design of an FPGA or a chip takes it.
//
// Commands, on s_axis; bits 31 to 28 say what, the others are its value:
//   0  a spike of axon `value`, in the present time step
//   1  begin the next time step
//   2 to 6  words of table 0 to 4 follow (see pynn_sparse_core.v), from address `value` on
//   7  28 bits of a word, the highest first; those that go beyond its width are not kept
//   8  the lowest 28 bits: the word is written, and the address moves on by one
//   9  all words are written: the network begins anew
// Answers, on m_axis:
//   0  a spike of neuron `value`
//   1  the time step has ended, with `value` spikes; tlast is high
//   2  the command `value` (0 to 15) was refused: an axon or a word that does not exist, an unknown
//      command, or one that makes no sense while tables are written, or while they are not
//
// Nothing is lost: while an answer waits for m_axis_tready, the core stands still, and so does
// s_axis. There is no buffer that could overflow.

module pynn_sparse_stream (
    aclk,
    aresetn,
    s_axis_tdata,
    s_axis_tvalid,
    s_axis_tready,
    m_axis_tdata,
    m_axis_tvalid,
    m_axis_tready,
    m_axis_tlast
);
  parameter PRELOADED = 1;
`include "parameters.vh"

  input wire aclk, aresetn, s_axis_tvalid, m_axis_tready;
  input wire [31:0] s_axis_tdata;
  output wire s_axis_tready, m_axis_tvalid, m_axis_tlast;
  output wire [31:0] m_axis_tdata;

  localparam PIECE = 28;
  localparam [3:0] SPIKE = 0, TICK = 1, FIRST_TABLE = 2, LAST_TABLE = 6, MORE = 7, WRITE = 8,
                   BEGIN = 9;
  localparam [3:0] ENDED = 1, REFUSED = 2;

  wire reset = !aresetn;
  wire ready, load_ready, refused, spike_valid;
  wire [NEURON_BITS-1:0] spike_neuron;

  reg load, load_valid;
  reg [2:0] load_table;
  reg [ADDRESS_BITS-1:0] load_address;
  reg [LOAD_BITS-1:0] load_data;
  reg [1:0] busy;      // cycles in which the last command may still be refused
  reg ticking;
  reg [PIECE-1:0] spikes;  // of this time step
  reg answers;         // other than by a spike
  reg [31:0] answer;
  reg [3:0] last;      // command

  wire [3:0] command = s_axis_tdata[31:28];
  wire [PIECE-1:0] value = s_axis_tdata[PIECE-1:0];
  wire takes = s_axis_tvalid && s_axis_tready;
  wire opens = command >= FIRST_TABLE && command <= LAST_TABLE;
  wire sensible = command <= BEGIN && (opens || load == (command >= MORE));

  // A number that is too large is the greatest, which no table and no axon has.
  wire [AXON_BITS-1:0] axon = value >> AXON_BITS != 0 ? {AXON_BITS{1'b1}} : value[AXON_BITS-1:0];
  /* verilator lint_off UNUSED */
  wire [ADDRESS_BITS+PIECE-1:0] wide_address = {{ADDRESS_BITS{1'b0}}, value};
  wire [LOAD_BITS+PIECE-1:0] longer = {load_data, value};
  wire [3:0] table_number = command - FIRST_TABLE;
  /* verilator lint_on UNUSED */
  wire [ADDRESS_BITS-1:0] address = wide_address >> ADDRESS_BITS != 0 ? {ADDRESS_BITS{1'b1}}
      : wide_address[ADDRESS_BITS-1:0];

  assign s_axis_tready = (load ? load_ready : ready) && busy == 2'd0 && !answers && !ticking;
  assign m_axis_tvalid = answers || spike_valid;
  assign m_axis_tdata = answers ? answer : {4'd0, {(PIECE-NEURON_BITS){1'b0}}, spike_neuron};
  assign m_axis_tlast = answers && answer[31:28] == ENDED;

  pynn_sparse_top #(.PRELOADED(PRELOADED)) top (
      .clk(aclk), .reset(reset), .load(load), .load_valid(load_valid), .load_ready(load_ready),
      .load_table(load_table), .load_address(load_address), .load_data(load_data),
      .tick(takes && sensible && command == TICK),
      .event_valid(takes && sensible && command == SPIKE), .event_axon(axon), .ready(ready),
      .refused(refused), .spike_valid(spike_valid), .spike_neuron(spike_neuron),
      .spike_ready(m_axis_tready && !answers)
  );

  always @(posedge aclk) begin
    busy <= {1'b0, busy[1]};
    load_valid <= 1'b0;
    if (m_axis_tready) answers <= 1'b0;
    if (load_valid) begin
      load_data <= {LOAD_BITS{1'b0}};
      if (!(&load_address)) load_address <= load_address + 1'b1;
    end
    if (spike_valid && m_axis_tready) spikes <= spikes + 1'b1;
    if (takes) begin
      busy <= 2'b11;
      last <= command;
      if (!sensible) begin
        answers <= 1'b1;
        answer <= {REFUSED, {(PIECE-4){1'b0}}, command};
      end else if (opens) begin
        load <= 1'b1;
        load_table <= table_number[2:0];
        load_address <= address;
        load_data <= {LOAD_BITS{1'b0}};
      end else
        case (command)
          TICK: begin
            ticking <= 1'b1;
            spikes <= {PIECE{1'b0}};
          end
          MORE, WRITE: begin
            load_data <= longer[LOAD_BITS-1:0];
            load_valid <= command == WRITE;
          end
          BEGIN: load <= 1'b0;
          default: ;  // a spike
        endcase
    end else if (refused) begin
      answers <= 1'b1;
      answer <= {REFUSED, {(PIECE-4){1'b0}}, last};
    end else if (ticking && ready && busy == 2'd0) begin
      ticking <= 1'b0;
      answers <= 1'b1;
      answer <= {ENDED, spikes};
    end
    if (reset) begin
      busy <= 2'd0;
      load <= 1'b0;
      load_valid <= 1'b0;
      ticking <= 1'b0;
      answers <= 1'b0;
    end
  end
endmodule
