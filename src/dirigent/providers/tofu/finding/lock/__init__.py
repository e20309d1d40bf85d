"""What is locked: our own `dirigent.lock`, and `.terraform.lock.hcl` of those who come from there."""
