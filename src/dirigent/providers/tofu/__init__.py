"""Resources of OpenTofu and Terraform providers, spoken to over their plugin protocol (versions 5 and 6).

Five rooms: `wire` (messages and calls), `values` (types and their coding), `schema` (what a provider
says of its types), `process` (how a provider is started and ended), `lifecycle` (what is done with all
of that). Facts of the protocol: OpenTofu's documentation of the plugin protocol, versions 5.x and 6.x.
"""
