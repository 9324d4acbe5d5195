#include "base/error.h"

#include <cerrno>

#include "tests/unit/catch.h"

using base::Action;

TEST_CASE("an error keeps its action while context is put before it") {
  const base::Error inner("no answer", Action::kReboot);
  const base::Error outer = inner.in_context("opening the TPM");
  CHECK(std::string(outer.what()) == "opening the TPM: no answer");
  CHECK(outer.action() == Action::kReboot);
  CHECK(inner.in_context("pull", Action::kGiveUp).action() == Action::kGiveUp);
  CHECK(base::Error("x").action() == Action::kGiveUp);
}

TEST_CASE("input errors name the field, system errors the reason") {
  CHECK(std::string(base::InvalidInput("tee-cmd", "is no array").what()) == "tee-cmd: is no array");
  const base::SystemError error("writing token", ENOSPC);
  CHECK(std::string(error.what()) == "writing token: No space left on device");
  CHECK(error.code() == ENOSPC);
}
