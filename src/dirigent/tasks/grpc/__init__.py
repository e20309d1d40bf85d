"""Calls over gRPC, of services that a proto file describes. Needs the extra `grpc`."""
