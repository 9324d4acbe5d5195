# A thin front for people; everything real is in CMake and in scripts/.

PRESET ?= release
PYTHON := /usr/bin/python3
BUILD := build/$(PRESET)
# Two cores need no more; a larger machine may say JOBS=16.
JOBS ?= $(shell nproc)

# Contributors build with WERROR=ON.
WERROR ?= OFF
CONFIGURE = cmake --preset $(PRESET) -DCS_WARNINGS_ARE_ERRORS=$(WERROR)

.PHONY: setup build image test qemu-test demo bench lint check fuzz clean

setup:            ## install every Debian package that is missing
	@scripts/setup

build: setup      ## build everything (PRESET=release|asan|tsan)
	@$(CONFIGURE) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build --preset $(PRESET) -j $(JOBS)

$(BUILD):
	@mkdir -p $(BUILD)

build: $(BUILD)

image: setup      ## the VM images and their reference values, below build/image
	@image/build.py $(IMAGE_OPTIONS)

test: build       ## unit and integration tests, the images, and virtual machines that boot them
	@scripts/test $(BUILD)

qemu-test: build  ## only the virtual machines
	@scripts/test $(BUILD) --label-regex qemu

demo: $(BUILD)    ## two companies, one secret, one attested workload; builds what that takes and no more
	@[ "$$(id -u)" = 0 ] || { echo "make demo: containers need root: run it as root, or with sudo" >&2; exit 1; }
	@scripts/setup build services
	@$(CONFIGURE) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build --preset $(PRESET) -j $(JOBS) --target demo_programs
	@CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) examples/mealcorp/demo.py

bench: build      ## what every step costs
	@CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) tests/bench/bench.py

lint: setup       ## format, static analysis and scripts
	@scripts/lint

check: build      ## everything beyond `make test`: five minutes of flood, the unit tests on Debian 13; as root
	@CS_FLOOD_SECONDS=300 CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) -m pytest -q -s tests/integration/test_flood.py
	@scripts/check

fuzz: setup       ## every fuzz target for FUZZ_SECONDS (10)
	@scripts/fuzz

clean:
	@rm -rf build
