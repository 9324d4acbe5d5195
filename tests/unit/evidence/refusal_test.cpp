#include "evidence/refusal.h"

#include <filesystem>
#include <set>
#include <string>

#include "base/file.h"
#include "tests/unit/catch.h"

using evidence::Reason;
using evidence::Refusal;

TEST_CASE("every reason has a name of its own that the documentation explains") {
  const std::string docs =
      base::read_text_file(std::filesystem::path(CS_SOURCE_DIR) / "docs/verifier.md", std::size_t{1} << 20U);
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(Reason::kInternal); ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string name(name_of(reason));
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK_THAT(docs, ContainsSubstring("| `" + name + "` | `" + std::string(name_of(code_of(reason))) + "` |"));
  }
}

TEST_CASE("a refusal carries its reason and the code of it") {
  const Refusal refusal(Reason::kProjectMismatch, "not yours");
  CHECK(refusal.code() == evidence::StatusCode::kPermissionDenied);
  CHECK(refusal.reason() == "PROJECT_MISMATCH");
  CHECK(refusal.what() == std::string("not yours"));
}

TEST_CASE("what is wrong with the input becomes a refusal, and nothing else does") {
  CHECK(evidence::refuse_as(Reason::kInvalidQuote, [] { return 7; }) == 7);
  try {
    evidence::refuse_as(Reason::kInvalidQuote, [] { throw base::InvalidInput("quote", "stands twice"); });
    FAIL("nothing was thrown");
  } catch (const Refusal& refusal) {
    CHECK(refusal.reason() == "INVALID_QUOTE");
    CHECK(refusal.what() == std::string("quote: stands twice"));
  }
  CHECK_THROWS_WITH(evidence::refuse_as(Reason::kInvalidQuote, [] { throw base::Error("broken"); }), "broken");
  try {
    evidence::refuse_as(Reason::kInvalidQuote, [] { throw Refusal(Reason::kUnsupportedTechnology, "SNP"); });
  } catch (const Refusal& refusal) {
    CHECK(refusal.reason() == "UNSUPPORTED_CC_TECHNOLOGY");
  }
}
