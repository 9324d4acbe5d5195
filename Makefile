# A thin front for people; everything real is in CMake and in scripts/.

PRESET ?= release
PYTHON := /usr/bin/python3
BUILD := build/$(PRESET)
# Two cores need no more; a larger machine may say JOBS=16.
JOBS ?= $(shell nproc)

# Contributors build with WERROR=ON.
WERROR ?= OFF
# Several files at once: from nothing in a third of the time. After a change of one file UNITY=OFF has less to do.
UNITY ?= ON
CONFIGURE = cmake --preset $(PRESET) -DCS_WARNINGS_ARE_ERRORS=$(WERROR) -DCMAKE_UNITY_BUILD=$(UNITY) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }

.DEFAULT_GOAL := build
.PHONY: help setup build image csctl-image try test qemu-test demo scenes bench lint check fuzz clean

help:             ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup:            ## install every Debian package that is missing
	@scripts/setup

build: $(BUILD)   ## build everything (PRESET=release|asan|tsan); installs nothing
	@$(CONFIGURE)
	@cmake --build --preset $(PRESET) -j $(JOBS)

$(BUILD):
	@mkdir -p $(BUILD)

image: setup      ## the VM images and their reference values, below build/image
	@image/build.py $(IMAGE_OPTIONS)

csctl-image: $(BUILD) ## an image with csctl, to be launched where nobody can log in: build/csctl-image
	@scripts/setup build containers
	@$(CONFIGURE)
	@cmake --build --preset $(PRESET) -j $(JOBS) --target csctl
	@scripts/csctl-image $(BUILD)/bin/csctl build/csctl-image

try: $(BUILD)     ## launch an image on this computer: LAYOUT=FOLDER:TAG TRY_OPTIONS="--debug --attribute tee-NAME=VALUE"
	@[ "$$(id -u)" = 0 ] || { echo "make try: containers need root: run it as root, or with sudo" >&2; exit 1; }
	@[ -n "$(LAYOUT)" ] || { echo "make try: LAYOUT=FOLDER:TAG says which image" >&2; exit 1; }
	@scripts/setup build services
	@$(CONFIGURE)
	@cmake --build --preset $(PRESET) -j $(JOBS) --target demo_programs csctl
	@CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) examples/laptop/try_image.py $(LAYOUT) $(TRY_OPTIONS)

test: setup       ## unit and integration tests, the images, and virtual machines that boot them
	@began=$$(date +%s) && $(MAKE) --no-print-directory build && CS_BEGAN=$$began scripts/test $(BUILD)

qemu-test: setup  ## only the virtual machines
	@$(MAKE) --no-print-directory build
	@scripts/test $(BUILD) --label-regex qemu

demo: $(BUILD)    ## two companies, one secret, one attested workload; builds what that takes and no more; KEEP=1 lets it run on
	@[ "$$(id -u)" = 0 ] || { echo "make demo: containers need root: run it as root, or with sudo" >&2; exit 1; }
	@scripts/setup build services
	@$(CONFIGURE)
	@cmake --build --preset $(PRESET) -j $(JOBS) --target demo_programs $(if $(KEEP),csctl)
	@CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) examples/mealcorp/demo.py $(if $(KEEP),--keep)

scenes: $(BUILD)  ## the scenes of examples/: two companies, one key in AWS, one in Google Cloud; takes Go 1.24
	@[ "$$(id -u)" = 0 ] || { echo "make scenes: containers need root: run it as root, or with sudo" >&2; exit 1; }
	@scripts/setup build services
	@$(CONFIGURE)
	@cmake --build --preset $(PRESET) -j $(JOBS) --target scenes_programs
	@for scene in aws google; do CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) examples/$$scene/scene.py || exit; done

bench: build      ## what every step costs
	@CS_BIN=$(CURDIR)/$(BUILD)/bin $(PYTHON) tests/bench/bench.py

lint: setup       ## layers, recurring mistakes, format, static analysis and scripts
	@scripts/lint

fuzz: setup       ## every fuzz target for FUZZ_SECONDS (10)
	@scripts/fuzz

check: setup      ## everything beyond `make test`, before an issue is closed; takes hours; as root
	@scripts/check

clean:            ## what was built
	@rm -rf build
