#include "csctl/input/log_differences.h"

#include "base/error.h"
#include "csctl/input/material.h"
#include "measure/event.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"

using csctl::differences_between;
using csctl::Logs;

namespace {

Logs logs_with(std::string_view action, std::string_view order) {
  test::BootLogWriter writer;
  writer.add(1, measure::boot_event::kEfiAction, order);
  writer.add(4, measure::boot_event::kEfiAction, action);
  return {
      .material =
          {.name = "log", .boot_log = {}, .launch_log = {}, .request = {}, .challenge = {}, .workload_challenge = {}},
      .boot = writer.log(),
      .launch = {}};
}

}  // namespace

TEST_CASE("Logs that measure the same have no difference") {
  CHECK(differences_between(logs_with("a", "b"), logs_with("a", "b")).empty());
}

TEST_CASE("What matters comes before what is each machine's own, though it was measured later") {
  const auto differences = differences_between(logs_with("a", "b"), logs_with("c", "d"));
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].pcr == 4);
  CHECK(differences[0].matters());
  CHECK(differences[0].expected_words() == "a");
  CHECK(differences[0].found_words() == "c");
  CHECK(differences[1].pcr == 1);
  CHECK_FALSE(differences[1].matters());
}

TEST_CASE("An event that one log alone has stands against nothing") {
  Logs found = logs_with("a", "b");
  found.boot->events.pop_back();
  const auto differences = differences_between(logs_with("a", "b"), found);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].expected_words() == "a");
  CHECK(differences[0].found_words() == "nothing");
}

TEST_CASE("Logs of different kinds can't be compared") {
  Logs launch = logs_with("a", "b");
  launch.boot.reset();
  launch.launch.emplace();
  CHECK_THROWS_AS(differences_between(logs_with("a", "b"), launch), base::InvalidInput);
}
