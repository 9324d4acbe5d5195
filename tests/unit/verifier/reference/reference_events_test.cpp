#include "verifier/reference/reference_events.h"

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)
using verifier::ReferenceEvent;

namespace {

const measure::BootLog& recorded() {
  static const measure::BootLog log = measure::decode_boot_log(test::recorded_boot_log());
  return log;
}

Json events_json(const std::vector<ReferenceEvent>& events) {
  Json list = Json::array();
  for (const auto& [sha256, text] : events) list.push_back({{"sha256", base::hex_encode(sha256)}, {"text", text}});
  return list;
}

/// With PCR 7 of the recorded boot, and its events.
Json entry_with_events() {
  Json image = entry();
  image["pcrs"]["sha256"]["7"] = base::hex_encode(recorded().replay(HashAlgorithm::kSha256).at(7));
  image["events"]["7"] = events_json(verifier::reference_events_of(recorded(), 7));
  return image;
}

}  // namespace

TEST_CASE("The events of a recorded boot make its registers") {
  const auto registers = recorded().replay(HashAlgorithm::kSha256);
  for (const auto& [pcr, value] : registers) {
    const auto events = verifier::reference_events_of(recorded(), pcr);
    INFO("PCR " << pcr);
    CHECK(verifier::makes(events, pcr, value));
    CHECK_FALSE(verifier::makes(events, pcr, base::Bytes(32, 1)));
  }
}

TEST_CASE("PCR 0 may begin with a locality, and no other register") {
  const std::vector<ReferenceEvent> events = {{base::Bytes(32, 5), "firmware"}};
  base::Bytes begin(32, 0);
  begin.back() = 3;
  const base::Bytes value =
      Digest(HashAlgorithm::kSha256, begin).extended(Digest(HashAlgorithm::kSha256, base::Bytes(32, 5))).to_bytes();
  CHECK(verifier::makes(events, 0, value));
  CHECK_FALSE(verifier::makes(events, 2, value));
}

TEST_CASE("Text that nobody measured is only said") {
  const auto events = verifier::reference_events_of(recorded(), 4);
  REQUIRE(events.size() == 3);
  CHECK(events[0].text == "Calling EFI Application from Boot Option");
  CHECK_THAT(events[2].text, StartsWith("said to be PciRoot"));
}

TEST_CASE("Events that are others are told with both texts") {
  const std::vector<ReferenceEvent> expected = {{base::Bytes(32, 1), "PK = A"}, {base::Bytes(32, 2), "db = B"}};
  std::vector<ReferenceEvent> found = expected;
  CHECK(verifier::event_mismatches(expected, found).empty());
  found[0] = {base::Bytes(32, 3), "PK = C"};
  const auto other = verifier::event_mismatches(expected, found);
  REQUIRE(other.size() == 1);
  CHECK(other[0].expected == "PK = A");
  CHECK(other[0].found == "PK = C");
  SECTION("and with their digests where the texts are the same") {
    found[0].text = "PK = A";
    const auto same = verifier::event_mismatches(expected, found);
    REQUIRE(same.size() == 1);
    CHECK(same[0].expected == "PK = A (sha256 " + base::hex_encode(base::Bytes(32, 1)) + ")");
  }
  SECTION("and one that is missing with the one text") {
    found = {expected[1]};
    const auto gone = verifier::event_mismatches(expected, found);
    REQUIRE(gone.size() == 1);
    CHECK_THAT(gone[0].expected, StartsWith("PK = A"));
    CHECK(gone[0].found.empty());
  }
}

TEST_CASE("An entry's events must make its registers") {
  CHECK(refusal_of(entry_with_events()) == "accepted");
  Json image = entry_with_events();
  SECTION("one more") {
    image["events"]["7"].push_back({{"sha256", kPcr4}, {"text", "more"}});
    CHECK(refusal_of(image) == "values.images[0].events.7: does not make the value of pcrs.sha256.7");
  }
  SECTION("of a register that is not stated they explain nothing") {
    image["pcrs"]["sha256"].erase("7");
    CHECK(refusal_of(image) == "accepted");
  }
  SECTION("of no register") {
    image["events"]["99"] = Json::array();
    CHECK_THAT(refusal_of(image), StartsWith("values.images[0].events"));
  }
  SECTION("with a digest of another length") {
    image["events"]["7"][0]["sha256"] = "ab";
    CHECK(refusal_of(image) == "values.images[0].events.7[0].sha256: is no SHA-256 digest");
  }
  SECTION("without a digest") {
    image["events"]["7"][0].erase("sha256");
    CHECK(refusal_of(image) == "values.images[0].events.7[0].sha256: is missing");
  }
  SECTION("and no more than the limit") {
    image["events"]["7"] = Json::array();
    for (std::size_t i = 0; i <= verifier::kMaxReferenceEvents; ++i) {
      image["events"]["7"].push_back({{"sha256", kPcr4}, {"text", ""}});
    }
    CHECK(refusal_of(image) == "values.images[0].events.7: has more than 1024 events");
  }
}

TEST_CASE("Events are written as they are read") {
  const auto values = parse(Json::array({entry_with_events()}));
  CHECK(values.images().front().to_json()["events"] == entry_with_events()["events"]);
}
