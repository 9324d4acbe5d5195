#include "verifier/reference/doubts.h"

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)
using verifier::doubts_about;

TEST_CASE("Entries that mean what they say raise no doubt") {
  CHECK(doubts_about(parse(Json::array({unbooted_entry()})), false).empty());
  CHECK(doubts_about(parse(Json::array()), false).empty());
}

TEST_CASE("What nobody will have meant is told") {
  Json retired = unbooted_entry();
  retired["deprecated"] = true;
  CHECK(doubts_about(parse(Json::array({retired})), false) ==
        std::vector<std::string>{"values: all images are deprecated"});
  Json twin = unbooted_entry();
  twin["name"] = "twin";
  const auto of_twin = doubts_about(parse(Json::array({unbooted_entry(), twin})), false);
  REQUIRE(of_twin.size() == 1);
  CHECK_THAT(of_twin[0], StartsWith("image twin can never match: it asks for all that image image asks for"));
  const auto of_loader = doubts_about(parse(Json::array({entry()})), false);
  REQUIRE(of_loader.size() == 1);
  CHECK_THAT(of_loader[0], StartsWith("image image states PCR 4 and neither PCR 9 nor"));
}
