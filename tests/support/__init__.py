"""What tests of several folders share: networks, devices, other programs to compare with."""
