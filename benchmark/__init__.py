"""The benchmark: decode rates and cost of every way of reading, on material that training never uses."""
