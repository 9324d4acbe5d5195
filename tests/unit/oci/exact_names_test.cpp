#include "oci/exact_names.h"

#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace oci {
namespace {

void expect(const std::string& text) {
  const base::Json document = base::parse_json(text, "test");
  expect_exact_names(base::JsonObject(document, "test"), {"mediaType", "size", "kind", "diff_ids"});
}

}  // namespace

TEST_CASE("a name in other letters' case is refused, whatever else is there") {
  CHECK_THROWS_WITH(
      expect(R"({"mediatype": 1})"),
      "test: has a member named like \"mediaType\" in other letters' case, which others would take for it");
  for (const char* text : {R"({"mediaType": 1, "MediaType": 2})", R"({"SIZE": 1})", R"({"\u017fize": 1})",
                           R"({"\u212aind": 1})", R"({"Diff_Id\u017f": 1})", R"({"x": 1, "y": 2, "kinD": null})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(expect(text), base::InvalidInput);
  }
}

TEST_CASE("names of their own are no other spellings") {
  for (const char* text :
       {"{}", R"({"mediaType": 1, "size": 2})", R"({"sizes": 1})", R"({"siz": 1})", R"({"\u017f": 1})",
        R"({"s\u00eeze": 1})", R"({"media type": 1})", R"({"DiffIds": 1})", R"({"": 1})"}) {
    CAPTURE(text);
    CHECK_NOTHROW(expect(text));
  }
}

}  // namespace oci
