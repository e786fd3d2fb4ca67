# The disk that tests can fill: preloaded into servers of tests only, staged beside the extension.
FULL_DISK_LIB = build/full_disk/herd_full_disk.so
EXTRA_CLEAN  += $(FULL_DISK_LIB)

$(FULL_DISK_LIB): test/full_disk/full_disk.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -shared -o $@ $< -ldl

.PHONY: stage-full-disk
stage-full-disk: $(FULL_DISK_LIB)
	@install -D -t $(STAGE)$(pkglibdir) $(FULL_DISK_LIB)
