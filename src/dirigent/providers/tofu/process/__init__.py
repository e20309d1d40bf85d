"""Providers as processes: started on a tether, spoken to over a Unix socket, ended politely."""
