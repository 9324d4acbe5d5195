#include "verifier/reference/draft.h"

#include <chrono>

#include "tests/unit/catch.h"
#include "tests/unit/verifier/reference/images.h"

using namespace test::images;  // NOLINT(google-build-using-namespace)
using verifier::ReferenceDraft;

namespace {

Json entry_named(const std::string& name) {
  Json json = entry();
  json["name"] = name;
  return json;
}

ReferenceDraft draft_of(const std::string& name) {
  ReferenceDraft draft("document");
  draft.add(entry_named(name).dump(), "entry");
  return draft;
}

template <typename Change>
std::string refusal_of_change(const Change& change) {
  try {
    change();
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A draft takes entries, and documents of them, and stays as it was when one is wrong") {
  ReferenceDraft draft = draft_of("a");
  draft.add(Json{{"images", {entry_named("b"), entry_named("c")}}}.dump(), "more");
  REQUIRE(draft.values().size() == 3);
  CHECK(draft.values().images()[2].name == "c");
  const std::string before = draft.text();
  CHECK_THAT(refusal_of_change([&] { draft.add(entry_named("b").dump(), "more"); }),
             StartsWith("more: image \"b\" stands in document already"));
  CHECK_THAT(refusal_of_change([&] { draft.add(R"({"name": "d"})", "more"); }), StartsWith("more.images[0]."));
  CHECK_THAT(refusal_of_change([&] { draft.add("[]", "more"); }), StartsWith("more"));
  CHECK(draft.text() == before);
  CHECK(ReferenceDraft::parse(before, "document").text() == before);
}

TEST_CASE("A draft deprecates what it has, once") {
  ReferenceDraft draft = draft_of("a");
  CHECK(draft.deprecate("a"));
  CHECK(draft.values().images()[0].deprecated);
  CHECK_FALSE(draft.deprecate("a"));
  CHECK(refusal_of_change([&] { draft.deprecate("b"); }) == "document: has no image \"b\"");
  Json odd = entry_named("a");
  odd["deprecated"] = nullptr;
  ReferenceDraft with_null = ReferenceDraft::parse(Json{{"images", {odd}}}.dump(), "document");
  CHECK(with_null.deprecate("a"));
}

TEST_CASE("Each publication counts up and says whose it is") {
  ReferenceDraft draft = draft_of("a");
  CHECK_THAT(refusal_of_change([&] { draft.publish({}, kSomeTime); }), StartsWith("document.publisher: is missing"));
  const base::WallTime end = kSomeTime + std::chrono::hours(24);
  CHECK(draft.publish({.publisher = "team", .version = {}, .expires = end}, kSomeTime).version == 1);
  const verifier::Publication second = draft.publish({}, kSomeTime);
  CHECK(second.version == 2);
  CHECK(second.publisher == "team");
  CHECK(second.expires == end);
  CHECK(draft.values().publications().at(0)->version == 2);
  CHECK(refusal_of_change([&] { draft.publish({.publisher = {}, .version = 2, .expires = {}}, kSomeTime); }) ==
        "document.version: is not above 2, the one before");
  CHECK(refusal_of_change([&] { draft.publish({}, end); }) == "document.expires: has passed");
  CHECK_THAT(refusal_of_change([&] { draft.publish({.publisher = "a b", .version = {}, .expires = {}}, kSomeTime); }),
             StartsWith("document.publisher: "));
  CHECK(draft.publish({.publisher = {}, .version = 9, .expires = end}, kSomeTime).version == 9);
}
