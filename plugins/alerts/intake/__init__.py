"""One intake for all sources: what machines send, what people report, what other modules hand on."""
