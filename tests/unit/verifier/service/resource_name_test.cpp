#include "verifier/service/resource_name.h"

#include "tests/unit/catch.h"

using verifier::parse_resource_path;

TEST_CASE("resource paths of the REST API are taken apart") {
  CHECK(parse_resource_path("/v1/projects/p/locations")->project == "p");
  CHECK_FALSE(parse_resource_path("/v1/projects/p/locations")->location);
  CHECK(parse_resource_path("/v1/projects/example.com:p/locations/us-central1")->location == "us-central1");
  CHECK(parse_resource_path("/v1/projects/p/locations/l/challenges")->is_challenges);
  const auto call = parse_resource_path("/v1/projects/p/locations/l/challenges/c-1:verifyConfidentialSpace");
  REQUIRE(call);
  CHECK(call->challenge == "projects/p/locations/l/challenges/c-1");
  CHECK(call->verb == "verifyConfidentialSpace");
}

TEST_CASE("other paths are no resources") {
  for (const char* path : {"",
                           "/",
                           "/v1",
                           "/v1/",
                           "/v1/projects",
                           "/v1/projects/p",
                           "/v1/projects//locations",
                           "/v1/projects/p/locations/",
                           "/v1/projects/p/places/l",
                           "/v1/projects/p/locations/l/",
                           "/v1/projects/p/locations/l/challenges/",
                           "/v1/projects/p/locations/l/challenges/c",
                           "/v1/projects/p/locations/l/challenges/:verb",
                           "/v1/projects/p/locations/l/challenges/c:verb/x",
                           "/v1/projects/p%2fq/locations",
                           "//v1/projects/p/locations",
                           "/v2/projects/p/locations",
                           "/v1/projects/../locations/l/challenges/c:v/d/e/f/g/h",
                           "/v1/projects/../locations",
                           "/v1/projects/./locations/l",
                           "/v1/projects/p/locations/..",
                           "/v1/projects/p/locations/../challenges",
                           "/v1/projects/p/locations/./challenges",
                           "/v1/projects/p/locations/l/challenges/..:verb",
                           "/v1/projects/p/locations/l/challenges/.:verb"}) {
    CAPTURE(path);
    CHECK_FALSE(parse_resource_path(path));
  }
}

TEST_CASE("the length of a resource's id is limited") {
  CHECK(verifier::is_resource_id(std::string(64, 'a')));
  CHECK_FALSE(verifier::is_resource_id(std::string(65, 'a')));
  CHECK_FALSE(verifier::is_resource_id(""));
  CHECK_FALSE(verifier::is_resource_id("a\n"));
}

TEST_CASE("dots alone are no resource's id") {
  CHECK_FALSE(verifier::is_resource_id("."));
  CHECK_FALSE(verifier::is_resource_id(".."));
  CHECK(verifier::is_resource_id("..."));
  CHECK(verifier::is_resource_id(".a"));
}
