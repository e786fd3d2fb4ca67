# Measurements beside one plain PostgreSQL on the same machine.
.PHONY: bench-tpch

bench-tpch:  ## TPC-H on a herd and on plain PostgreSQL, with times and memory; SCALE=0.5 RUNS=3
	@$(staged)
	@HERD_TPCH_SCALE=$(or $(SCALE),0.5) HERD_TPCH_RUNS=$(or $(RUNS),3) PROVE_FLAGS=-v \
	    test/perl/run-tap test/bench/tpch.pl
