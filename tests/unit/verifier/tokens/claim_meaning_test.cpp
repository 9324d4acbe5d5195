#include "verifier/tokens/claim_meaning.h"

#include <fstream>
#include <regex>
#include <string>

#include "tests/unit/catch.h"

using verifier::meaning_of_claim;

TEST_CASE("A claim, its members and its elements prove something") {
  CHECK_FALSE(meaning_of_claim("swname").empty());
  CHECK(meaning_of_claim("submods.container.args[3]") == meaning_of_claim("submods.container.args"));
  CHECK(meaning_of_claim("submods.container.env.HOME") == meaning_of_claim("submods.container.env"));
  CHECK(meaning_of_claim("submods.container.env_override") != meaning_of_claim("submods.container.env"));
}

TEST_CASE("A claim that nobody knows proves nothing") {
  CHECK(meaning_of_claim("swnames").empty());
  CHECK(meaning_of_claim("submods").empty());
  CHECK(meaning_of_claim("").empty());
}

TEST_CASE("A member comes from where its claim does") {
  CHECK(verifier::source_of_claim("submods.container.env.HOME") == "launch log, EnvVar");
  CHECK(verifier::source_of_claim("swnames").empty());
}

TEST_CASE("Every claim that is documented has a meaning, and the source that stands there") {
  std::ifstream document(CS_SOURCE_DIR "/docs/claims.md");
  std::size_t claims = 0;
  bool is_table = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("#")) is_table = line == "## Claims";
    if (!is_table || !line.starts_with("| `")) continue;
    const std::string claim = line.substr(3, line.find('`', 3) - 3);
    INFO(claim);
    CHECK_FALSE(meaning_of_claim(claim).empty());
    std::smatch cells;
    REQUIRE(std::regex_match(line, cells, std::regex(R"(\| `[^`]+` \| .*? \| (.*?) \| .*)")));
    const std::string without_links = std::regex_replace(cells[1].str(), std::regex(R"(\[([^\]]*)\]\([^)]*\))"), "$1");
    CHECK(verifier::source_of_claim(claim) == std::regex_replace(without_links, std::regex("`"), ""));
    ++claims;
  }
  CHECK(claims > 25);
}
