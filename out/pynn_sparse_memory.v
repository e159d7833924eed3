// A memory with one port, read a cycle later; replace it by the SRAM or ROM of your process.
// Without FILE its contents begin undefined.

module pynn_sparse_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter BITS = 1,
    parameter FILE = ""
) (
    input  wire             clk,
    input  wire             enable,
    input  wire             write,
    input  wire [ BITS-1:0] address,
    input  wire [WIDTH-1:0] data,
    output reg  [WIDTH-1:0] value
);
  reg [WIDTH-1:0] words [0:DEPTH-1];

  generate
    if (FILE != "") begin : contents
      initial $readmemh(FILE, words);
    end
  endgenerate

  always @(posedge clk)
    if (enable) begin
      if (write) words[address] <= data;
      else value <= words[address];
    end
endmodule
