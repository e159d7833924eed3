// The streams of pynn_sparse_stream.v a byte at a time, the highest first: 23 pins in all, for FPGAs
// with few, and for bridges to USB.

module pynn_sparse_bytes (
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

  input wire aclk, aresetn, s_axis_tvalid, m_axis_tready;
  input wire [7:0] s_axis_tdata;
  output wire s_axis_tready, m_axis_tvalid, m_axis_tlast;
  output wire [7:0] m_axis_tdata;

  reg [31:0] command, answer;
  reg [2:0] arrived;  // bytes of the command
  reg [2:0] left;     // bytes of the answer
  reg ends;
  wire command_taken, answer_valid, answer_ends;
  wire [31:0] answer_word;

  assign s_axis_tready = !arrived[2];
  assign m_axis_tvalid = left != 3'd0;
  assign m_axis_tdata = answer[31:24];
  assign m_axis_tlast = ends && left == 3'd1;

  pynn_sparse_stream #(.PRELOADED(PRELOADED)) stream (
      .aclk(aclk), .aresetn(aresetn), .s_axis_tdata(command), .s_axis_tvalid(arrived[2]),
      .s_axis_tready(command_taken), .m_axis_tdata(answer_word), .m_axis_tvalid(answer_valid),
      .m_axis_tready(left == 3'd0), .m_axis_tlast(answer_ends));

  always @(posedge aclk) begin
    if (s_axis_tvalid && s_axis_tready) begin
      command <= {command[23:0], s_axis_tdata};
      arrived <= arrived + 1'b1;
    end
    if (arrived[2] && command_taken) arrived <= 3'd0;
    if (left == 3'd0) begin
      if (answer_valid) begin
        answer <= answer_word;
        ends <= answer_ends;
        left <= 3'd4;
      end
    end else if (m_axis_tready) begin
      answer <= {answer[23:0], 8'd0};
      left <= left - 1'b1;
    end
    if (!aresetn) begin
      arrived <= 3'd0;
      left <= 3'd0;
    end
  end
endmodule
