#include "base/json.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Json;
using base::JsonObject;

TEST_CASE("JSON that readers disagree on is refused") {
  CHECK_THROWS_WITH(base::parse_json(R"({"a":1,"a":2})", "body"), ContainsSubstring("body: key \"a\" stands twice"));
  CHECK_THROWS_WITH(base::parse_json(R"({"x":{"b":1},"y":{"b":1,"c":0,"b":2}})", "body"), ContainsSubstring("twice"));
  CHECK_NOTHROW(base::parse_json(R"({"x":{"b":1},"y":{"b":1}})", "body"));
  CHECK_THROWS_AS(base::parse_json("1e999", "body"), base::InvalidInput);
  CHECK_THROWS_AS(base::parse_json(R"("\ud800")", "body"), base::InvalidInput);
  CHECK_THROWS_AS(base::parse_json(R"("\udc00\ud800")", "body"), base::InvalidInput);
  CHECK_THROWS_AS(base::parse_json("\"\xff\"", "body"), base::InvalidInput);
  CHECK_THROWS_WITH(base::parse_json("{} {}", "body"), "body: not valid JSON at byte 4");
  CHECK_THROWS_WITH(base::parse_json("{]\n", "body"), "body: not valid JSON at byte 2");
  CHECK_THROWS_WITH(base::parse_json("", "body"), "body: not valid JSON at byte 1");
  INFO("of several lines the one is told");
  CHECK_THROWS_WITH(base::parse_json("]\n{}\n", "file"), "file: not valid JSON at byte 1, line 1, column 1");
  CHECK_THROWS_WITH(base::parse_json("{\n  \"a\": 1,\n}\n", "file"),
                    "file: not valid JSON at byte 13, line 3, column 1");
  CHECK_THROWS_WITH(base::parse_json("{\n\n", "file"), "file: not valid JSON at byte 4, line 3, column 1");
  CHECK_THROWS_AS(base::parse_json("{\"a\":1,}", "body"), base::InvalidInput);
  CHECK_THROWS_AS(base::parse_json("", "body"), base::InvalidInput);
  CHECK_THROWS_WITH(base::parse_json("\xef\xbb\xbf{}", "body"), "body: begins with a byte order mark");
}

TEST_CASE("an error names a long key in part") {
  const std::string key(1000, 'k');
  CHECK_THROWS_WITH(base::parse_json("{\"" + key + "\":1,\"" + key + "\":2}", "body"),
                    "body: key \"" + key.substr(0, 64) + "\" stands twice in one object");
}

TEST_CASE("depth 100,000 is refused, and the limit is exact") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK_THROWS_WITH(base::parse_json(nested(100000), "body"), ContainsSubstring("nested deeper than 32"));
  CHECK_NOTHROW(base::parse_json(nested(32), "body"));
  CHECK_NOTHROW(base::parse_json(nested(31), "body"));
  CHECK_THROWS_AS(base::parse_json(nested(33), "body"), base::InvalidInput);
}

TEST_CASE("the number of values is limited, of whatever kind and at whatever depth") {
  constexpr base::JsonLimits kFive{.max_values = 5};
  CHECK_NOTHROW(base::parse_json(R"([1,"a",null,true])", "b", kFive));
  CHECK_NOTHROW(base::parse_json(R"({"a":{"b":[{}]},"c":1.5})", "b", kFive));
  CHECK_THROWS_WITH(base::parse_json(R"([1,"a",null,true,0])", "b", kFive), "b: holds more than 5 values");
  CHECK_THROWS_AS(base::parse_json(R"({"a":{"b":[{}]},"c":1.5,"d":-1})", "b", kFive), base::InvalidInput);
  std::string most = "[0";
  for (std::size_t count = 2; count < base::JsonLimits().max_values; ++count) most += ",0";
  CHECK_NOTHROW(base::parse_json(most + "]", "b"));
  CHECK_THROWS_AS(base::parse_json(most + ",0]", "b"), base::InvalidInput);
}

