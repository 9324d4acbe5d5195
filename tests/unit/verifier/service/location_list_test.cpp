#include "verifier/service/location_list.h"

#include "evidence/refusal.h"
#include "tests/unit/catch.h"

namespace {

using base::Json;

const std::vector<std::string> kRegions = {"europe-west1", "europe-west4", "us-central1", "us-east1"};

/// The ids, separated by blanks, and the next page's token.
std::string listed(std::string_view query) {
  const Json answer = verifier::list_locations("p", kRegions, query);
  std::string text;
  for (const Json& location : answer.at("locations")) text += location.at("locationId").get<std::string>() + " ";
  return text + answer.value("nextPageToken", "");
}

std::string refusal_of_query(std::string_view query) {
  try {
    verifier::list_locations("p", kRegions, query);
    return "accepted";
  } catch (const evidence::Refusal& refusal) {
    CHECK(refusal.reason() == "INVALID_REQUEST");
    return refusal.what();
  }
}

}  // namespace

TEST_CASE("locations are listed with their names") {
  CHECK(verifier::list_locations("p", {"r"}, "") ==
        Json::parse(R"({"locations": [{"name": "projects/p/locations/r", "locationId": "r", "displayName": "r"}]})"));
  CHECK(verifier::list_locations("p", {}, "") == Json{{"locations", Json::array()}});
}

TEST_CASE("pages follow each other") {
  CHECK(listed("pageSize=3") == "europe-west1 europe-west4 us-central1 3");
  CHECK(listed("pageSize=3&pageToken=3") == "us-east1 ");
  CHECK(listed("pageSize=4") == "europe-west1 europe-west4 us-central1 us-east1 ");
  CHECK(listed("pageSize=0") == listed(""));
  CHECK(listed("pageSize=4000000000") == listed(""));
  CHECK(listed("pageToken=4").empty());
  CHECK(refusal_of_query("pageSize=-1") == "pageSize: is no number of locations");
  CHECK(refusal_of_query("pageSize=x") == "pageSize: is no number of locations");
  CHECK(refusal_of_query("pageToken=5") == "pageToken: is none that was given out");
  CHECK(refusal_of_query("pageToken=x") == "pageToken: is none that was given out");
}

TEST_CASE("a filter narrows the list down") {
  CHECK(listed("filter=locationId%3Dus-central1") == "us-central1 ");
  CHECK(listed("filter=locationId=%22us-central1%22") == "us-central1 ");
  CHECK(listed("filter=locationId+%3D+us-central1") == "us-central1 ");
  CHECK(listed("filter=displayName=europe-*") == "europe-west1 europe-west4 ");
  CHECK(listed("filter=locationId!=europe-*") == "us-central1 us-east1 ");
  CHECK(listed("filter=name:west4") == "europe-west4 ");
  CHECK(listed("filter=locationId=us-*+AND+name:east") == "us-east1 ");
  CHECK(listed("filter=locationId=us-*&pageSize=1") == "us-central1 3");
  CHECK(listed("filter=") == listed(""));
  for (const char* bad : {"tokyo", "colour=red", "locationId", "locationId=%22a", "locationId=a+AND+", "=a"}) {
    CAPTURE(bad);
    CHECK_THAT(refusal_of_query(std::string("filter=") + bad), Catch::Matchers::StartsWith("filter: "));
  }
  std::string many = "filter=name:a";
  for (int i = 1; i < 16; ++i) many += "+AND+name:a";
  CHECK(refusal_of_query(many) == "accepted");
  CHECK(refusal_of_query(many + "+AND+name:a") == "filter: has too many comparisons");
}

TEST_CASE("other parameters count for nothing, and what is no query is refused") {
  CHECK(listed("$alt=json;enum-encoding=int") == listed(""));
  CHECK(refusal_of_query("filter=%zz") == "the query is malformed");
}
