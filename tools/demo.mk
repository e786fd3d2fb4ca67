# The demo, for who has just cloned the repository.
.PHONY: demo demo-stop

demo:  ## a herd of three servers with real data on this machine, and a tour of it
	@tools/install-deps
	@echo "building the extension"
	@$(MAKE) --no-print-directory -s -j $(JOBS) stage
	@tools/demo/run

demo-stop:  ## stop the demo's servers and remove every trace
	@tools/demo/stop