// A parser that looks at all siblings after each value takes minutes for this, and is ended by the test's time limit.
TEST_CASE("a value costs the same however many siblings it has") {
  for (const std::string element : {"{}", "[]", "{\"a\":[]}", "1"}) {
    constexpr std::size_t kCount = std::size_t{1} << 20U;
    std::string text = "[" + element;
    for (std::size_t i = 1; i < kCount; ++i) text.append(",").append(element);
    text += "]";
    const Json document =
        base::parse_json(text, "b", {.max_bytes = text.size(), .max_depth = 3, .max_values = 4 * kCount});
    CHECK(document.size() == kCount);
  }
}

TEST_CASE("the length limit is exact") {
  CHECK_NOTHROW(base::parse_json("[10]", "b", {.max_bytes = 4, .max_depth = 4}));
  CHECK_THROWS_AS(base::parse_json("[100]", "b", {.max_bytes = 4, .max_depth = 4}), base::InvalidInput);
}

TEST_CASE("a number has as many characters as the limit, a string more") {
  const std::string longest(base::kMaxNumberBytes, '1');
  const std::string fraction = "0." + std::string(base::kMaxNumberBytes - 2, '1');
  CHECK(base::parse_json("[" + fraction + ",1]", "b").size() == 2);
  CHECK_THROWS_WITH(base::parse_json("[" + longest + "1]", "b"), "b: holds a number of more than 128 characters");
  CHECK_THROWS_WITH(base::parse_json(longest + "1", "b"), ContainsSubstring("number of more than"));
  CHECK_THROWS_WITH(base::parse_json(R"({"a\"":"\\",)" + longest + "e+1}", "b"), ContainsSubstring("number of more"));
  CHECK(base::parse_json("[\"" + longest + longest + "\"]", "b").size() == 1);
  CHECK(base::parse_json(R"(["\"","\\", ")" + longest + longest + R"("])", "b").size() == 3);
}

TEST_CASE("an error never quotes the document") {
  try {
    base::parse_json(R"({"tee-env-KEY":"canary-secret)", "metadata");
    FAIL("parsed");
  } catch (const base::InvalidInput& error) {
    CHECK_THAT(error.what(), !ContainsSubstring("canary"));
  }
}

TEST_CASE("fields are read with no conversion, and errors name their path") {
  const Json document = base::parse_json(
      R"({"s":"text","n":7,"neg":-7,"f":1.5,"b":true,"z":null,"o":{"inner":{"x":1}},"l":["a","b"],"mixed":["a",1],
          "bytes":"Zm8=","big":18446744073709551615})",
      "doc");
  const JsonObject object(document, "doc");
  CHECK(object.string("s") == "text");
  CHECK(object.unsigned_integer("n") == 7);
  CHECK(object.optional_integer("neg") == -7);
  CHECK(object.optional_bool("b") == true);
  CHECK(object.strings_or_empty("l") == std::vector<std::string>{"a", "b"});
  CHECK(object.bytes("bytes") == base::to_bytes("fo"));
  CHECK(object.bytes_or_empty("absent").empty());
  CHECK_FALSE(object.has("z"));
  CHECK(object.string_or("z", "fallback") == "fallback");
  CHECK_FALSE(object.optional_object("absent").has_value());
  CHECK_THROWS_WITH(object.string("n"), "doc.n: expected a string, found number");
  CHECK_THROWS_WITH(object.string("absent"), "doc.absent: is missing");
  CHECK_THROWS_WITH(object.unsigned_integer("neg"), ContainsSubstring("doc.neg: expected a whole number"));
  CHECK_THROWS_AS(object.unsigned_integer("f"), base::InvalidInput);
  CHECK_THROWS_WITH(object.optional_integer("big"), "doc.big: is out of range");
  CHECK_THROWS_WITH(object.optional_bool("s"), ContainsSubstring("doc.s"));
  CHECK_THROWS_WITH(object.strings_or_empty("mixed"), ContainsSubstring("doc.mixed[1]: expected a string"));
  CHECK_THROWS_WITH(object.objects_or_empty("l"), ContainsSubstring("doc.l[0]: expected an object"));
  CHECK_THROWS_WITH(object.object("o").object("inner").string("x"), ContainsSubstring("doc.o.inner.x"));
  CHECK_THROWS_WITH(object.object("o").expect_only({"other"}), "doc.o.inner: unknown field");
  CHECK_NOTHROW(object.object("o").expect_only({"inner"}));
  CHECK_THROWS_WITH(JsonObject(document["l"], "doc.l"), ContainsSubstring("expected an object, found array"));
}
