"""What is told when a command line is wrong, or a command has met a defect of ours."""
