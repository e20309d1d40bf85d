"""Events and the runs that wait for them: read from the log, judged, and handed over one by one."""
