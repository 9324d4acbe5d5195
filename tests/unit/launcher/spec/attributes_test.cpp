#include "launcher/spec/attributes.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::AttributeReader;
using launcher::Attributes;
using test::read_attributes;
using Strings = std::vector<std::string>;

TEST_CASE("attributes are a JSON object of strings") {
  CHECK(launcher::parse_attributes(R"({"a":"1","b":""})") == Attributes{{"a", "1"}, {"b", ""}});
  CHECK_THROWS_WITH(launcher::parse_attributes(R"({"a":1})"), "metadata.a: expected a string");
  CHECK_THROWS_WITH(launcher::parse_attributes(R"({"a":{"b":"c"}})"), ContainsSubstring("metadata.a"));
  CHECK_THROWS_AS(launcher::parse_attributes("[]"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::parse_attributes(R"({"tee-cmd":"a","tee-cmd":"b"})"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::parse_attributes("<html>"), base::InvalidInput);
}

TEST_CASE("as many attributes as are taken, and no more") {
  const auto document = [](std::size_t count) {
    std::string json = R"({"tee-image-reference":"x")";
    for (std::size_t i = 1; i < count; ++i) json += ",\"k" + std::to_string(i) + "\":\"\"";
    return json + "}";
  };
  CHECK(launcher::parse_attributes(document(launcher::kMaxAttributes)).size() == launcher::kMaxAttributes);
  CHECK_THROWS_WITH(launcher::parse_attributes(document(launcher::kMaxAttributes + 1)),
                    ContainsSubstring("metadata: "));
}

TEST_CASE("an attribute that is absent or empty asks for nothing") {
  const auto read = [](AttributeReader& reader) {
    return reader.read("tee-x", [](const std::string&) -> int { throw base::Error("called"); });
  };
  CHECK_FALSE(read_attributes({}, read).value);
  const auto empty = read_attributes({{"tee-x", ""}}, read);
  CHECK_FALSE(empty.value);
  CHECK(empty.problems.empty());
  const auto wrong = read_attributes({{"tee-x", "1"}}, read);
  CHECK_FALSE(wrong.value);
  CHECK(wrong.problems == "tee-x: called");
}

TEST_CASE("booleans are Go's, and false when empty") {
  const auto read = [](AttributeReader& reader) { return reader.boolean("tee-x"); };
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"})
    CHECK(read_attributes({{"tee-x", text}}, read).value);
  for (const char* text : {"", "0", "f", "F", "FALSE", "false", "False"}) {
    const auto result = read_attributes({{"tee-x", text}}, read);
    CHECK_FALSE(result.value);
    CHECK(result.problems.empty());
  }
  for (const char* text : {"yes", "tRUE", " true", "none"}) {
    const auto result = read_attributes({{"tee-x", text}}, read);
    CHECK_FALSE(result.value);
    CHECK(result.problems == "invalid value for tee-x (not a boolean): \"" + std::string(text) + "\"");
  }
}

TEST_CASE("numbers are decimal digits that fit into 64 bits") {
  CHECK(launcher::parse_number_attribute("tee-x", "0") == 0);
  CHECK(launcher::parse_number_attribute("tee-x", "18446744073709551615") == 18446744073709551615U);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1k", "18446744073709551616"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(launcher::parse_number_attribute("tee-x", text),
                      "failed to convert tee-x into uint64, got: " + std::string(text));
  }
}

TEST_CASE("arrays are of strings; null is an empty one") {
  CHECK(launcher::parse_array_attribute("tee-x", R"(["a","b c",""])") == Strings{"a", "b c", ""});
  CHECK(launcher::parse_array_attribute("tee-x", "[]").empty());
  CHECK(launcher::parse_array_attribute("tee-x", "null").empty());
  CHECK_THROWS_WITH(launcher::parse_array_attribute("tee-x", "[\"a\""), ContainsSubstring("tee-x: not valid JSON"));
  CHECK_THROWS_WITH(launcher::parse_array_attribute("tee-x", "\"a\""), "tee-x: expected an array of strings");
  CHECK_THROWS_WITH(launcher::parse_array_attribute("tee-x", R"(["a",1])"), "tee-x[1]: expected a string");
  CHECK_THROWS_WITH(launcher::parse_array_attribute("tee-x", R"(["a",null])"), "tee-x[1]: expected a string");
  CHECK_THROWS_WITH(launcher::parse_array_attribute("tee-x", R"(["a\u0000b"])"), "tee-x[0]: contains NUL");
}

TEST_CASE("what an operator wrote stands in an error as far as a person reads it") {
  CHECK(launcher::shown("short") == "short");
  CHECK(launcher::shown(std::string(1000, 'x')) == std::string(64, 'x'));
}
