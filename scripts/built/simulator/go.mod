module dirigent.invalid/simulator

go 1.21

require github.com/vmware/govmomi v0.30.7

require github.com/google/uuid v1.3.0 // indirect
