"""Speed beside what people would use instead, in one run, with ratios and caveats."""
