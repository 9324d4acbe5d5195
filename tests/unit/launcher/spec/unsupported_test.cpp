#include "launcher/spec/unsupported.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

namespace {

std::string unsupported_of(const launcher::Attributes& attributes) {
  return test::read_attributes(attributes,
                               [](launcher::AttributeReader& reader) {
                                 launcher::refuse_unsupported(reader);
                                 return 0;
                               })
      .problems;
}

}  // namespace

TEST_CASE("a value that asks for nothing is nothing") {
  CHECK(unsupported_of({}).empty());
  CHECK(unsupported_of({{"test-fake-verifier", "false"},
                        {"tee-install-gpu-driver", "yes"},
                        {"ita-region", ""},
                        {"ita-api-key", ""},
                        {"tee-nonroot-container", "false"}})
            .empty());
}

TEST_CASE("what this launcher will not do is refused with the reason") {
  CHECK(unsupported_of({{"test-fake-verifier", "true"}}) ==
        "test-fake-verifier: tokens of a fake verifier prove nothing, so there is none");
  CHECK(unsupported_of({{"test-fake-verifier", "x"}}) == "invalid value for test-fake-verifier (not a boolean): \"x\"");
  CHECK_THAT(unsupported_of({{"tee-install-gpu-driver", "true"}}),
             StartsWith("tee-install-gpu-driver: GPU Driver installation is not supported"));
  CHECK_THAT(unsupported_of({{"tee-nonroot-container", "true"}}), StartsWith("tee-nonroot-container: "));
}

TEST_CASE("Intel Trust Authority takes both of its attributes, and evidence that there is not") {
  constexpr auto kHalf = "ITA fields ita-region and ita-api-key must both be provided and non-empty";
  CHECK(unsupported_of({{"ita-region", "US"}}) == kHalf);
  CHECK(unsupported_of({{"ita-api-key", "canary"}}) == kHalf);
  CHECK(unsupported_of({{"ita-region", "US"}, {"ita-api-key", ""}}) == kHalf);
  CHECK(unsupported_of({{"ita-region", ""}}) == kHalf);
  const std::string whole = unsupported_of({{"ita-region", "US"}, {"ita-api-key", "canary"}});
  CHECK_THAT(whole, StartsWith("ita-region, ita-api-key: ") && ContainsSubstring("TDX"));
  CHECK_THAT(whole, !ContainsSubstring("canary"));
}
