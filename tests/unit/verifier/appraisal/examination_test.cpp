#include "verifier/appraisal/examination.h"

#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"

using evidence::Reason;
using evidence::Refusal;
using verifier::Check;
using verifier::Examination;
using verifier::Outcome;

namespace {

const auto kFails = [] { throw base::InvalidInput("field", "is wrong"); };

}  // namespace

TEST_CASE("An examination to the first failure refuses there") {
  Examination examination(Examination::Extent::kToFirstFailure);
  CHECK(examination.make(Check::kQuote, [] {}));
  CHECK(examination.make(Check::kAkChain, [] { return 7; }) == 7);
  try {
    examination.make(Check::kLaunchLog, kFails);
    FAIL("was not refused");
  } catch (const Refusal& refusal) {
    CHECK(refusal.reason() == "INVALID_LAUNCH_LOG");
    CHECK(std::string(refusal.what()) == "field: is wrong");
  }
  CHECK(examination.checks().empty());  // nobody reads them
}

TEST_CASE("A refusal of its own reason stays what it is") {
  Examination examination(Examination::Extent::kToFirstFailure);
  const auto denied = [] { throw Refusal(Reason::kKeyDenied, "the key is on the deny list"); };
  CHECK_THROWS_WITH(examination.make(Check::kDenyList, denied), "the key is on the deny list");
}

TEST_CASE("An examination to the end notes every check") {
  Examination examination(Examination::Extent::kAll);
  CHECK(examination.make(Check::kAkCertificate, [] { return std::string("certificate"); }) == "certificate");
  CHECK_FALSE(examination.has_failed());
  CHECK_FALSE(examination.make(Check::kQuote, "sha256", kFails));
  CHECK_FALSE(examination.make(Check::kLaunchLog, []() -> int { throw base::InvalidInput("log", "is empty"); }));
  CHECK(examination.make(Check::kSecureBoot, [] {}));
  examination.leave_out(Check::kLocation, "the challenge is not known");
  CHECK(examination.has_failed());
  const auto& checks = examination.checks();
  REQUIRE(checks.size() == 5);
  CHECK(checks[0].outcome == Outcome::kPassed);
  CHECK((checks[1].check == Check::kQuote && checks[1].subject == "sha256" && checks[1].outcome == Outcome::kFailed));
  CHECK(checks[1].detail == "field: is wrong");
  CHECK(checks[2].detail == "log: is empty");
  CHECK(checks[3].outcome == Outcome::kPassed);
  CHECK((checks[4].outcome == Outcome::kNotApplicable && checks[4].detail == "the challenge is not known"));
}

TEST_CASE("What is no failure of a check ends the examination") {
  Examination examination(Examination::Extent::kAll);
  CHECK_THROWS_WITH(examination.make(Check::kQuote, [] { throw base::Error("out of memory"); }), "out of memory");
}

TEST_CASE("Every check has a name, a reason and advice") {
  std::string names;
  for (int i = 0; i <= static_cast<int>(Check::kImageInUse); ++i) {
    const auto check = static_cast<Check>(i);
    const std::string name(verifier::name_of(check));
    CHECK_FALSE(name.empty());
    CHECK(names.find("|" + name + "|") == std::string::npos);
    names += "|" + name + "|";
    CHECK(verifier::advice_for(check).ends_with('.'));
    CHECK(verifier::reason_for(check) != Reason::kInternal);
  }
}
