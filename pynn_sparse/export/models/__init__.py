"""What neurons of a target compute in a time step."""
