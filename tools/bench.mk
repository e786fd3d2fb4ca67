# Measurements beside one plain PostgreSQL on the same machine.
.PHONY: bench-tpch bench-transactions

bench-tpch:  ## TPC-H on a herd and on plain PostgreSQL, with times and memory; SCALE=0.5 RUNS=3
	@$(staged)
	@HERD_TPCH_SCALE=$(or $(SCALE),0.5) HERD_TPCH_RUNS=$(or $(RUNS),3) PROVE_FLAGS=-v \
	    test/perl/run-tap test/bench/tpch.pl

bench-transactions:  ## transfers over two nodes and transactions on one key, herd / plain; TIME=5 CLIENTS=16 FSYNC=on
	@$(staged)
	@HERD_BENCH_SECONDS=$(or $(TIME),5) HERD_BENCH_CLIENTS=$(or $(CLIENTS),16) HERD_BENCH_FSYNC=$(or $(FSYNC),on) \
	    PROVE_FLAGS=-v test/perl/run-tap test/bench/transactions.pl
