#include "launcher/host/machine_offer.h"

#include "base/error.h"
#include "tests/unit/catch.h"

TEST_CASE("memory that can be had is what the kernel says is available") {
  CHECK(launcher::available_memory_kb(
            "MemTotal:  8000 kB\nMemFree:  10 kB\nMemAvailable:    4000 kB\nCached: 1 kB\n") == 4000);
  for (const char* text : {"", "MemFree: 1 kB\n", "MemAvailable: x kB\n", "MemAvailable: 1 MB\n", "MemAvailable:\n",
                           "MemAvailable: 99999999999999999999 kB\n", "XMemAvailable: 1 kB\n"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(launcher::available_memory_kb(text), base::InvalidInput);
  }
}

TEST_CASE("a process's bounding set is read from its status") {
  CHECK(launcher::bounding_set("CapEff:\t0000000000000001\nCapBnd:\t000001ffffffffff\n") == 0x1ffffffffff);
  CHECK_THROWS_AS(launcher::bounding_set("CapBnd:\tx\n"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::bounding_set(""), base::InvalidInput);
}

TEST_CASE("this machine has memory, and gives the capabilities that were stated or else its own") {
  CHECK(launcher::read_machine_offer(5, {}).capabilities == 5);
  const launcher::MachineOffer own =
      launcher::read_machine_offer(std::nullopt, {{.name = "a", .url = "https://a.example"}});
  CHECK(own.available_kb > 0);
  CHECK(own.services.at(0).name == "a");
  CHECK(own.capabilities != 5);
}
